"""Blocks of payloads: each what one part of an answer says, of every variant of a slice at once."""
