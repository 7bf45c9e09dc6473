"""The cube: every variant as sums of the roll-up's encoded tables."""
