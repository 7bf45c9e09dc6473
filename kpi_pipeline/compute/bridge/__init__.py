"""The bridge: how figures changed between two days, certificate by certificate."""
