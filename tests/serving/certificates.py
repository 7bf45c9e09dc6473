"""A list of certificates as the pipeline publishes it with a generation of the dashboards."""

from collections.abc import Sequence
from datetime import date, timedelta
from functools import cache
from typing import Any

import pyarrow as pa

from kpi_pipeline.cache.certificate_blocks import INDEX, CertificateIndex, ShardEntry, pack_block
from kpi_pipeline.cache.codec import encode
from kpi_pipeline.cache.publishing.publisher import Attachments
from kpi_pipeline.compute.listing.blocks import shard_rows
from kpi_pipeline.compute.listing.rows import listed_rows
from kpi_pipeline.model.certificates import CERTIFICATE_SCHEMA
from kpi_pipeline.model.listing import LISTED_WITH
from kpi_pipeline.model.thresholds import Thresholds
from tests.serving.payloads import CONSTRUCTORA, MINE

AS_OF = date(2024, 6, 28)


def certificate(number: int, state: str, issued_on: date, proposed: int, **others: Any) -> dict[str, Any]:
    """A certificate of the project P-001 in pesos."""
    return {
        **dict.fromkeys(CERTIFICATE_SCHEMA.names),
        "certificate_id": f"P-001/{number}",
        "client": MINE,
        "project": "P-001",
        "project_manager": "sin asignar",
        "administrator": "María Pérez",
        "project_type": "Ingeniería",
        "state": state,
        "month": issued_on.replace(day=1),
        "issued_on": issued_on,
        "currency": "CLP",
        "amount_proposed": proposed,
        "amount_approved": proposed,
        "approved_assumed": False,
        "rework_count": 0,
        "rejection_count": 0,
        **others,
    }


def sent(number: int, issued_on: date, proposed: int, **others: Any) -> dict[str, Any]:
    """One that was sent two days after its issue."""
    return certificate(number, "enviado", issued_on, proposed, sent_on=issued_on + timedelta(2), **others)


CERTIFICATES = (
    sent(1, date(2024, 1, 10), 12_345_678),
    sent(2, date(2024, 6, 1), 2_000_000, client=CONSTRUCTORA),
    sent(9, date(2024, 4, 2), 700, client=CONSTRUCTORA, expected_payment_on=date(2024, 6, 27)),
    sent(10, date(2024, 4, 2), 5_000_000, currency="USD"),
    certificate(11, "revision", date(2024, 6, 20), 40_000_000),
    certificate(
        12,
        "pagado",
        date(2024, 2, 1),
        9_000_000,
        **{
            "sent_on": date(2024, 2, 3),
            "conformity_on": date(2024, 2, 20),
            "paid_on": date(2024, 3, 1),
            "amount_approved": 8_000_000,
        },
    ),
    certificate(13, "anulado", date(2024, 3, 5), 1_000_000),
    sent(14, date(2024, 5, 5), -300_000),
)
"""Of two clients and two currencies: overdue, in revision, paid, cancelled, and a credit note."""


def list_of(rows: Sequence[dict[str, Any]]) -> Attachments:
    """What a generation holds of a list."""
    table = pa.Table.from_pylist(list(rows), schema=CERTIFICATE_SCHEMA)
    entries, frames = [], []
    for of_shard in shard_rows(listed_rows(table, AS_OF, Thresholds())):
        name, frame = pack_block(of_shard)
        entries.append(ShardEntry(of_shard.month, of_shard.count, name, name))
        frames.append((name, frame))
    index = encode(CertificateIndex(tuple(entries)).as_dict(), {"product": LISTED_WITH, "list": INDEX})
    return Attachments([(INDEX, index), *frames])


@cache
def usual_list() -> Attachments:
    """That of `CERTIFICATES`."""
    return list_of(CERTIFICATES)
