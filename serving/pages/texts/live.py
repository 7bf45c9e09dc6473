"""What a page says while it stays open: how new its figures are, and how a refresh goes."""

from typing import Final

from serving.problem_types import Text

TEXTS: Final[dict[str, Text]] = {}
