"""What the tables of a mapping file have in common."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
"""Text that is not empty."""


class SettingsTable(BaseModel):
    """A table of a mapping file: unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)
