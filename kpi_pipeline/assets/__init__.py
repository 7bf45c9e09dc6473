"""Dagster assets: read, compute, publish. Thin by rule."""
