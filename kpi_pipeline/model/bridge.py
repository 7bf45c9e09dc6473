"""The bridge between two days: which figures it explains, and the parts by which they changed.

The conditions are SQL over a certificate as it stood on the first day (`o_`) and stands on the last (`c_`),
each with the columns of `compute.bridge.standings`, and with `day` and `window_first`: the day itself, and
the first one of the window of billing that ends on it.
"""

from dataclasses import dataclass
from typing import Final

from kpi_pipeline.model.dimensions import COLUMN_DIMENSIONS
from kpi_pipeline.model.labels import Text

KEPT_DAYS: Final = 35
"""For so many days before the business date the standings of each day are kept."""

KEPT_MONTH_ENDS: Final = 13
"""So many month ends are kept: a bridge leads from each to the next."""

SINCE_LAST_DAY: Final = "last_day"
"""Name of the bridge from the last day before the business date that is kept to that date."""

SINCE_MONTH_END: Final = "month_end"
"""Name of the bridge from the last month end before the business date to that date. The name of a bridge from
one month end to the next is the month, `YYYY-MM`."""

BRIDGE_DIMENSIONS: Final = COLUMN_DIMENSIONS
"""The dimensions of whose single values there is a bridge each, besides that of everything."""


@dataclass(frozen=True, slots=True)
class BridgePart:
    """One way in which a figure changes.

    Attributes:
        name: Its key in the API and in addresses.
        label: Its name for readers.
        meaning: Which certificates are in it.
    """

    name: str
    label: Text
    meaning: Text


BRIDGE_PARTS: Final[tuple[BridgePart, ...]] = (
    BridgePart(
        "new",
        Text("Nuevos", "New"),
        Text(
            "Emitidos o registrados desde la primera fecha, o enviados desde entonces: también los que se "
            "reenviaron tras una devolución.",
            "Issued or recorded since the first date, or sent since then: also those sent again after a "
            "return.",
        ),
    ),
    BridgePart(
        "accepted",
        Text("Con conformidad", "Accepted"),
        Text(
            "El cliente dio la conformidad: cuenta el monto aprobado en vez del propuesto, y el plazo de "
            "pago corre desde ella.",
            "The client accepted: the approved amount counts in place of the proposed one, and the payment "
            "term runs from there.",
        ),
    ),
    BridgePart(
        "paid",
        Text("Pagados", "Paid"),
        Text("Pagados, del todo o en parte.", "Paid, in full or in part."),
    ),
    BridgePart(
        "returned",
        Text("Devueltos", "Returned"),
        Text("Devueltos por el cliente.", "Returned by the client."),
    ),
    BridgePart(
        "redated",
        Text("Con otra fecha de pago", "Re-dated"),
        Text(
            "Su vencimiento cambió: por eso pasaron a estar vencidos o dejaron de estarlo.",
            "Their due date changed: that is why they became overdue, or are no longer.",
        ),
    ),
    BridgePart(
        "time",
        Text("Vencidos por el paso del tiempo", "Turned overdue by time"),
        Text(
            "No cambiaron su monto ni su plazo: llegó su vencimiento y siguen impagos.",
            "Neither their amount nor their term changed: their due date passed, and they are still unpaid.",
        ),
    ),
    BridgePart(
        "aged_out",
        Text("Fuera del periodo", "Out of the period"),
        Text(
            "Su emisión quedó antes del periodo de la facturación, que avanza con la fecha.",
            "They were issued before the period of billing, which moves on with the date.",
        ),
    ),
    BridgePart(
        "cancelled",
        Text("Anulados o eliminados", "Canceled or removed"),
        Text("Anulados, o que ya no están en los datos.", "Canceled, or no longer in the data."),
    ),
    BridgePart(
        "corrected",
        Text("Corregidos", "Corrected"),
        Text(
            "Se corrigió su monto o su moneda, se deshizo un paso ya registrado o pasaron a otro cliente, "
            "proyecto o responsable.",
            "Their amount or currency was corrected, a recorded step was undone, or they moved to another "
            "client, project or person.",
        ),
    ),
    BridgePart(
        "definition",
        Text("Cambio de definición", "Definition changed"),
        Text(
            "Cambió el plazo de pago con el que se supone el vencimiento.",
            "The payment term from which due dates are assumed changed.",
        ),
    ),
)
"""The parts, in the order in which a bridge shows them."""

