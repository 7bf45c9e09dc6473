"""The cash-flow forecast and its back-test."""
