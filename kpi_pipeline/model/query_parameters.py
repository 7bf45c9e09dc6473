"""What the query of an address may name: filters, and parameters of its own."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from kpi_pipeline.model.filters import fold
from kpi_pipeline.model.labels import Text


@dataclass(frozen=True, slots=True)
class QueryParameter:
    """A query parameter that is no filter.

    Attributes:
        name: Its canonical name.
        spelling: How it is written as a query parameter, in either language.
        label: What readers call it.
    """

    name: str
    spelling: Text
    label: Text


@dataclass(frozen=True)
class AcceptedParameters:
    """All that the query of an address may name.

    Attributes:
        filters: Canonical names of the filters.
        others: The parameters that are no filters.
    """

    filters: tuple[str, ...]
    others: tuple[QueryParameter, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The canonical name of each."""
        return (*self.filters, *(one.name for one in self.others))

    @cached_property
    def spellings(self) -> Mapping[str, str]:
        """By every accepted spelling of a parameter that is no filter, folded: its canonical name."""
        return {
            fold(spelling): one.name
            for one in self.others
            for spelling in (one.name, one.spelling.es, one.spelling.en)
        }

    def taken_from(
        self, parameters: Iterable[tuple[str, str]]
    ) -> tuple[dict[str, list[tuple[str, str]]], list[tuple[str, str]]]:
        """Take the parameters that are no filters out of others; an empty value is none.

        Returns:
            By canonical name those, as they are spelled and with trimmed values; and the others.
        """
        given: dict[str, list[tuple[str, str]]] = {}
        others: list[tuple[str, str]] = []
        for parameter, value in parameters:
            name = self.spellings.get(fold(parameter))
            if name is None:
                others.append((parameter, value))
            elif value.strip():
                given.setdefault(name, []).append((parameter, value.strip()))
        return given, others

    def named(self, parameter: str) -> Text:
        """A parameter that is no filter as a sentence names it: `"From day" (from)`.

        Args:
            parameter: As the address spells it.
        """
        name = self.spellings.get(fold(parameter))
        label = next((one.label for one in self.others if one.name == name), Text(parameter, parameter))
        es, en = ("" if fold(text) == fold(parameter) else f" ({parameter})" for text in (label.es, label.en))
        return Text(f"«{label.es}»{es}", f'"{label.en}"{en}')
