"""What is published of one certificate besides its row in the list: its milestones, stages and outlook."""

from dataclasses import dataclass
from typing import Final

from kpi_pipeline.model.forecast import SURVIVAL_SCALE
from kpi_pipeline.model.labels import LABELS, Kind, Text
from kpi_pipeline.model.states import Event

ISSUED: Final = "issued"
"""The milestone with which every certificate begins; the others are events."""

MILESTONES: Final = (ISSUED, *(event.value for event in Event))
"""The milestones, in the order in which those of one day come where no history says otherwise."""

MILESTONE_LABELS: Final[dict[str, Text]] = {
    ISSUED: Text("Emitido", "Issued"),
    Event.SENT.value: Text("Enviado al cliente", "Sent to the client"),
    Event.ACCEPTED.value: Text("Conformidad del cliente", "Accepted by the client"),
    Event.REJECTED.value: Text("Devuelto por el cliente", "Returned by the client"),
    Event.REWORK.value: Text("Retrabajo solicitado", "Rework requested"),
    Event.CANCELLED.value: Text("Anulado", "Canceled"),
    Event.PAID.value: Text("Pagado", "Paid"),
}


@dataclass(frozen=True, slots=True)
class DetailStage:
    """A stage on the way of a certificate to its payment.

    Attributes:
        name: Its key in the API.
        label: Its name for readers.
        done: SQL over the as-of view: days that it took; null while it is not over.
        running: SQL: days that it has taken so far; null where the certificate is not in it.
        until: SQL: the day on which it was over.
    """

    name: str
    label: Text
    done: str
    running: str
    until: str


_LABELS: Final = LABELS[Kind.STAGE]

DETAIL_STAGES: Final[tuple[DetailStage, ...]] = (
    DetailStage("issue_to_sent", _LABELS["issue_to_sent"], "sending_days", "unsent_days", "sent_by_day"),
    DetailStage(
        "sent_to_conformity",
        _LABELS["sent_to_conformity"],
        "acceptance_days",
        # Like the days that it took, from the first sending on, also of what was sent again.
        "CASE WHEN is_counted AND is_receivable AND NOT is_accepted THEN day - sent_by_day END",
        "conformity_by_day",
    ),
    DetailStage(
        "conformity_to_payment",
        _LABELS["conformity_to_payment"],
        "settling_days",
        "CASE WHEN is_counted AND is_receivable AND is_accepted THEN day - conformity_by_day END",
        "paid_by_day",
    ),
)
"""The stages, in their order. What is usual of one is the median of those over in the window."""

RETURN_STAGES: Final[tuple[DetailStage, ...]] = (
    DetailStage(
        "sent_to_return",
        Text("Envío a devolución", "Sent to return"),
        # Like the stage to acceptance, which it did not reach, from the first sending on.
        "CASE WHEN day - sent_by_day >= returned_days THEN day - sent_by_day - returned_days END",
        "NULL::BIGINT",
        "",
    ),
    DetailStage("correction", Text("En corrección", "In correction"), "NULL::BIGINT", "returned_days", ""),
)
"""The stages of what the client returned, until it is sent again; no date says how long others took."""

EVERY_STAGE: Final = (*DETAIL_STAGES, *RETURN_STAGES)

DETAIL_DAYS: Final = tuple(stage.name for stage in EVERY_STAGE)
"""Names of the stages, as of the columns that hold their days."""

RETAINED: Final = "retained"
"""The column of what the client retains."""

APPROVED_ASSUMED: Final = "approved_assumed"
"""The mark of a certificate whose approved amount is missing: the proposed one stands in."""

RUNNING_MARK: Final = "running_{}"
"""The mark of a certificate that is in a stage, by the stage's name."""

FEWEST_OWN: Final = 5
"""With fewer certificates that went through a stage, what is usual is that of all clients."""

LIKELY: Final = SURVIVAL_SCALE // 2
"""From this chance on payment is more likely than not."""

NEARLY_CERTAIN: Final = SURVIVAL_SCALE * 9 // 10
"""From this chance on payment is nearly certain."""
