"""The statement of account of every client on any day sums to what the oracle says it owes, item by item."""

from datetime import date
from typing import Any

import pyarrow.compute as pc
import pytest

from kpi_pipeline.audit.recomputation.certificate_states import CertificateState
from kpi_pipeline.audit.recomputation.standing import ACCEPTED, AWAITING
from kpi_pipeline.cache.open_items import OpenItem, OpenItemsDay, balances_of, items_in
from kpi_pipeline.compute.bridge import open_items as module
from kpi_pipeline.compute.bridge.open_items import open_items, owed_rows
from kpi_pipeline.compute.bridge.standings import standings
from kpi_pipeline.compute.listing.rows import DAY, listed_on_days
from kpi_pipeline.compute.months import month_end, month_of

from .both_ways import DEMO_DAY, WINDOW_MONTHS, BothWays

pytestmark = pytest.mark.slow

DAYS = [*(month_end(month_of(DEMO_DAY) - ago) for ago in (1, 2, 5, 13)), DEMO_DAY]


def statement(documents: list[tuple[str, dict[str, Any]]], client: str, day: date) -> list[OpenItem]:
    """The items of a client, from the document that the index names."""
    held = OpenItemsDay(day, None, "x", tuple(first for first, _ in documents))
    name = held.document_of(client)
    if name is None:
        return []
    return list(items_in(documents[held.documents.index(name)][1], client, day))


@pytest.mark.parametrize("most", [1, 2_000])
def test_every_client_on_every_day(demo: BothWays, monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    monkeypatch.setattr(module, "MOST_TOGETHER", most)
    listed = listed_on_days(demo.certificates, DAYS, demo.thresholds, WINDOW_MONTHS)
    clients = sorted({row["client"] for row in demo.rows})
    assert len(clients) > 5
    for place, day in enumerate(DAYS):
        documents = list(open_items(owed_rows(standings(listed.filter(pc.equal(listed[DAY], place))))))
        assert len(documents) == 1 or most == 1
        states = [CertificateState(row, day, demo.limits) for row in demo.rows]
        for client in clients:
            owed = [
                one
                for one in states
                if one.is_issued and one.standing in (AWAITING, ACCEPTED) and one.row["client"] == client
            ]
            items = statement(documents, client.upper(), day)
            assert sorted(
                (one.project, one.issued_on, one.due_on, one.open, one.days_overdue, one.is_due_assumed)
                for one in items
            ) == sorted(
                (
                    one.row["project"],
                    one.issued,
                    one.due,
                    one.outstanding,
                    one.overdue_days if one.is_overdue else None,
                    one.is_due_assumed,
                )
                for one in owed
            )
            assert [one.due_on for one in items] == sorted(one.due_on for one in items)
            for balance in balances_of(items, day):
                own = [one for one in owed if one.currency == balance.currency]
                assert balance.open == sum(one.outstanding for one in own)
                assert balance.overdue == sum(one.outstanding for one in own if one.is_overdue)
                for bucket, amount in balance.buckets.items():
                    assert amount == sum(one.outstanding for one in own if one.due_bucket == bucket)
                assert sum(balance.buckets.values()) == balance.open
            assert {one.currency for one in owed} == {one.currency for one in items}
