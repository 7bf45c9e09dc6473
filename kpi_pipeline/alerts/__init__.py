"""Alerts: rules, their evaluation, and the delivery of messages."""
