"""The roll-up: additive components on all dimensions, as of a date."""
