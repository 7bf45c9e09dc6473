"""Tables as HTML. A page has hundreds of cells: written here they take a quarter of a template's time."""

from collections.abc import Iterator

from markupsafe import Markup

from serving.pages.tables.view import Head, TableView
from serving.pages.templates import written
from serving.pages.writing import Cell, NamedLink


def data_table(
    table: TableView, title: str, *, is_section: bool = False, has_wide_rows: bool = False
) -> Markup:
    """A table that scrolls by itself, and can be sorted unless the order of its rows has a meaning.

    Args:
        table: Its heads and cells.
        title: What it is of; its caption follows in brackets.
        is_section: Whether it stands for itself: on a phone its rows are cards then, unless they are ordered.
        has_wide_rows: Whether a row is too wide for a phone: they are cards then, ordered or not.
    """
    name = f"{written(title)} ({written(table.caption)})" if table.caption else written(title)
    heads = "".join(
        f'<th scope="col"{_NUMBER if head.is_number else ""}>{written(head.label)}</th>'
        for head in table.heads
    )
    as_cards = has_wide_rows or (is_section and not table.is_ordered)
    marks = [_of_column(head) if as_cards else (head.is_number * _NUMBER, "") for head in table.heads]
    rows = "".join(f"      <tr>{''.join(_cells(row, marks))}</tr>\n" for row in table.rows)
    sortable = "" if table.is_ordered else " data-table"
    kind = ' class="as-cards"' if as_cards else ""
    # Every text in it is escaped.
    return Markup(  # noqa: S704
        f'<div class="scroll" tabindex="0" role="group" aria-label="{name}"{sortable}>\n'
        f'  <table{kind}>\n    <caption class="unseen">{name}</caption>\n'
        f"    <thead>\n      <tr>{heads}</tr>\n    </thead>\n"
        f"    <tbody>\n{rows}    </tbody>\n  </table>\n</div>\n"
    )


def profile_link(link: NamedLink) -> Markup:
    """The way from a name to the page of the client or project, beside it."""
    # Every text in it is escaped.
    return Markup(_profile_link(link))  # noqa: S704


def _profile_link(link: NamedLink) -> str:
    label = written(link.label)
    # Its arrow is drawn by the style sheet: who copies a table copies names alone.
    return f' <a class="to-profile" href="{written(link.url)}" aria-label="{label}" title="{label}"></a>'


_NUMBER = ' class="number"'


def _of_column(head: Head) -> tuple[str, str]:
    """What cells of a column need where they do not stand below its head: its class, and the head itself."""
    number = " number" if head.is_number else ""
    return f' class="column-{written(head.name)}{number}"', f' data-head="{written(head.label)}"'


def _cells(row: list[Cell], marks: list[tuple[str, str]]) -> Iterator[str]:
    """The cells of a row: the first one is its head."""
    for place, (cell, (kind, head)) in enumerate(zip(row, marks, strict=True)):
        order = ""
        if cell.order != "":
            order = f' data-value="{"" if cell.order is None else written(cell.order)}"'
        text = written(cell.text)
        if cell.url:
            text = f'<a href="{written(cell.url)}">{text}</a>'
        if cell.profile is not None:
            text = f"{text}{_profile_link(cell.profile)}"
        if not place:
            yield f'<th scope="row"{kind if head else ""}{head}{order}>{text}</th>'
            continue
        exact = f' title="{written(cell.exact)}"' if cell.exact else ""
        yield f"<td{kind}{head}{order}{exact}>{text}</td>"
