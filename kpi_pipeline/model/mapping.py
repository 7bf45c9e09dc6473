"""The mapping file: how a source's tables and spellings become certificates."""

import re
import tomllib
from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Final, Literal, Self, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)

from kpi_pipeline.model.certificates import CERTIFICATE_SCHEMA
from kpi_pipeline.model.costs import COST_SCHEMA, CostKind
from kpi_pipeline.model.dimensions import COLUMN_DIMENSIONS
from kpi_pipeline.model.filters import fold
from kpi_pipeline.model.states import State

Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]

MAPPABLE: Final = frozenset(CERTIFICATE_SCHEMA.names)
"""Canonical columns that a mapping may name."""

REQUIRED: Final = ("certificate_id", "client", "issued_on", "amount_proposed")
"""Canonical columns without which there is no certificate; the others may be absent or defaulted."""

DEFAULTABLE: Final = frozenset({*COLUMN_DIMENSIONS, "state", "currency"} - {"client"})
"""Canonical columns for which a mapping may give a default."""

COST_MAPPABLE: Final = frozenset(COST_SCHEMA.names) - {"month", "category"}
"""Columns of a cost that a mapping may name: the month is the invoice's, categories are those of lines."""

COST_REQUIRED: Final = ("cost_id", "invoiced_on", "amount", "kind")
"""Columns without which there is no cost; the others may be absent or defaulted."""

Meaning = TypeVar("Meaning", bound=StrEnum)

_FORMAT_CODES: Final = frozenset("YymdbBjHIMSfp%")
"""Codes of a date format that do not depend on the machine's locale, and those of English months."""


class MappingError(ValueError):
    """A mapping file that cannot be used; the message says where and what to do."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TableSource(_Strict):
    """Where rows are: a table, a query, or the columns of a CSV file.

    Attributes:
        table: Table name, for a database.
        query: SELECT statement, for a database.
        delimiter: Field separator, for a CSV file.
        encoding: Text encoding, for a CSV file.

    A table name may be qualified by its schema (`sales.claims`); a part that itself holds a dot is
    put in double quotes.
    """

    table: Text | None = None
    query: Text | None = None
    delimiter: Annotated[str, StringConstraints(min_length=1, max_length=1)] = ","
    encoding: Literal["utf-8", "latin-1"] = "utf-8"

    @model_validator(mode="after")
    def _not_both(self) -> Self:
        if self.table and self.query:
            raise ValueError("give table or query, not both")
        return self


class Dates(_Strict):
    """How dates are read; a moment is cut to its date.

    Attributes:
        formats: Formats of dates that are text, in strptime notation, tried in order; ISO 8601
            always works.
        timezone: Time zone in which a moment that carries its offset is cut to a date. Without it
            text keeps the date as written, and a database's own zoned moments are taken in UTC.
    """

    formats: tuple[Text, ...] = ()
    timezone: Text | None = None

    @field_validator("formats")
    @classmethod
    def _formats_give_a_date(cls, formats: tuple[str, ...]) -> tuple[str, ...]:
        for given in formats:
            unknown = sorted(set(re.findall(r"%(.?)", given)) - _FORMAT_CODES)
            if unknown:
                raise ValueError(
                    f"{given!r}: %{unknown[0]} is not supported; "
                    f"use {' '.join('%' + code for code in sorted(_FORMAT_CODES))}"
                )
            # Two dates that differ in day, month and year: a format that lacks one loses it.
            for day in (date(2021, 11, 28), date(2024, 2, 29)):
                if _round_trip(day, given) != day:
                    raise ValueError(
                        f"{given!r} does not give a whole date; it needs year, month and day, "
                        "such as %d/%m/%Y"
                    )
        return formats

    @field_validator("timezone")
    @classmethod
    def _known_timezone(cls, name: str | None) -> str | None:
        if name is not None:
            try:
                ZoneInfo(name)
            except (ZoneInfoNotFoundError, ValueError, OSError) as error:
                raise ValueError(
                    f"unknown time zone {name!r}; use an IANA name such as America/Santiago"
                ) from error
        return name


def _round_trip(day: date, given: str) -> date | None:
    """The date that remains of a date written in a format and read again; None if it cannot be read."""
    try:
        return datetime.strptime(day.strftime(given), given).date()  # noqa: DTZ007 - a date has no zone
    except ValueError:
        return None


class Amounts(_Strict):
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


class ChangeLog(_Strict):
    """A log of changed fields, one row a change, from which dates and counts are taken.

    `paid_on` is the date of the last change of `state_field` to the state pagado; `rejection_count`
    counts its changes to the state rechazado; `rework_count` counts changes of `detail_field` to one of
    the spellings of `rework`.

    Attributes:
        table: Table name.
        key: Columns that name the certificate, in the order of `columns.certificate_id`.
        at: Column of the moment of the change.
        field: Column of the changed field's name.
        to: Column of the new value.
        state_field: Value of `field` for a change of state.
        detail_field: Value of `field` for a change of detailed state.
        rework: Spellings of a request to rework.
    """

    table: Text
    key: tuple[Text, ...] = Field(min_length=1)
    at: Text
    field: Text
    to: Text
    state_field: Text
    detail_field: Text | None = None
    rework: tuple[Text, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """The log's columns that are read, each once."""
        return tuple(dict.fromkeys((*self.key, self.at, self.field, self.to)))


