"""The readers' side of the cache: answers from the live generations and the month ends."""
