"""The work lists in full: the list of certificates narrowed to one of them, the most urgent first."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from kpi_pipeline.model.labels import Text
from kpi_pipeline.model.listing import ListColumn
from kpi_pipeline.model.tables import TABLES, URGENCY_MEANINGS
from kpi_pipeline.model.work_lists import WorkListName

WHY: Final = "why"
"""The column of the sentence that says why a certificate is in its list."""

URGENCY: Final = "urgency"
"""The column by which work lists are sorted."""

_MEANINGS: Final = {
    WHY: Text("Por qué está en la lista.", "Why it is in the list."),
    "days": Text("Días desde el primer envío al cliente.", "Days since it was first sent to the client."),
    "overdue_days": Text(
        "Si está vencido, los días desde su vencimiento.", "Where it is overdue, days since it was due."
    ),
    "expected_days": Text(
        "Cuánto más tardaría el cliente, según los pagos anteriores.",
        "How much longer the client would take, going by earlier payments.",
    ),
    "returned_days": Text(
        "Días desde la devolución; sin valor donde no hubo o no se conoce su fecha.",
        "Days since the return; no value where there was none or its date is unknown.",
    ),
}


@dataclass(frozen=True, slots=True)
class ListedWork:
    """A work list as a list of certificates.

    Attributes:
        name: Its name in addresses.
        label: What readers call it.
        standings: Its certificates stand in one of these ways; credit notes are in none.
        columns: What is said of each because it is in the list, the last one its urgency: no block holds it.
        usual: Names of the other columns, shown unless others are chosen.
        note: What ranks it.
    """

    name: WorkListName
    label: Text
    standings: tuple[str, ...]
    columns: tuple[ListColumn, ...]
    usual: tuple[str, ...]
    note: Text


def _listed(
    name: WorkListName, standings: tuple[str, ...], columns: tuple[str, ...], usual: tuple[str, ...]
) -> ListedWork:
    table, note = TABLES[name], URGENCY_MEANINGS[name]
    of_table = {column.name: column for column in table.columns}
    meanings = {**_MEANINGS, URGENCY: note}
    return ListedWork(
        name,
        table.title,
        standings,
        tuple(
            ListColumn(one, of_table[one].label, of_table[one].kind, "", meanings[one])
            for one in (WHY, *columns, URGENCY)
        ),
        ("number", "client", "project", *usual),
        note,
    )


LISTED_WORK: Final[Mapping[str, ListedWork]] = {
    listed.name.value: listed
    for listed in (
        _listed(
            WorkListName.COLLECT_TODAY,
            ("overdue", "critical"),
            ("days", "overdue_days", "expected_days"),
            ("due_on", "open"),
        ),
        _listed(
            WorkListName.CORRECT_AND_RESEND,
            ("unsent", "returned"),
            ("returned_days",),
            ("age_days", "rejection_reason", "open"),
        ),
    )
}
"""By name, the work lists that are acted upon."""

WORK_COLUMNS: Final = tuple(
    {column.name: column for one in LISTED_WORK.values() for column in one.columns}.values()
)
"""The columns that are of work lists alone, each once."""

SAID_BY_WHY: Final = frozenset(column.name for column in WORK_COLUMNS) - {WHY, URGENCY}
"""Those that the sentence says: pages have no room to repeat them."""
