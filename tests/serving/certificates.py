"""A list of certificates as the pipeline publishes it with a generation of the dashboards."""

from collections.abc import Sequence
from datetime import date, timedelta
from functools import cache
from typing import Any

import pyarrow as pa

from kpi_pipeline.cache.certificate_blocks import pack_block
from kpi_pipeline.cache.certificate_index import INDEX, CertificateIndex, ShardEntry
from kpi_pipeline.cache.client_outlooks import pack_outlooks
from kpi_pipeline.cache.codec import encode
from kpi_pipeline.cache.publishing.publisher import Attachments
from kpi_pipeline.compute import evaluation_days
from kpi_pipeline.compute.forecasting.basis import ForecastBasis
from kpi_pipeline.compute.forecasting.forecast import OUTLOOK_SCHEMA
from kpi_pipeline.compute.listing.blocks import shard_rows
from kpi_pipeline.compute.listing.outlooks import client_outlooks, usual_alone
from kpi_pipeline.compute.listing.rows import listed_rows
from kpi_pipeline.compute.rollup.tables import STAGE_MEDIANS_SCHEMA, WORK_LISTS_SCHEMA
from kpi_pipeline.model.certificates import CERTIFICATE_SCHEMA
from kpi_pipeline.model.components import FORECAST_MONTHS
from kpi_pipeline.model.forecast import SURVIVAL_SCALE, ForecastReason, ForecastRule
from kpi_pipeline.model.listing import LISTED_WITH
from kpi_pipeline.model.thresholds import Thresholds
from tests.serving.payloads import CONSTRUCTORA, MINE

AS_OF = date(2024, 6, 28)
WINDOW_MONTHS = 12


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


COLLECTED = tuple(
    {
        **dict.fromkeys(WORK_LISTS_SCHEMA.names),
        "work_list": "collect_today",
        "place": evaluation_days.AS_OF,
        "client": client,
        "age_days": age,
        "why": f"overdue_{basis}",
        "further_days": further,
        "longer_payments": payments,
    }
    for client, age, further, payments, basis in (
        (MINE, 170, 300, 8, "client"),
        (CONSTRUCTORA, 87, 14, 4, "all"),
        (MINE, 87, 87, 1, "longest"),
    )
)
"""How much longer clients are expected to take with certificates 1, 9 and 10."""


def outlooks() -> tuple[str, bytes]:
    """What is usual and expected: a tenth of what is like certificate 1 is paid in each month ahead."""
    alike = {"client": MINE, "is_accepted": False, "age_days": 170, "survival_now": SURVIVAL_SCALE}
    unpaid = {
        f"survival_{month}": max(SURVIVAL_SCALE // 10 * (9 - month), 0) for month in range(FORECAST_MONTHS)
    } | {"survival_next": SURVIVAL_SCALE // 4 * 3}
    medians = [
        {"client": client, "stage": stage, "days": days, "count": count}
        for client, stage, days, count in (
            ("", "issue_to_sent", 3.0, 40),
            ("", "sent_to_conformity", 20.0, 40),
            (MINE, "issue_to_sent", 2.5, 12),
            (MINE, "sent_to_conformity", 9.0, 2),
        )
    ]
    basis = ForecastBasis(ForecastRule.MODEL, ForecastReason.MODEL_NOT_WORSE)
    return pack_outlooks(
        client_outlooks(
            pa.Table.from_pylist([alike | unpaid], schema=OUTLOOK_SCHEMA),
            pa.Table.from_pylist(medians, schema=STAGE_MEDIANS_SCHEMA),
            pa.Table.from_pylist(COLLECTED, schema=WORK_LISTS_SCHEMA),
            {"CLP": basis},
            AS_OF,
        )
    )


def list_of(
    rows: Sequence[dict[str, Any]], as_of: date = AS_OF, packed_outlooks: tuple[str, bytes] | None = None
) -> Attachments:
    """What a generation holds of a list.

    Args:
        rows: The certificates.
        as_of: The day.
        packed_outlooks: What is usual and expected; by default as of `outlooks`.
    """
    table = pa.Table.from_pylist(list(rows), schema=CERTIFICATE_SCHEMA)
    entries, frames = [], []
    for of_shard in shard_rows(listed_rows(table, as_of, Thresholds(), WINDOW_MONTHS)):
        name, frame = pack_block(of_shard)
        entries.append(ShardEntry(of_shard.month, of_shard.count, name, name))
        frames.append((name, frame))
    expected, frame = packed_outlooks or outlooks()
    index = CertificateIndex(tuple(entries), expected).as_dict()
    written = [(INDEX, encode(index, {"product": LISTED_WITH, "list": INDEX})), (expected, frame)]
    return Attachments([*written, *frames])


@cache
def usual_list() -> Attachments:
    """That of `CERTIFICATES`."""
    return list_of(CERTIFICATES)


def past_list(as_of: date) -> Attachments:
    """That of a month end: what is usual is known, and nothing is expected."""
    medians = [{"client": "", "stage": "issue_to_sent", "days": 3.0, "count": 40}]
    usual = usual_alone(pa.Table.from_pylist(medians, schema=STAGE_MEDIANS_SCHEMA))
    return list_of(CERTIFICATES, as_of, pack_outlooks(usual))