class CostLines(_Strict):
    """The lines of costs, which give the categories of what was bought.

    Attributes:
        table: Table name.
        key: Column that names the cost.
        category: Column of the category.
        amount: Column of the line's net amount.
    """

    table: Text
    key: Text
    category: Text
    amount: Text

    @property
    def columns(self) -> tuple[str, ...]:
        """The lines' columns that are read, each once."""
        return tuple(dict.fromkeys((self.key, self.category, self.amount)))


class CostSource(_Strict):
    """Where costs are, one row a supplier's invoice, and what they mean.

    What a cost's columns lack or leave empty is filled from the mapping's own `defaults`.

    Attributes:
        table: Table name.
        query: SELECT statement; give it or the table.
        columns: Canonical column of a cost to source column.
        kinds: Kind of cost to its spellings in the source; case and accents do not matter. A kind's
            own name is a spelling of it unless it is listed under another.
        lines: The costs' lines, if there are any.
    """

    table: Text | None = None
    query: Text | None = None
    columns: dict[str, Text]
    kinds: dict[CostKind, tuple[Text, ...]] = {}
    lines: CostLines | None = None

    @model_validator(mode="after")
    def _columns_make_a_cost(self) -> Self:
        if (self.table is None) == (self.query is None):
            raise ValueError("give table or query, one of them")
        unknown = sorted(set(self.columns) - COST_MAPPABLE)
        if unknown:
            raise ValueError(
                f"columns: {', '.join(unknown)}: no such column of a cost; "
                f"one of: {', '.join(sorted(COST_MAPPABLE))}"
            )
        missing = [name for name in COST_REQUIRED if name not in self.columns]
        if missing:
            raise ValueError(f"columns: {', '.join(missing)}: required; name the source column")
        _refuse_ambiguous("kinds", self.kinds)
        return self

    @property
    def kind_spellings(self) -> dict[str, CostKind]:
        """Folded spelling to kind, the kinds' own names included."""
        return _by_spelling(CostKind, self.kinds)

    @property
    def source_columns(self) -> tuple[str, ...]:
        """The source's columns that are read, each once, in the mapping's order."""
        return tuple(dict.fromkeys(self.columns.values()))


def _refuse_ambiguous(setting: str, spellings: Mapping[Meaning, tuple[str, ...]]) -> None:
    owner: dict[str, Meaning] = {}
    for meaning, given in spellings.items():
        for spelling in given:
            other = owner.setdefault(fold(spelling), meaning)
            if other is not meaning:
                raise ValueError(f"{setting}: {spelling!r} stands for both {other.value} and {meaning.value}")


def _by_spelling(meanings: type[Meaning], spellings: Mapping[Meaning, tuple[str, ...]]) -> dict[str, Meaning]:
    """Folded spelling to what it means; a meaning's own name is one unless it is listed under another."""
    by_spelling = {meaning.value: meaning for meaning in meanings}
    for meaning, given in spellings.items():
        by_spelling.update({fold(spelling): meaning for spelling in given})
    return by_spelling


