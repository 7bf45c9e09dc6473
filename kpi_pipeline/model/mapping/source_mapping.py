"""A mapping file as a whole, and reading one."""

import tomllib
from typing import Final, Self

from pydantic import Field, ValidationError, model_validator

from kpi_pipeline.model.certificates import CERTIFICATE_SCHEMA, DERIVED
from kpi_pipeline.model.dimensions import COLUMN_DIMENSIONS
from kpi_pipeline.model.filters import fold
from kpi_pipeline.model.mapping.amounts import Amounts
from kpi_pipeline.model.mapping.dates import Dates
from kpi_pipeline.model.mapping.settings_table import SettingsTable, Text
from kpi_pipeline.model.mapping.spellings import by_spelling, refuse_ambiguous
from kpi_pipeline.model.mapping.tables import ChangeLog, CostSource, StateRule, TableSource
from kpi_pipeline.model.states import State

MAPPABLE: Final = frozenset(CERTIFICATE_SCHEMA.names).difference(DERIVED)
"""Canonical columns that a mapping may name."""

REQUIRED: Final = ("certificate_id", "client", "issued_on", "amount_proposed")
"""Canonical columns without which there is no certificate; the others may be absent or defaulted."""

DEFAULTABLE: Final = frozenset({*COLUMN_DIMENSIONS, "state", "currency"} - {"client"})
"""Canonical columns for which a mapping may give a default."""


class MappingError(ValueError):
    """A mapping file that cannot be used; the message says where and what to do."""


class SourceMapping(SettingsTable):
    """A whole mapping file.

    Attributes:
        name: Short name, shown in metadata.
        description: One sentence on the source.
        source: Where rows are.
        columns: Canonical column to source column, or to several that together identify
            (`certificate_id` only).
        defaults: Value of a canonical column that the source lacks or leaves empty.
        null_words: Cells that hold no value, beside empty ones; case, accents, spaces and the kind of dash do
            not matter.
        dates: How dates and moments are read.
        amounts: How amounts are read.
        currencies: ISO 4217 code to its words and signs in the source (`CLP = ["$", "Pesos"]`); case and
            accents do not matter. A code is a word of its currency unless it is listed under another.
        states: State to its spellings in the source; case and accents do not matter. A state's own
            name is a spelling of it unless it is listed under another.
        state_rules: Conditions from which the state follows, where no column names it.
        log: The log of changes, if there is one.
        costs: Where costs are, if the source has any.
    """

    name: Text
    description: str = ""
    source: TableSource = TableSource()
    columns: dict[str, Text | tuple[Text, ...]]
    defaults: dict[str, Text] = Field({})
    null_words: tuple[Text, ...] = ("NULL", "\\N", "N/A", "#N/A", "-")
    dates: Dates = Dates()
    amounts: Amounts = Amounts()
    currencies: dict[str, tuple[Text, ...]] = Field({})
    states: dict[State, tuple[Text, ...]] = Field({})
    state_rules: tuple[StateRule, ...] = ()
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
            if name == "state" and self.state_rules:
                continue
            if name not in self.columns and name not in self.defaults:
                raise ValueError(f"{name}: name its source column under columns or give it under defaults")
        if "state" in self.defaults and fold(self.defaults["state"]) not in self.state_spellings:
            raise ValueError(f"defaults.state: {self.defaults['state']!r} is no state and not under [states]")
        return self

    @model_validator(mode="after")
    def _spellings_are_unambiguous(self) -> Self:
        refuse_ambiguous("states", self.states)
        refuse_ambiguous("currencies", self.currencies)
        return self

    @model_validator(mode="after")
    def _currencies_exist(self) -> Self:
        # Imported only when needed: the list takes time to load.
        from babel.numbers import list_currencies  # noqa: PLC0415

        if unknown := sorted(set(self.currencies) - list_currencies()):
            raise ValueError(
                f"currencies: {unknown[0]!r} is no ISO 4217 code; use one such as CLP, CLF or USD"
            )
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
        return by_spelling(State, self.states)

    @property
    def currency_spellings(self) -> dict[str, str]:
        """Folded word to the code of its currency; the codes themselves are not among them."""
        return {fold(word): code for code, words in self.currencies.items() for word in words}

    @property
    def cost_amounts(self) -> Amounts:
        """How amounts of costs are read."""
        return self.costs.amounts if self.costs and self.costs.amounts else self.amounts

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
        return tuple(dict.fromkeys((*named, *(rule.column for rule in self.state_rules))))

    @property
    def states_are_given(self) -> bool:
        """Whether the source gives the states: otherwise a date of payment tells what is paid."""
        return "state" in self.columns or bool(self.state_rules)


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
