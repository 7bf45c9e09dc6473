"""The KPI cards of a page."""