class SourceMapping(_Strict):
    """A whole mapping file.

    Attributes:
        name: Short name, shown in metadata.
        description: One sentence on the source.
        source: Where rows are.
        columns: Canonical column to source column, or to several that together identify
            (`certificate_id` only).
        defaults: Value of a canonical column that the source lacks or leaves empty.
        dates: Formats of dates.
        amounts: Marks of amounts.
        states: State to its spellings in the source; case and accents do not matter. A state's own
            name is a spelling of it unless it is listed under another.
        log: The log of changes, if there is one.
        costs: Where costs are, if the source has any.
    """

    name: Text
    description: str = ""
    source: TableSource = TableSource()
    columns: dict[str, Text | tuple[Text, ...]]
    defaults: dict[str, Text] = {}
    dates: Dates = Dates()
    amounts: Amounts = Amounts()
    states: dict[State, tuple[Text, ...]] = {}
    log: ChangeLog | None = None
    costs: CostSource | None = None

    @model_validator(mode="after")
    def _columns_make_a_certificate(self) -> Self:
        unknown = sorted(set(self.columns) - MAPPABLE)
        if unknown:
            raise ValueError(
                f"columns: {', '.join(unknown)}: no such column of a certificate; "
                f"one of: {', '.join(sorted(MAPPABLE))}"
            )
        missing = [name for name in REQUIRED if name not in self.columns]
        if missing:
            raise ValueError(f"columns: {', '.join(missing)}: required; name the source column")
        several = sorted(
            name
            for name, column in self.columns.items()
            if not isinstance(column, str) and name != "certificate_id"
        )
        if several:
            raise ValueError(f"columns: {', '.join(several)}: only certificate_id may join several columns")
        undefaultable = sorted(set(self.defaults) - DEFAULTABLE)
        if undefaultable:
            raise ValueError(
                f"defaults: {', '.join(undefaultable)}: no default is possible; "
                f"one of: {', '.join(sorted(DEFAULTABLE))}"
            )
        for name in ("state", "currency"):
            if name not in self.columns and name not in self.defaults:
                raise ValueError(f"{name}: name its source column under columns or give it under defaults")
        if "state" in self.defaults and fold(self.defaults["state"]) not in self.state_spellings:
            raise ValueError(f"defaults.state: {self.defaults['state']!r} is no state and not under [states]")
        return self

    @model_validator(mode="after")
    def _spellings_are_unambiguous(self) -> Self:
        _refuse_ambiguous("states", self.states)
        return self

    @model_validator(mode="after")
    def _log_names_certificates(self) -> Self:
        if self.log is not None and len(self.log.key) != len(self.certificate_key):
            raise ValueError(
                f"log.key: {len(self.log.key)} columns, but columns.certificate_id has "
                f"{len(self.certificate_key)}; name the same parts in the same order"
            )
        return self

    @model_validator(mode="after")
    def _costs_have_a_currency(self) -> Self:
        if self.costs and "currency" not in self.costs.columns and "currency" not in self.defaults:
            raise ValueError(
                "costs: currency: name its source column under costs.columns or give defaults.currency"
            )
        return self

    @property
    def state_spellings(self) -> dict[str, State]:
        """Folded spelling to state, the states' own names included."""
        return _by_spelling(State, self.states)

    @property
    def certificate_key(self) -> tuple[str, ...]:
        """Source columns whose values, joined by '/', are the certificate id."""
        column = self.columns["certificate_id"]
        return (column,) if isinstance(column, str) else column

    @property
    def source_columns(self) -> tuple[str, ...]:
        """The source's columns that are read, each once, in the mapping's order."""
        named = (
            column
            for given in self.columns.values()
            for column in ((given,) if isinstance(given, str) else given)
        )
        return tuple(dict.fromkeys(named))


def parse_mapping(text: str, origin: str) -> SourceMapping:
    """Read a mapping file's text.

    Args:
        text: TOML.
        origin: The file's name, for messages.

    Raises:
        MappingError: If the text is no TOML or does not describe certificates; names the place.
    """
    try:
        return SourceMapping.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise MappingError(f"{origin}: not valid TOML: {error}") from error
    except ValidationError as error:
        problems = [
            f"{'.'.join(str(part) for part in problem['loc']) or 'file'}: "
            f"{problem['msg'].removeprefix('Value error, ')}"
            for problem in error.errors()
        ]
        raise MappingError(f"{origin}: " + "; ".join(problems)) from error
