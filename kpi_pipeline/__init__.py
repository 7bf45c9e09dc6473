"""Precomputed KPIs of payment certificates: computed by Dagster, held by Redis, read by Flask."""