BILLING_PART: Final = BridgePart(
    "billing",
    Text("Facturación", "Billing"),
    Text(
        "Del DSO: lo que cambió por la facturación diaria del periodo, con las cuentas por cobrar de la "
        "última fecha. Las demás partes miden lo que cambió por las cuentas por cobrar, con la facturación "
        "diaria de la primera.",
        "Of DSO: what the daily billing of the period changed, at the receivables of the last date. The "
        "other parts measure what receivables changed, at the daily billing of the first.",
    ),
)
"""The part of DSO that comes from no receivable certificate, but from those of `BILLED`."""

BRIDGE_PART_BY_NAME: Final = {part.name: part for part in (*BRIDGE_PARTS, BILLING_PART)}


@dataclass(frozen=True, slots=True)
class BridgeFigure:
    """A figure that bridges explain: a sum over certificates as they stand on a day.

    Attributes:
        name: Its key in the API and in addresses.
        label: Its name for readers.
        meaning: What it sums.
        amount: The column that it sums.
        when: SQL condition on a certificate of which `{}` is the day's prefix: whether it is in the figure.
        standings: `LIST_STANDINGS` whose certificates make it up on the business date; none where no column
            of the list sums to it.
        moves: SQL conditions with the part of a certificate that meets it; the first that holds is its part.
            Where it left the figure's currency or filter, or came from another, it is corrected.
    """

    name: str
    label: Text
    meaning: Text
    amount: str
    when: str
    standings: tuple[str, ...]
    moves: tuple[tuple[str, str], ...]

    @property
    def parts(self) -> tuple[BridgePart, ...]:
        """The parts that it can have, in their order."""
        named = {part for _, part in self.moves} | {"corrected"}
        return tuple(part for part in BRIDGE_PARTS if part.name in named)


RECEIVABLE: Final = "receivable"
"""Names the figure whose parts are those of DSO too."""

BILLED: Final = "billed"
"""Names the figure by which DSO divides."""

RECEIVABLE_STANDINGS: Final = ("awaiting", "accepted")
"""How what the client owes stands on a day."""

_OWED: Final = str(RECEIVABLE_STANDINGS)
_AGREED: Final = "('accepted', 'paid')"
_CLAIMED: Final = "('awaiting', 'accepted', 'paid')"
_GONE: Final = ("c_certificate_id IS NULL OR c_standing = 'cancelled'", "cancelled")
_IS_NEW: Final = "o_certificate_id IS NULL"
_BACK: Final = ("o_standing = 'cancelled'", "corrected")
_STAYS: Final = "o_is_in AND c_is_in"
_COMES: Final = "NOT o_is_in"
_GOES: Final = "NOT c_is_in"
_PAID_MORE: Final = "abs(c_collected) > abs(o_collected)"
_ACCEPTED: Final = "o_standing = 'awaiting' AND c_standing = 'accepted'"
_OTHER_DUE: Final = "c_due_on IS DISTINCT FROM o_due_on"
_OTHER_TERM: Final = (
    "term_change <> 0 AND o_is_due_assumed AND c_is_due_assumed AND c_standing = o_standing "
    "AND c_due_on - o_due_on = term_change"
)
_STAYED: Final = ((f"{_STAYS} AND {_PAID_MORE}", "paid"), (f"{_STAYS} AND {_ACCEPTED}", "accepted"))
_LEFT: Final = (
    (f"{_GOES} AND c_standing = 'paid'", "paid"),
    (f"{_GOES} AND c_standing = 'returned'", "returned"),
)
_SENT: Final = (f"{_COMES} AND o_standing IN ('unsent', 'returned')", "new")
_SAME_ISSUE: Final = "c_issued_on = o_issued_on"
# Paid in advance, and issued since.
_ISSUED: Final = (f"{_COMES} AND {_SAME_ISSUE} AND o_issued_on > o_day", "new")
_BOTH_RECEIVABLE: Final = f"o_standing IN {_OWED} AND c_standing IN {_OWED}"

