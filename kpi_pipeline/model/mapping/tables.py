"""Tables, queries and files of a source, as a mapping file names them."""

from collections.abc import Iterator, Mapping, Sequence, Set
from typing import Annotated, Final, Self

from pydantic import Field, StringConstraints, field_validator, model_validator

from kpi_pipeline.model.costs import COST_SCHEMA, CostKind
from kpi_pipeline.model.mapping.amounts import Amounts
from kpi_pipeline.model.mapping.settings_table import SettingsTable, Text
from kpi_pipeline.model.mapping.spellings import ambiguous, by_spelling
from kpi_pipeline.model.states import State
from kpi_pipeline.model.toml.faults import Fault, Faults, as_toml, nearest, one_of, refuse

COST_MAPPABLE: Final = frozenset(COST_SCHEMA.names) - {"month", "category"}
"""Columns of a cost that a mapping may name: the month is the invoice's, categories are those of lines."""

COST_REQUIRED: Final = ("cost_id", "invoiced_on", "amount", "kind")
"""Columns without which there is no cost; the others may be absent or defaulted."""


def column_faults(
    columns: Mapping[str, object],
    mappable: Set[str],
    required: Sequence[str],
    of: str,
    table: str = "columns",
) -> Iterator[Fault]:
    """What is wrong with the names of canonical columns in a table that maps them.

    Args:
        columns: Canonical column to source column.
        mappable: The canonical columns that there are.
        required: Those that must be named.
        of: What they are columns of, for messages.
        table: The table, for messages.
    """
    missing = [name for name in required if name not in columns]
    for name, column in columns.items():
        if name not in mappable:
            meant = nearest(name, missing) or nearest(name, mappable)
            # A column that is misspelled is not missing too.
            missing = [other for other in missing if other != meant]
            write = f"`{meant} = {as_toml(column)}`" if meant else ""
            yield Fault(
                ("columns", name), f"no such column of a {of}; {one_of(name, sorted(mappable), meant)}", write
            )
    for name in missing:
        yield Fault(
            ("columns", name),
            f"every {of} needs it; name the source column",
            f'`{name} = "…"` under [{table}]',
        )


class TableSource(SettingsTable):
    """Where rows are: a table, a query, or the columns of a CSV file or of several.

    Attributes:
        table: Table name, for a database.
        query: SELECT statement, for a database.
        delimiter: Field separator, for CSV files. A first line `sep=;` of a file, as Excel needs it, goes
            before it.
        encoding: Text encoding of CSV files that are not UTF-8, such as `cp1252` (Excel on Windows),
            `latin-1` or `cp850`. A file that is UTF-8, or UTF-16 by its byte order mark, is read as that.

    A table name may be qualified by its schema (`sales.claims`); a part that itself holds a dot is
    put in double quotes.
    """

    table: Text | None = None
    query: Text | None = None
    delimiter: Annotated[str, StringConstraints(min_length=1, max_length=1)] = ","
    encoding: Text | None = None

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, encoding: str | None) -> str | None:
        try:
            if encoding is not None:
                "".encode(encoding)
        except LookupError as error:
            raise ValueError(
                f"no encoding {encoding!r}; use one such as utf-8, cp1252, latin-1, utf-16 or cp850"
            ) from error
        return encoding

    @model_validator(mode="after")
    def _not_both(self) -> Self:
        if self.table and self.query:
            raise Faults([Fault(("query",), "give table or query, not both: remove one of the lines")])
        return self


class StateRule(SettingsTable):
    """A condition from which the state of a certificate follows; of several the first that holds decides.

    A row for which none holds takes its state from `columns.state`, else from `defaults.state`.

    Attributes:
        state: The state.
        column: Source column that is looked at.
        values: What it must hold, in any case and with or without accents; without it, any value.
    """

    state: State
    column: Text
    values: tuple[Text, ...] = ()


class ChangeLog(SettingsTable):
    """A log of changed fields, one row a change, from which dates and counts are taken.

    Changes of `state_field` date the states that a certificate reached; the payment is the first change to
    the state pagado that no later one undoes, and the acceptance likewise that to validado. Changes of
    `detail_field` to a spelling of `rework` return the certificate to the firm, those to a spelling of
    `resent` send it to the client again.

    Attributes:
        table: Table name.
        key: Columns that name the certificate, in the order of `columns.certificate_id`.
        at: Column of the moment of the change.
        field: Column of the changed field's name; without it every row is a change of state, and a value
            that is in `rework` a request to rework.
        to: Column of the new value.
        state_field: Value of `field` for a change of state.
        detail_field: Value of `field` for a change of detailed state.
        rework: Spellings of a request to rework.
        resent: Spellings of being with the client, again after a request to rework.
    """

    table: Text
    key: tuple[Text, ...] = Field(min_length=1)
    at: Text
    field: Text | None = None
    to: Text
    state_field: Text | None = None
    detail_field: Text | None = None
    rework: tuple[Text, ...] = ()
    resent: tuple[Text, ...] = ()

    @model_validator(mode="after")
    def _fields_are_named_where_there_are_any(self) -> Self:
        if self.field is None and (self.state_field or self.detail_field):
            given = "state_field" if self.state_field else "detail_field"
            raise Faults(
                [
                    Fault(
                        (given,),
                        "state_field and detail_field are values of field; name its column",
                        '`field = "…"` under [log]',
                    )
                ]
            )
        if self.field is not None and self.state_field is None:
            raise Faults(
                [
                    Fault(
                        ("state_field",),
                        "required with field; name its value for a change of state",
                        '`state_field = "…"` under [log]',
                    )
                ]
            )
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        """The log's columns that are read, each once."""
        fields = () if self.field is None else (self.field,)
        return tuple(dict.fromkeys((*self.key, self.at, *fields, self.to)))


class CostLines(SettingsTable):
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


class CostSource(SettingsTable):
    """Where costs are, one row a supplier's invoice, and what they mean.

    What a cost's columns lack or leave empty is filled from the mapping's own `defaults`.

    Attributes:
        table: Table name.
        query: SELECT statement; give it or the table.
        columns: Canonical column of a cost to source column.
        kinds: Kind of cost to its spellings in the source; case and accents do not matter. A kind's
            own name is a spelling of it unless it is listed under another.
        amounts: How amounts of costs are read; without it as those of certificates.
        lines: The costs' lines, if there are any.
    """

    table: Text | None = None
    query: Text | None = None
    columns: dict[str, Text]
    kinds: dict[CostKind, tuple[Text, ...]] = Field({})
    amounts: Amounts | None = None
    lines: CostLines | None = None

    @model_validator(mode="after")
    def _columns_make_a_cost(self) -> Self:
        sources: tuple[Fault, ...] = ()
        if (self.table is None) == (self.query is None):
            key = "table" if self.table is None else "query"
            sources = (Fault((key,), "give table or query, one of them", '`table = "…"` under [costs]'),)
        refuse(
            (
                *sources,
                *column_faults(self.columns, COST_MAPPABLE, COST_REQUIRED, "cost", "costs.columns"),
                *ambiguous("kinds", self.kinds),
            )
        )
        return self

    @property
    def kind_spellings(self) -> dict[str, CostKind]:
        """Folded spelling to kind, the kinds' own names included."""
        return by_spelling(CostKind, self.kinds)

    @property
    def source_columns(self) -> tuple[str, ...]:
        """The source's columns that are read, each once, in the mapping's order."""
        return tuple(dict.fromkeys(self.columns.values()))
