"""A mapping file as a whole, and reading one."""

import copy
import tomllib
from collections.abc import Iterator, Mapping, Set
from typing import Any, Final, Self

from pydantic import Field, PrivateAttr, ValidationError, model_validator

from kpi_pipeline.model.certificates import CERTIFICATE_SCHEMA, DERIVED
from kpi_pipeline.model.dimensions import COLUMN_DIMENSIONS
from kpi_pipeline.model.filters import fold
from kpi_pipeline.model.mapping.amounts import Amounts
from kpi_pipeline.model.mapping.dates import Dates
from kpi_pipeline.model.mapping.settings_table import SettingsTable, Text
from kpi_pipeline.model.mapping.spellings import ambiguous, by_spelling
from kpi_pipeline.model.mapping.tables import ChangeLog, CostSource, StateRule, TableSource, column_faults
from kpi_pipeline.model.states import State
from kpi_pipeline.model.toml.faults import (
    Fault,
    Origin,
    above_headings,
    as_toml,
    faults_of,
    nearest,
    one_of,
    place_in_data,
    refuse,
)
from kpi_pipeline.model.toml.places import Path, places_of
from kpi_pipeline.model.toml.syntax import syntax_fault

MAPPABLE: Final = frozenset(CERTIFICATE_SCHEMA.names).difference(DERIVED)
"""Canonical columns that a mapping may name."""

REQUIRED: Final = ("certificate_id", "client", "issued_on", "amount_proposed")
"""Canonical columns without which there is no certificate; the others may be absent or defaulted."""

DEFAULTABLE: Final = frozenset({*COLUMN_DIMENSIONS, "state", "currency"} - {"client"})
"""Canonical columns for which a mapping may give a default."""


USUAL_CURRENCIES: Final = ("CLP", "CLF", "USD", "EUR")
"""Codes that a misspelled one is compared with first."""


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

    _origin: Origin = PrivateAttr(Origin("the mapping file"))

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        refuse(
            (
                *self._column_faults(),
                *self._default_faults(),
                *ambiguous("states", self.states),
                *ambiguous("currencies", self.currencies),
                *self._currency_faults(),
                *self._log_and_cost_faults(),
            )
        )
        return self

    def _column_faults(self) -> Iterator[Fault]:
        yield from column_faults(self.columns, MAPPABLE, REQUIRED, "certificate")
        for name, column in self.columns.items():
            if not isinstance(column, str) and name != "certificate_id":
                yield Fault(
                    ("columns", name),
                    "only certificate_id may join several columns",
                    f"`{name} = {as_toml(column[0] if column else '')}`",
                )

    def _default_faults(self) -> Iterator[Fault]:
        for name, default in self.defaults.items():
            path = ("defaults", name)
            if name not in DEFAULTABLE:
                instead = above_headings(path, type(self)) or one_of(name, sorted(DEFAULTABLE))
                yield Fault(path, f"no default is possible; {instead}")
            elif name == "state" and fold(default) not in self.state_spellings:
                meant = nearest(default, self.state_spellings) or State.SENT
                yield Fault(
                    path,
                    f"{default!r} is no state and not under [states]; {one_of(default, list(State))}",
                    f'`state = "{meant}"`',
                )
            elif name == "currency" and not self._is_currency(default):
                yield Fault(
                    path,
                    f"{default!r} is no ISO 4217 code and not under [currencies]; {_like_code(default)}",
                    f'`currency = "{_nearest_code(default)}"`',
                )
        for name, example in (("state", State.SENT.value), ("currency", "CLP")):
            if name == "state" and self.state_rules:
                continue
            if name not in self.columns and name not in self.defaults:
                yield Fault(
                    ("defaults", name),
                    "not given; name its source column under [columns] or give it under [defaults]",
                    f'`{name} = "…"` under [columns], or `{name} = "{example}"` under [defaults]',
                )

    def _is_currency(self, word: str) -> bool:
        return fold(word) in self.currency_spellings or word.upper() in _codes()

    def _currency_faults(self) -> Iterator[Fault]:
        for code, words in self.currencies.items():
            if code not in _codes():
                meant = _nearest_code(code)
                yield Fault(
                    ("currencies", code),
                    f"{code!r} is no ISO 4217 code; {_like_code(code)}",
                    f"`{meant} = {as_toml(words)}`",
                )

    def _log_and_cost_faults(self) -> Iterator[Fault]:
        if self.log is not None and "certificate_id" in self.columns:
            key, names = self.certificate_key, self.log.key
            if len(names) != len(key):
                yield Fault(
                    ("log", "key"),
                    f"{len(names)} columns, but [columns] certificate_id has {len(key)}; name the same parts "
                    "in the same order",
                )
        if self.costs and "currency" not in self.costs.columns and "currency" not in self.defaults:
            yield Fault(
                ("costs",),
                "costs have no currency: name its source column under [costs.columns] or give it under "
                "[defaults]",
                '`currency = "…"` under [costs.columns], or `currency = "CLP"` under [defaults]',
                is_table=True,
            )

    @property
    def column_places(self) -> dict[str, str]:
        """Source column of certificates to where it is named, such as `own.toml line 9, [columns] client`."""
        named: dict[Path, str | tuple[str, ...] | None] = {
            ("columns", name): column for name, column in self.columns.items()
        }
        for at, rule in enumerate(self.state_rules):
            named["state_rules", at, "column"] = rule.column
        return self._places(named)

    @property
    def log_places(self) -> dict[str, str]:
        """The same of the log's columns."""
        log = self.log
        return self._places({("log", key): getattr(log, key) for key in ("key", "at", "field", "to")})

    @property
    def cost_places(self) -> dict[str, str]:
        """The same of the costs' columns."""
        columns = self.costs.columns if self.costs else {}
        return self._places({("costs", "columns", name): column for name, column in columns.items()})

    @property
    def cost_line_places(self) -> dict[str, str]:
        """The same of the columns of the costs' lines."""
        lines = self.costs.lines if self.costs else None
        keys = ("key", "category", "amount") if lines else ()
        return self._places({("costs", "lines", key): getattr(lines, key) for key in keys})

    def _places(self, named: Mapping[Path, str | tuple[str, ...] | None]) -> dict[str, str]:
        return {
            column: self._origin.place(path)
            for path, columns in named.items()
            for column in ((columns,) if isinstance(columns, str) else columns or ())
        }

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
        MappingError: If the text is no TOML or does not describe certificates; names each place, what was
            found there, what is allowed and what to write.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line, sentence = syntax_fault(text, error)
        raise MappingError(f"{origin} line {line}: {sentence}") from None
    written = Origin(origin, places_of(text))
    mapping, faults = _validated(data)
    if mapping is None:
        in_order = sorted(faults, key=lambda fault: written.places.line_of(fault.path) or 0)
        raise MappingError("\n".join(dict.fromkeys(written.as_text(fault) for fault in in_order)))
    mapping._origin = written
    return mapping


