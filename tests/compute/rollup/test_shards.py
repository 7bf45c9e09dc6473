"""What is merged from kept sums is what a roll-up of all rows gives, whatever has changed in between."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kpi_pipeline.compute.reconciliation import reconcile_sums
from kpi_pipeline.compute.rollup import shards as shards_module
from kpi_pipeline.compute.rollup.part_sums import BOUNDS, Sums, added_up
from kpi_pipeline.compute.rollup.rollup import RolledUp, roll_up_shards
from kpi_pipeline.compute.rollup.shard_sums import Definitions
from kpi_pipeline.compute.rollup.shards import Shard, ShardGroup, ShardSums, shards_of
from kpi_pipeline.compute.rollup.tables import ROLLUP_TABLES
from kpi_pipeline.model.thresholds import Thresholds
from tests.compute.rows import AS_OF, certificate, certificates, cost, cost_table, costs, table

Rows = dict[int, dict[str, Any]]


class Kept(dict[str, ShardSums]):
    """Sums in memory, for one set of definitions."""

    def __init__(self) -> None:
        super().__init__()
        self.computed: list[str] = []

    def put(self, digest: str, sums: ShardSums) -> None:
        if not digest.startswith(("bases", "alike", "list_sums")):
            self.computed.append(digest)
        self[digest] = sums


def rolled(claims: Rows, spent: Rows, as_of: date = AS_OF, kept: Kept | None = None) -> RolledUp:
    named = ({**row, "certificate_id": str(number)} for number, row in claims.items())
    numbered = ({**row, "cost_id": str(number)} for number, row in spent.items())
    shards = (
        shards_of(table(named), "issued_on", digests=True),
        shards_of(cost_table(numbered), "invoiced_on", digests=True),
    )
    return roll_up_shards(*shards, Definitions(as_of, Thresholds(), 12), kept)


def assert_equal(found: RolledUp, expected: RolledUp) -> None:
    for name, one, other in zip(ROLLUP_TABLES, found.rollup.tables(), expected.rollup.tables(), strict=True):
        # Rows of the others are in no order.
        order = list if name in ("rollup", "work_lists") else in_order
        assert order(plain(one)) == order(plain(other)), name
    assert found.rollup.forecast_bases == expected.rollup.forecast_bases
    assert sums_of(found) == sums_of(expected)
    assert reconcile_sums(found.totals, found.sums, lambda: found.rollup.cells) == []
    assert in_order(plain(found.totals)) == in_order(plain(expected.totals))


def sums_of(found: RolledUp) -> dict[str, Sums]:
    """What is reconciled, but for the sums of no amount: a part that has none of a kind does not name it."""
    sums = {
        of: {key: total for key, total in each.items() if total} for of, each in added_up(found.sums).items()
    }
    return {**sums, BOUNDS: {}}


def plain(rows: pa.Table) -> list[dict[str, Any]]:
    return rows.to_pylist()


def in_order(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=str)


def numbered(rows: Iterable[dict[str, Any]]) -> Rows:
    return dict(enumerate(rows))


edits = st.sampled_from(["insert", "update", "delete", "move", "rename", "cost", "day", "back"])


@settings(max_examples=5, deadline=None)
@given(
    st.lists(certificates(), min_size=1, max_size=6),
    st.lists(costs(), max_size=3),
    st.lists(st.tuples(edits, certificates(), costs()), min_size=1, max_size=3),
    st.sampled_from([0, 2, shards_module.GROUP_ROWS]),
)
def test_any_changes_give_what_a_full_roll_up_gives(claimed, spent_first, changes, group_rows) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shards_module, "GROUP_ROWS", group_rows)
        assert_changes_give_what_a_full_roll_up_gives(claimed, spent_first, changes)


def assert_changes_give_what_a_full_roll_up_gives(
    claimed: list[dict[str, Any]], spent_first: list[dict[str, Any]], changes: list[tuple[Any, ...]]
) -> None:
    claims, spent, as_of = numbered(claimed), numbered(spent_first), AS_OF
    kept: dict[date, Kept] = {}
    before = dict(claims)
    for edit, row, spending in changes:
        rolled(claims, spent, as_of, kept.setdefault(as_of, Kept()))
        at = max(claims, default=0)
        before, last = dict(claims), claims.get(at, row)
        if edit == "insert":
            claims[at + 1] = row
        elif edit == "delete":
            claims.pop(at, None)
        elif edit == "cost":
            spent[0] = spending
        elif edit == "day":
            as_of = as_of + timedelta(1)
        elif edit == "back":
            claims = before
        else:
            changed = {
                "update": row,
                "move": {**last, "issued_on": last["issued_on"] - timedelta(31)},
                "rename": {**last, "client": "C"},
            }
            claims[at] = changed[edit]
    assert_equal(rolled(claims, spent, as_of, kept.setdefault(as_of, Kept())), rolled(claims, spent, as_of))


def test_months_of_few_rows_are_summed_together() -> None:
    def groups(**rows: int) -> list[list[int]]:
        found = shards_module.grouped([shard_of(month, count) for month, count in rows.items()])
        return [[shard.month for shard in group.shards] for group in found]

    def shard_of(month: str, count: int) -> Shard:
        year, number = map(int, month.removeprefix("m").split("_"))
        return Shard(year * 12 + number - 1, count, f"{month}-{count}", lambda: table([]))

    a, b, c, d = (2023 * 12 + month for month in (10, 11, 12, 14))
    assert groups() == []
    assert groups(m2023_11=1, m2023_12=1, m2024_01=1) == [[a, b], [c]]
    most = shards_module.GROUP_ROWS
    assert groups(m2023_11=1, m2023_12=most - 1, m2024_01=1, m2024_03=most) == [[a, b], [c], [d]]
    assert groups(m2024_01=most - 1, m2024_03=1, m2024_04=1) == [[c, d], [d + 1]]
    assert groups(m2023_11=most + 1, m2023_12=1) == [[a], [b]]


def test_a_group_is_named_by_the_rows_of_all_its_shards() -> None:
    def digest(*digests: str | None) -> str | None:
        shards = [Shard(24_000 + at, 1, one, lambda: table([])) for at, one in enumerate(digests)]
        return ShardGroup(tuple(shards)).digest

    assert digest("a") == "a"
    assert digest("a", None) is digest(None) is None
    assert len({digest("a", "b"), digest("a", "c"), digest("b", "a"), digest("a", "b", "c")}) == 4


@pytest.fixture
def by_month(monkeypatch: pytest.MonkeyPatch) -> None:
    """Months of many rows, which are summed by themselves."""
    monkeypatch.setattr(shards_module, "GROUP_ROWS", 0)


def test_only_shards_that_have_changed_are_summed_again(by_month) -> None:
    claims = numbered(certificate(day) for day in ("2024-01-05", "2024-01-06", "2024-02-05"))
    spent, kept = numbered([cost("2024-01-31")]), Kept()
    rolled(claims, spent, kept=kept)
    assert len(kept.computed) == 3
    claims[0] = {**claims[0], "amount_proposed": 7}
    rolled(claims, spent, kept=kept)
    assert len(kept.computed) == 4
    claims[0] = {**claims[0], "amount_proposed": 100}
    assert_equal(rolled(claims, spent, kept=kept), rolled(claims, spent))
    assert len(kept.computed) == 4


def test_the_order_of_rows_and_the_batches_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    days = ("2024-01-05", "2023-11-06", "2024-02-05", "2024-01-05")
    claims = numbered(certificate(day, client=name) for day, name in zip(days, "ABAB", strict=True))
    spent = numbered([cost("2024-01-31"), cost("2023-12-31")])
    expected = rolled(claims, spent)
    monkeypatch.setattr(shards_module, "BATCH_ROWS", 1)
    assert_equal(rolled(dict(reversed(claims.items())), dict(reversed(spent.items()))), expected)


def test_the_forecasts_basis_is_kept_as_long_as_what_it_follows_from_is_the_same() -> None:
    issued = [AS_OF - timedelta(30 * months) for months in range(2, 60) for _ in range(3)]
    claims = numbered(
        certificate(day, "pagado", sent_on=str(day), conformity_on=str(day + timedelta(9)))
        | {"paid_on": day + timedelta(20 + at % 50)}
        for at, day in enumerate(issued)
    )
    kept = Kept()
    first = rolled(claims, {}, kept=kept)
    assert first.rollup.forecast_bases["CLP"].test is not None
    for day, bases in ((AS_OF, 1), (AS_OF - timedelta(400), 2)):
        claims[max(claims) + 1] = certificate(day, sent_on=str(day))
        expected = rolled(claims, {})
        for _ in range(2):
            assert_equal(rolled(claims, {}, kept=kept), expected)
        assert sum(digest.startswith("bases") for digest in kept) == bases


def test_lists_and_outlooks_are_kept_as_long_as_what_they_follow_from_is_the_same(by_month) -> None:
    days = [AS_OF - timedelta(30 * months) for months in range(1, 8) for _ in range(3)]
    claims = numbered(
        certificate(day, ("pagado", "enviado", "revision")[at % 3], client="AB"[at % 2], sent_on=str(day))
        | ({"paid_on": day + timedelta(20), "conformity_on": day} if at % 3 == 0 else {})
        for at, day in enumerate(days)
    )
    kept, names = Kept(), []

    def again(at: int, **changes: Any) -> None:
        claims[at] = {**claims[at], **changes}
        expected, found = rolled(claims, {}), rolled(claims, {}, kept=kept)
        assert_equal(found, expected)
        (listed,) = found.parts.of("work_lists")
        followed = [digest for digest in kept if digest.startswith("alike")]
        names.append((listed.name, len(followed)))

    # Paid and not in any list; in a list, of a larger amount; paid now.
    for at, changes in (
        (0, {}),
        (0, {"amount_proposed": 77}),
        (1, {"amount_proposed": 99_000}),
        (1, {"state": "pagado", "paid_on": days[1] + timedelta(9), "conformity_on": days[1]}),
    ):
        again(at, **changes)
    (first, one), (same, still), (larger, _), (paid, more) = names
    assert first == same
    assert one == still == 1
    assert len({first, larger, paid}) == 3
    assert more > 1
