"""Answers kept whole in the serving process, and the short way by which they are sent again."""
