"""Blocks of payloads: each computes one part of an answer, of every variant of a slice at once."""
