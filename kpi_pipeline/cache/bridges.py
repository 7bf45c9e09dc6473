"""Bridges between two days as a generation holds them: an index, and for each pair of days its documents.

Those of the usual pairs are members of the generation. The documents of any other pair of kept days are added
to it where a reader requests them; see `publishing.additions`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any, Final, Self

from pydantic import TypeAdapter
from pydantic.dataclasses import dataclass as validated

from kpi_pipeline.cache.codec import valid_data
from kpi_pipeline.model.bridge import BRIDGE_DIMENSIONS, BRIDGE_FIGURES
from kpi_pipeline.model.listing import FIRST_DAY

BRIDGES: Final = "bridges"
"""Variant name under which the index of bridges is stored with a generation."""

_PARTS: Final = ("", *BRIDGE_DIMENSIONS, *(figure.name for figure in BRIDGE_FIGURES))

DOCUMENTS_OF_ONE: Final = len(_PARTS)
"""How many documents a bridge has."""


@validated(frozen=True, slots=True)
class BridgeEntry:
    """One bridge in the index.

    Attributes:
        name: What it is requested by; see `model.bridge`. Empty where it is requested by its days.
        opens_on: Its first day.
        closes_on: Its last day.
        opening_known_on: The later day on whose certificates the figures of the first day rest; None where
            they were read on that day.
        closing_known_on: The same of the last day.
        source: Digest of all that it comes from; of one that is requested by its days these.
    """

    name: str
    opens_on: date
    closes_on: date
    opening_known_on: date | None
    closing_known_on: date | None
    source: str

    def document(self, part: str = "") -> str:
        """The name of a document of it.

        Args:
            part: A dimension: the bridges of its values. A figure: the certificates that changed it. Empty:
                the bridge of everything.
        """
        return document_name(self.source, part)

    @property
    def documents(self) -> list[str]:
        """The names of all its documents."""
        return [self.document(part) for part in _PARTS]


@validated(frozen=True, slots=True)
class BridgeDay:
    """A day whose standings are kept: a bridge leads from it to each later one.

    Attributes:
        day: The day.
        known_on: The later day on whose certificates its figures rest; None where they were read on that day.
        digest: Of its standings.
    """

    day: date
    known_on: date | None
    digest: str


@validated(frozen=True, slots=True)
class BridgeIndex:
    """The bridges of a generation.

    Attributes:
        bridges: Those that it holds, in the order in which readers choose from them.
        days: All days whose standings are kept, the earliest first; the last is the business date.
        standings: Names the source whose standings are kept, as `resources.kept_standings` does.
        window_months: Months of the window of billing.
    """

    bridges: tuple[BridgeEntry, ...]
    days: tuple[BridgeDay, ...]
    standings: str
    window_months: int

    def between(self, opens_on: date, closes_on: date) -> BridgeEntry | None:
        """The bridge from one day to another; None where one of them is not kept."""
        for one in self.bridges:
            if (one.opens_on, one.closes_on) == (opens_on, closes_on):
                return one
        known = {one.day: one.known_on for one in self.days}
        if not {opens_on, closes_on} <= known.keys():
            return None
        source = f"{opens_on}-{closes_on}"
        return BridgeEntry("", opens_on, closes_on, known[opens_on], known[closes_on], source)

    def as_dict(self) -> dict[str, object]:
        """The index as plain JSON."""
        return asdict(self)

    @classmethod
    def of(cls, data: Mapping[str, object]) -> Self:
        """Read an index from plain JSON.

        Raises:
            CorruptPayload: If it is none.
        """
        return valid_data(_INDEX, data, "index of bridges")  # type: ignore[return-value]


_INDEX: Final = TypeAdapter(BridgeIndex)

NO_BRIDGES: Final = BridgeIndex((), (), "", 0)


def document_name(source: str, part: str) -> str:
    """The name of a document; see `BridgeEntry.document`."""
    return "-".join(filter(None, ("bridge", source, part)))


@dataclass(frozen=True, slots=True)
class Moved:
    """A certificate that changed a figure.

    Attributes:
        part: The part that it is in.
        currency: Of its amounts.
        values: Its number and its dimensions' values, by name.
        before: What it added to the figure on the first day, in minor units.
        after: What it adds on the last.
        standing_before: How it stood; None where it was not there.
        standing_after: How it stands; None where it is not there.
        due_before: When it was due; None where there was no date.
        due_after: When it is due.
    """

    part: str
    currency: str
    values: Mapping[str, str]
    before: int
    after: int
    standing_before: str | None
    standing_after: str | None
    due_before: date | None
    due_after: date | None

    @property
    def change(self) -> int:
        """By how much it changed the figure."""
        return self.after - self.before


class MovedCertificates:
    """The certificates that changed a figure, as `compute.bridge.documents` publishes them.

    Args:
        data: The document.
    """

    def __init__(self, data: Mapping[str, Any]) -> None:
        self._count: int = data["count"]
        self._texts: Mapping[str, Sequence[str]] = data["texts"]
        self._columns: Mapping[str, Sequence[Any]] = data["columns"]

    def select(
        self, dimension: str = "", value: str = "", part: str = "", currency: str = ""
    ) -> Sequence[int]:
        """The places of those of a filter, the largest change first.

        Args:
            dimension: By which is filtered; empty for everything.
            value: Of the dimension.
            part: A part; empty for all.
            currency: A currency; empty for all.
        """
        if dimension:
            places = self._having(dimension, value, self._in_sums_of(dimension))
        else:
            places = self._having("only_in", "", range(self._count))
        for name, wanted in (("part", part), ("currency", currency)):
            if wanted:
                places = self._having(name, wanted, places)
        return places

    def row(self, place: int) -> Moved:
        """One certificate."""
        return Moved(
            part=self._text("part", place) or "",
            currency=self._text("currency", place) or "",
            values={name: self._text(name, place) or "" for name in ("number", *BRIDGE_DIMENSIONS)},
            before=self._columns["before"][place],
            after=self._columns["after"][place],
            standing_before=self._text("standing_before", place),
            standing_after=self._text("standing_after", place),
            due_before=_day(self._columns["due_before"][place]),
            due_after=_day(self._columns["due_after"][place]),
        )

    def _in_sums_of(self, dimension: str) -> list[int]:
        """Those that the sums of a dimension's values count."""
        only, without = self._texts["only_in"], self._texts["not_in"]
        own = {place for place, text in enumerate(only) if text == dimension}
        everywhere = {place for place, text in enumerate(only) if not text}
        left = {place for place, text in enumerate(without) if dimension in text.split()}
        only_in, not_in = self._columns["only_in"], self._columns["not_in"]
        return [
            place
            for place in range(self._count)
            if only_in[place] in own or (only_in[place] in everywhere and not_in[place] not in left)
        ]

    def _having(self, name: str, text: str, places: Iterable[int]) -> list[int]:
        texts = self._texts[name]
        if text not in texts:
            return []
        wanted, column = texts.index(text), self._columns[name]
        return [place for place in places if column[place] == wanted]

    def _text(self, name: str, place: int) -> str | None:
        value = self._columns[name][place]
        if value is None or name not in self._texts:
            return None if value is None else str(value)
        text: str = self._texts[name][value]
        return text


def _day(number: int | None) -> date | None:
    return None if number is None else FIRST_DAY + timedelta(number)
