"""`[amounts]` of a mapping file: how amounts are read."""

from typing import Literal, Self

from pydantic import model_validator

from kpi_pipeline.model.mapping.settings_table import SettingsTable
from kpi_pipeline.model.toml.faults import Fault, Faults

Mark = Literal[".", ","]


class Amounts(SettingsTable):
    """Marks, unit and sign of amounts that are text; unit and sign hold for numbers too.

    Read without a setting: words and signs of the row's currency beside the number (`$ 1.500`, `UF 12`),
    negative amounts in parentheses or with a minus of any form before or after the number, no-break and
    narrow spaces, and the `.-` that closes a Chilean amount. A word of another currency refuses the row.

    Attributes:
        decimal: Decimal mark. Without it and without `thousands` it is the point, and an amount that can
            be read in two ways (`850.000`: 850, or 850 thousand) is refused.
        thousands: Grouping mark, or empty. A space stands for every kind of space, an apostrophe for the
            typographic one.
        unit: What one of an amount is worth in its currency: 1, 1000 for amounts in thousands, 1000000
            for amounts in millions.
        reversed_sign: Whether amounts have the opposite sign, as claims have on the credit side of a
            ledger.
    """

    decimal: Mark | None = None
    thousands: Literal["", ".", ",", " ", "'"] = ""
    unit: Literal[1, 1000, 1_000_000] = 1
    reversed_sign: bool = False

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        if self.decimal is not None and self.decimal == self.thousands:
            raise Faults([Fault(("thousands",), "decimal and thousands marks must differ")])
        return self

    @property
    def decimal_mark(self) -> Mark:
        """The decimal mark: that declared, else the point unless the point groups."""
        if self.decimal is not None:
            return self.decimal
        return "," if self.thousands == "." else "."

    @property
    def are_marks_declared(self) -> bool:
        """Whether the marks are declared: otherwise `850.000` has two readings."""
        return self.decimal is not None or bool(self.thousands)
