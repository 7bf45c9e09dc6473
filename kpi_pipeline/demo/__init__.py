"""The demo: an invented engineering firm, written as a SQLite database."""
