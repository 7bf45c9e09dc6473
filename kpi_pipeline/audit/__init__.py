"""The consistency audit: published figures, computed a second time by other code and compared."""
