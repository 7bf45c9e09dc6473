"""Bridges between two days for readers: their parameters, and the look-up of one."""
