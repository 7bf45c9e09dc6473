"""The private parts of Dagster that this project relies on; no other package imports them.

Each module's test states what it relies on, and names the installed version when that has changed.
"""