BRIDGE_FIGURES: Final[tuple[BridgeFigure, ...]] = (
    BridgeFigure(
        RECEIVABLE,
        Text("Por cobrar", "Receivable"),
        Text(
            "Saldos impagos de lo enviado o con conformidad.", "Unpaid balances of what is sent or accepted."
        ),
        "open",
        f"{{}}standing IN {_OWED} AND {{}}issued_on <= {{}}day",
        ("receivable",),
        (_GONE, (_IS_NEW, "new"), _BACK, *_STAYED, *_LEFT, _SENT, _ISSUED),
    ),
    BridgeFigure(
        "overdue",
        Text("Vencido", "Overdue"),
        Text("Saldos por cobrar cuyo vencimiento ya pasó.", "Receivables whose due date has passed."),
        "open",
        "{}is_overdue",
        ("overdue",),
        (
            _GONE,
            (_IS_NEW, "new"),
            _BACK,
            ("o_is_credit_note <> c_is_credit_note", "corrected"),
            *_STAYED,
            *_LEFT,
            _SENT,
            _ISSUED,
            (f"{_COMES} AND {_BOTH_RECEIVABLE} AND o_due_on < c_day", "time"),
            (f"{_BOTH_RECEIVABLE} AND o_is_in <> c_is_in AND {_OTHER_TERM}", "definition"),
            (f"{_GOES} AND {_ACCEPTED} AND c_is_due_assumed AND {_OTHER_DUE}", "accepted"),
            (f"{_BOTH_RECEIVABLE} AND o_is_in <> c_is_in AND {_OTHER_DUE}", "redated"),
        ),
    ),
    BridgeFigure(
        "approved",
        Text("Aprobado", "Approved"),
        Text("Todo lo aprobado por los clientes hasta la fecha.", "All that clients have approved to date."),
        "approved",
        f"{{}}standing IN {_AGREED}",
        ("approved",),
        (_GONE, _BACK, (_COMES, "accepted"), (f"{_GOES} AND c_standing = 'returned'", "returned")),
    ),
    BridgeFigure(
        "collected",
        Text("Cobrado", "Collected"),
        Text("Todo lo cobrado hasta la fecha.", "All that has been collected to date."),
        "collected",
        "{}collected <> 0",
        ("collected",),
        (
            _GONE,
            _BACK,
            (_COMES, "paid"),
            (f"{_STAYS} AND o_standing <> 'paid' AND {_PAID_MORE}", "paid"),
        ),
    ),
    BridgeFigure(
        BILLED,
        Text("Facturado en el periodo", "Billed in the period"),
        Text(
            "Lo emitido y enviado en el periodo del DSO, que termina en la fecha: el monto aprobado si hay "
            "conformidad, si no el propuesto.",
            "What is issued and sent in the period of DSO, which ends on the date: the approved amount once "
            "accepted, the proposed one until then.",
        ),
        "billed",
        f"{{}}standing IN {_CLAIMED} AND {{}}issued_on BETWEEN {{}}window_first AND {{}}day",
        # The list has two columns of it, proposed and approved, and sums neither of them to this.
        (),
        (
            _GONE,
            (_IS_NEW, "new"),
            _BACK,
            (f"{_GOES} AND {_SAME_ISSUE} AND c_issued_on < c_window_first", "aged_out"),
            (f"{_STAYS} AND o_standing = 'awaiting' AND c_standing IN {_AGREED}", "accepted"),
            (f"{_GOES} AND c_standing = 'returned'", "returned"),
            _SENT,
            _ISSUED,
        ),
    ),
)
"""The figures, in their order."""

DSO: Final = "dso"
"""Names the bridge of DSO: its parts are those of receivables, and `BILLING_PART`."""

DSO_LABEL: Final = Text("DSO", "DSO")
DSO_MEANING: Final = Text(
    "Cuentas por cobrar ÷ facturación del periodo × sus días. Cada parte de las cuentas por cobrar se divide "
    "por la facturación diaria de la primera fecha; la facturación explica el resto. Las décimas se reparten "
    "por el mayor resto, así lo que se ve suma.",
    "Receivables ÷ billing of the period × its days. Each part of receivables is divided by the daily "
    "billing of the first date; billing explains the rest. Tenths are allotted by the largest remainder, so "
    "that what is shown adds up.",
)

BRIDGE_FIGURE_BY_NAME: Final = {figure.name: figure for figure in BRIDGE_FIGURES}
