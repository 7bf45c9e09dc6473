"""Metrics for Prometheus: what each is, and how it comes about."""
