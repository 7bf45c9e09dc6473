"""What a page's scripts draw its charts with: the drawing program, and how each chart is drawn."""

from collections.abc import Mapping
from typing import Final

from serving.cache_access import Connection
from serving.negotiation import LANGUAGES, Language
from serving.published_files import published_file_path

_NAMES: Final[Mapping[Language, Mapping[str, str]]] = {
    language: {
        "program": "vega",
        "plots-light": f"plots_{language}_light",
        "plots-dark": f"plots_{language}_dark",
        "pictures": f"pictures_{language}",
    }
    for language in LANGUAGES
}
"""By language: each file's place on a page, and its name."""

_ALL: Final = tuple(dict.fromkeys(name for names in _NAMES.values() for name in names.values()))


def chart_files(connection: Connection, language: Language) -> Mapping[str, str] | None:
    """The addresses of files by their place; None where a page has to do with its own drawings.

    Args:
        connection: Where they are published.
        language: Of the page.
    """
    digests, names = connection.files.named(_ALL), _NAMES[language]
    if any(name not in digests for name in names.values()):
        return None
    return {place: published_file_path(digests[name]) for place, name in names.items()}
