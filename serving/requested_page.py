"""The page that a reader sees, or wants to see: its address, language, and what is said in place of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from flask import render_template, request

from kpi_pipeline.model.filter_parameters import FILTER_SPELLINGS
from kpi_pipeline.model.filters import fold
from kpi_pipeline.model.labels import LANGUAGES, Language
from serving.responses import LANGUAGE_PARAMETER, UnknownLanguage, browser_language, named_language


@dataclass(frozen=True, slots=True)
class RequestedPage:
    """The page that a reader sees, or wants to see.

    Attributes:
        path: Of its address.
        parameters: Of its address.
    """

    path: str
    parameters: tuple[tuple[str, str], ...]

    @classmethod
    def of_request(cls) -> "RequestedPage":
        """What the present request is for."""
        return cls(request.path, tuple(request.args.items(multi=True)))

    @property
    def named_language(self) -> Language | None:
        """The language that its address names; None where that is none."""
        try:
            return named_language(value for name, value in self.parameters if name == LANGUAGE_PARAMETER)
        except UnknownLanguage:
            return None

    @property
    def language(self) -> Language:
        """The language that its address names, else that of the reader's browser."""
        return self.named_language or browser_language()

    def without(self, blamed: Callable[[str, str], bool]) -> str:
        """Its address without the query parameters at fault; without any where none of them is.

        Whoever blames a filter may name it by its canonical name.
        """
        kept = [
            (name, value)
            for name, value in self.parameters
            if not (blamed(name, value) or blamed(FILTER_SPELLINGS.get(fold(name), name), value))
        ]
        if len(kept) == len(self.parameters):
            kept = [pair for pair in kept if pair[0] == LANGUAGE_PARAMETER]
        return self._address(kept)

    def in_language(self, language: Language) -> str:
        """Its address in a language."""
        others = [pair for pair in self.parameters if pair[0] != LANGUAGE_PARAMETER]
        return self._address([*others, (LANGUAGE_PARAMETER, language)])

    def message(self, template: str, **values: Any) -> str:
        """What is said in place of it, in its language, with the way to the other one.

        Args:
            template: One that extends `message.html`.
            values: What it shows.
        """
        language = self.language
        other = next(one for one in LANGUAGES if one != language)
        return render_template(
            template,
            language=language,
            other_language=other,
            other_language_url=self.in_language(other),
            language_query=f"?{LANGUAGE_PARAMETER}={self.named_language}" if self.named_language else "",
            **values,
        )

    def _address(self, parameters: Sequence[tuple[str, str]]) -> str:
        return f"{self.path}?{urlencode(parameters)}" if parameters else self.path