def _validated(data: dict[str, Any]) -> tuple[SourceMapping | None, list[Fault]]:
    """The mapping, or all that is wrong: what stands in the way of later checks is left out for these."""
    rest, faults = copy.deepcopy(data), list[Fault]()
    left_out: set[Path] = set()
    while True:
        try:
            mapping = SourceMapping.model_validate(rest)
        except ValidationError as error:
            errors = error.errors()
        else:
            return (None if left_out else mapping), faults
        # What is missing only because it was left out is no fault of its own.
        faults += [
            fault for fault in faults_of(errors, rest, SourceMapping) if not _is_within(fault.path, left_out)
        ]
        wrong = {place_in_data(error, rest) for error in errors}
        if () in wrong:
            return None, faults
        for path in wrong:
            _leave_out(rest, path)
            # A column that is named wrongly needs no default.
            left_out |= {path, ("defaults", *path[1:])} if path[0] == "columns" else {path}


def _is_within(path: Path, others: Set[Path]) -> bool:
    return any(path[:count] in others for count in range(1, len(path) + 1))


def _leave_out(data: Any, path: Path) -> None:
    """Remove a key from data; of a list the whole list, whose numbers would shift."""
    numbers = [at for at, part in enumerate(path) if isinstance(part, int)]
    *parents, last = path[: numbers[0]] if numbers else path
    for part in parents:
        data = data.get(part, {})
    data.pop(last, None)


def _codes() -> Set[str]:
    """ISO 4217 codes."""
    # Imported only when needed: the list takes time to load.
    from babel.numbers import list_currencies  # noqa: PLC0415

    return list_currencies()


def _nearest_code(word: str) -> str:
    return nearest(word, USUAL_CURRENCIES) or nearest(word, _codes()) or USUAL_CURRENCIES[0]


def _like_code(word: str) -> str:
    return f"did you mean {_nearest_code(word)}? Allowed: every ISO 4217 code, such as CLP, CLF or USD"
