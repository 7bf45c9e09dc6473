"""Texts in the languages of those who read them."""

from dataclasses import dataclass
from typing import Final, Literal, assert_never

Language = Literal["es", "en"]
"""A language that is spoken."""

LANGUAGES: Final[tuple[Language, ...]] = ("es", "en")


@dataclass(frozen=True, slots=True)
class Text:
    """One text in every language."""

    es: str
    en: str

    def into(self, language: Language) -> str:
        """The text in one language."""
        match language:
            case "es":
                return self.es
            case "en":
                return self.en
        assert_never(language)
