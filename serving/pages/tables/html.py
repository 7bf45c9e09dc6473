"""Tables as HTML. A page has hundreds of cells: written here they take a quarter of a template's time."""

from collections.abc import Iterator

from markupsafe import Markup

from serving.pages.tables.view import TableView
from serving.pages.templates import written
from serving.pages.writing import Cell


def data_table(table: TableView, title: str) -> Markup:
    """A table that scrolls by itself, and can be sorted unless the order of its rows has a meaning.

    Args:
        table: Its heads and cells.
        title: What it is of; its caption follows in brackets.
    """
    name = f"{written(title)} ({written(table.caption)})" if table.caption else written(title)
    heads = "".join(
        f'<th scope="col"{_NUMBER if head.is_number else ""}>{written(head.label)}</th>'
        for head in table.heads
    )
    rows = "".join(f"      <tr>{''.join(_cells(row))}</tr>\n" for row in table.rows)
    sortable = "" if table.is_ordered else " data-table"
    # Every text in it is escaped.
    return Markup(  # noqa: S704
        f'<div class="scroll" tabindex="0" role="group" aria-label="{name}"{sortable}>\n'
        f'  <table>\n    <caption class="unseen">{name}</caption>\n'
        f"    <thead>\n      <tr>{heads}</tr>\n    </thead>\n"
        f"    <tbody>\n{rows}    </tbody>\n  </table>\n</div>\n"
    )


_NUMBER = ' class="number"'


def _cells(row: list[Cell]) -> Iterator[str]:
    """The cells of a row: the first one is its head."""
    for place, cell in enumerate(row):
        order = ""
        if cell.order != "":
            order = f' data-value="{"" if cell.order is None else written(cell.order)}"'
        text = written(cell.text)
        if cell.url:
            text = f'<a href="{written(cell.url)}">{text}</a>'
        if not place:
            yield f'<th scope="row"{order}>{text}</th>'
            continue
        exact = f' title="{written(cell.exact)}"' if cell.exact else ""
        yield f"<td{_NUMBER if cell.is_number else ''}{order}{exact}>{text}</td>"
