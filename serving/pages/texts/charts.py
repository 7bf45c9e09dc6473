"""What charts say beside their own words."""

from typing import Final

from serving.problem_types import Text

TEXTS: Final[dict[str, Text]] = {}
