"""Alerts: the kinds of rules, and the file of rules and routes."""
