"""What changed between two days, as a page and as files."""
