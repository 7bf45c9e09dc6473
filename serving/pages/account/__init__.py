"""Signing in and out, and what somebody may do."""
