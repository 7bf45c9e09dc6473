"""What the filter form says."""

from typing import Final

from serving.problem_types import Text

TEXTS: Final[dict[str, Text]] = {}
