"""Phrases in every language whose values are written for their reader: moments, amounts, other phrases."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from kpi_pipeline.model.labels import Language, Text
from kpi_pipeline.model.moments import as_iso


class ValueWriter(Protocol):
    """Writes values in one language."""

    @property
    def language(self) -> Language:
        """The language of the reader."""

    def moment(self, seconds: float) -> str:
        """A moment, in seconds since the epoch."""

    def duration(self, seconds: float) -> str:
        """How long something takes."""

    def share(self, part: float) -> str:
        """A share, 1 for the whole."""

    def count(self, number: int) -> str:
        """A whole number."""

    def amount(self, minor: int, currency: str) -> str:
        """An amount in minor units of a currency."""

    def size(self, number: int) -> str:
        """A number of bytes."""


class Value(Protocol):
    """A value that is written for its reader."""

    def written(self, writer: ValueWriter) -> str:
        """The value as text."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment, in seconds since the epoch."""

    seconds: float

    def written(self, writer: ValueWriter) -> str:
        """The value as text."""
        return writer.moment(self.seconds)


@dataclass(frozen=True, slots=True)
class Duration:
    """How long something takes, in seconds."""

    seconds: float

    def written(self, writer: ValueWriter) -> str:
        """The value as text."""
        return writer.duration(self.seconds)


@dataclass(frozen=True, slots=True)
class Share:
    """A share, 1 for the whole."""

    part: float

    def written(self, writer: ValueWriter) -> str:
        """The value as text."""
        return writer.share(self.part)


@dataclass(frozen=True, slots=True)
class Count:
    """A whole number."""

    number: int

    def written(self, writer: ValueWriter) -> str:
        """The value as text."""
        return writer.count(self.number)


@dataclass(frozen=True, slots=True)
class Amount:
    """An amount in minor units of a currency."""

    minor: int
    currency: str

    def written(self, writer: ValueWriter) -> str:
        """The value as text."""
        return writer.amount(self.minor, self.currency)


@dataclass(frozen=True, slots=True)
class Size:
    """A number of bytes."""

    number: int

    def written(self, writer: ValueWriter) -> str:
        """The value as text."""
        return writer.size(self.number)


@dataclass(frozen=True, slots=True)
class Phrase:
    """A text that names values in braces."""

    text: Text
    values: Mapping[str, str | Value] = field(default_factory=dict)

    def written(self, writer: ValueWriter) -> str:
        """The phrase in the language of its reader."""
        values = {name: write(value, writer) for name, value in self.values.items()}
        return self.text.into(writer.language).format(**values)


@dataclass(frozen=True, slots=True)
class Phrases:
    """Several phrases as one."""

    phrases: tuple[Phrase, ...]

    def written(self, writer: ValueWriter) -> str:
        """The phrases, one after another."""
        return "; ".join(phrase.written(writer) for phrase in self.phrases)


def write(value: str | Value, writer: ValueWriter) -> str:
    """A value as text; a text stays as it is."""
    return value if isinstance(value, str) else value.written(writer)


class PlainWriter:
    """Writes values as engineers and programs read them: moments in UTC, amounts in minor units.

    Args:
        language: Of the phrases.
    """

    def __init__(self, language: Language) -> None:
        self._language = language

    @property
    def language(self) -> Language:
        """The language of the reader."""
        return self._language

    def moment(self, seconds: float) -> str:
        """A moment as ISO 8601 in UTC, to the second."""
        return as_iso(seconds)

    def duration(self, seconds: float) -> str:
        """Seconds up to two minutes, whole minutes beyond."""
        return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"

    def share(self, part: float) -> str:
        """A share in percent, to the tenth."""
        return f"{part:.1%}"

    def count(self, number: int) -> str:
        """A whole number with its thousands apart."""
        return f"{number:,}"

    def amount(self, minor: int, currency: str) -> str:  # noqa: ARG002 - the phrase names the currency
        """An amount in minor units."""
        return f"{minor:,}"

    def size(self, number: int) -> str:
        """A number of bytes in MiB."""
        return f"{number / 2**20:,.0f} MiB"


PLAIN: Final = PlainWriter("en")
"""Writes what programs and terminals show."""
