"""`[amounts]` of a mapping file: how amounts are read."""

from typing import Literal, Self

from pydantic import model_validator

from kpi_pipeline.model.mapping.settings_table import SettingsTable


class Amounts(SettingsTable):
    """Marks of amounts that are text.

    Attributes:
        decimal: Decimal mark.
        thousands: Grouping mark, or empty.
    """

    decimal: Literal[".", ","] = "."
    thousands: Literal["", ".", ",", " ", "'"] = ""

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        if self.decimal == self.thousands:
            raise ValueError("decimal and thousands marks must differ")
        return self
