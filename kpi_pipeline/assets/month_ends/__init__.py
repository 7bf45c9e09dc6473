"""Month ends: the figures as of the last day of each month, kept beside the live ones.

A run takes any range of months: the source is read once and rolled up as of each month end, then the
month ends of each product are published one by one. One that is kept with the same inputs is left as
it is, so that an interrupted run continues where it ended.
"""
