"""Tables as HTML: nothing in a cell ends it."""

from serving.pages.tables.html import data_table
from serving.pages.tables.view import Head, TableView
from serving.pages.writing import Cell, NamedLink

HOSTILE = "\"><script>alert(1)</script>&'"


def test_every_text_is_escaped() -> None:
    link = NamedLink(HOSTILE, HOSTILE)
    cell = Cell(HOSTILE, exact=HOSTILE, is_number=True, order=HOSTILE, url=HOSTILE, profile=link)
    text = data_table(TableView(HOSTILE, [Head(HOSTILE, True)] * 2, [[cell, cell]]), HOSTILE)
    assert "<script>" not in text
    assert text.count("&lt;script&gt;") == 2 * 2 + 2 + 3 + 4 + 2 * 3


def test_a_name_has_the_way_to_its_page_beside_it() -> None:
    cell = Cell("Árbol & Cía.", profile=NamedLink("/manager/clients/a", "Profile of Árbol & Cía."))
    text = data_table(TableView("", [Head("a", False)], [[cell]]), "Title")
    label = "Profile of Árbol &amp; Cía."
    assert (
        '<th scope="row">Árbol &amp; Cía. <a class="to-profile" href="/manager/clients/a" '
        f'aria-label="{label}" title="{label}"></a></th>'
    ) in text


def test_a_cell_has_what_it_is_sorted_by() -> None:
    cells = [
        Cell("Minera", order=""),
        Cell("—", is_number=True, order=None),
        Cell("5", is_number=True, order=5),
    ]
    text = data_table(TableView("", [Head("a", False), Head("b", True), Head("c", True)], [cells]), "Title")
    row = (
        '<tr><th scope="row">Minera</th><td class="number" data-value="">—</td>'
        '<td class="number" data-value="5">5</td></tr>'
    )
    assert row in text
    assert text.startswith('<div class="scroll" tabindex="0" role="group" aria-label="Title" data-table>')
    assert " data-table" not in data_table(TableView("", [], [], is_ordered=True), "Title")


def test_a_cell_of_a_section_says_what_it_stands_under() -> None:
    table = TableView(
        "", [Head("Cliente", False, "client"), Head("Monto", True, "amount")], [[Cell("A")] * 2]
    )
    text = data_table(table, "Title", is_section=True)
    assert '<table class="as-cards">' in text
    assert '<th scope="row" class="column-client" data-head="Cliente">A</th>' in text
    assert '<td class="column-amount number" data-head="Monto">A</td>' in text
    assert "data-head" not in data_table(table, "Title")
    ordered = TableView("", [Head("a", False)], [[Cell("A")]], is_ordered=True)
    assert "data-head" not in data_table(ordered, "Title", is_section=True)
