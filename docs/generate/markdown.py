"""Pieces of generated Markdown."""

from collections.abc import Iterable, Sequence


def generated_from(origin: str) -> str:
    """The sentence under the title of a generated page.

    Args:
        origin: Path of the declarations.
    """
    return f"`make docs` generates this page from `{origin}`: change that, not this page."


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; cells are Markdown on one line."""
    return "".join(f"| {' | '.join(line)} |\n" for line in (head, ["---"] * len(head), *rows))


def prose(text: str) -> str:
    """A text of several lines on one, safe inside a cell of a table."""
    parts = " ".join(text.split()).replace("|", "\\|").split("`")
    # Every second part is code, in which Markdown leaves `<` as it is.
    return "`".join(part if at % 2 else part.replace("<", "&lt;") for at, part in enumerate(parts))
