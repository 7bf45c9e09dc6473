"""Dagster resources: the source and the cache as assets see them."""
