"""Columns of the data that charts and tables show."""

from dataclasses import dataclass
from typing import Final

from kpi_pipeline.model.labels import Kind, Text


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        name: Its key in payloads and specifications.
        label: Head of the column in a table.
        kind: What its values are.
        dimension: The dimension whose values they are, to which they lead; empty where of none.
    """

    name: str
    label: Text
    kind: Kind
    dimension: str = ""


def money(name: str, es: str, en: str) -> Column:
    """A column of amounts."""
    return Column(name, Text(es, en), Kind.MONEY)


def share(name: str, es: str, en: str) -> Column:
    """A column of shares."""
    return Column(name, Text(es, en), Kind.SHARE)


def days(name: str, es: str, en: str) -> Column:
    """A column of days."""
    return Column(name, Text(es, en), Kind.DAYS)


def count(name: str, es: str, en: str) -> Column:
    """A column of counts."""
    return Column(name, Text(es, en), Kind.COUNT)


def name_of(dimension: str, es: str, en: str, name: str = "") -> Column:
    """A column of the names of a dimension; its key is that of the dimension unless given."""
    return Column(name or dimension, Text(es, en), Kind.NAME, dimension)


MONTH: Final = Column("month", Text("Mes", "Month"), Kind.MONTH)
CURRENCY: Final = Column("currency", Text("Moneda", "Currency"), Kind.CURRENCY)
CERTIFICATES: Final = count("count", "Certificados", "Certificates")
AMOUNT: Final = money("amount", "Monto", "Amount")
APPROVED: Final = money("approved", "Aprobado", "Approved")
RECEIVABLE: Final = money("receivable", "Por cobrar", "Receivables")
OVERDUE: Final = money("overdue", "Vencido", "Overdue")
