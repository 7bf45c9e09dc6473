"""The published list of certificates is the oracle's: each page, its order, and what it sums to."""

from calendar import monthrange
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import product
from pathlib import Path

import pytest

from kpi_pipeline.assets.month_ends import certificate_lists
from kpi_pipeline.assets.month_ends.certificate_lists import MonthEndLists
from kpi_pipeline.audit.recomputation import work_lists
from kpi_pipeline.cache.certificate_blocks import Block, pack_block, read_block
from kpi_pipeline.cache.client_outlooks import ClientOutlooks, pack_outlooks, read_outlooks
from kpi_pipeline.cache.reading.listing.certificates import find_in, is_marked, milestones_of, value_of
from kpi_pipeline.cache.reading.listing.expected import expecting
from kpi_pipeline.cache.reading.listing.matching import matches_in, totals_of
from kpi_pipeline.cache.reading.listing.query import MOST_URGENT, DayRange, Order, Selection
from kpi_pipeline.cache.reading.listing.sorting import Row, all_rows, rows_in
from kpi_pipeline.cache.reading.listing.urgency import urgent
from kpi_pipeline.compute.listing.blocks import shard_rows
from kpi_pipeline.compute.listing.outlooks import client_outlooks
from kpi_pipeline.compute.listing.rows import listed_rows
from kpi_pipeline.compute.payloads import payloads
from kpi_pipeline.model.ageing import AGEING_BUCKETS
from kpi_pipeline.model.certificate_details import DETAIL_DAYS, FEWEST_OWN, RETAINED, RUNNING_MARK
from kpi_pipeline.model.filters import EVERYTHING, Filter
from kpi_pipeline.model.list_standings import LIST_STANDINGS
from kpi_pipeline.model.listed_figures import (
    LISTED_CHARTS,
    LISTED_COLUMNS,
    LISTED_KPIS,
    LISTED_LINES,
    LISTED_REASONS,
    ListedFigure,
)
from kpi_pipeline.model.listed_work import LISTED_WORK
from kpi_pipeline.model.listing import LIST_COLUMN_NAMES, LIST_EVENTS, LISTED_WITH, REASON_COLUMNS
from kpi_pipeline.resources.stored_tables import StoredTable, write_packed
from kpi_pipeline.sources.provenance import Provenance

from . import listing
from .both_ways import DEMO_DAY, WINDOW_MONTHS, BothWays, each_of_its_own_clients
from .standing_rows import COME_AND_GONE, STANDING_ROWS
from .test_forecast import LAST, many_certificates

pytestmark = pytest.mark.slow

ORDERS = tuple(f"{sign}{name}" for name, sign in product(LIST_COLUMN_NAMES, ("", "-")))


def blocks_of(both: BothWays, as_of: date) -> list[Block]:
    """The list as it is published and read."""
    rows = shard_rows(listed_rows(both.certificates, as_of, both.thresholds, WINDOW_MONTHS))
    return [read_block(pack_block(of_shard)[1]) for of_shard in rows]


def values(rows: Sequence[Row]) -> list[dict[str, object]]:
    return [{name: value_of(row, name) for name in LIST_COLUMN_NAMES} for row in rows]


def assert_same(
    both: BothWays,
    as_of: date,
    selections: list[Selection],
    orders: Sequence[str],
    blocks: list[Block] | None = None,
) -> None:
    """Selections, their sums, and all their pages in some orders."""
    blocks = blocks_of(both, as_of) if blocks is None else blocks
    rows = listing.listed(both.oracle(as_of))
    for selection in selections:
        days = [(one.event, one.first, one.last) for one in selection.days]
        chosen = listing.selected(
            rows,
            selection.filter.as_dict(),
            selection.standings,
            selection.search,
            days,
            selection.currency,
            selection.reasons,
        )
        matches = [found for block in blocks if (found := matches_in(block, selection)) is not None]
        totals = totals_of(matches, selection)
        assert totals.count == len(chosen)
        assert totals.credit_notes == sum(
            row.one.proposed < 0 and row.one.standing != "cancelled" for row in chosen
        )
        in_use = {code: sums for code, sums in totals.amounts.items() if any(sums.values())}
        assert in_use == {code: sums for code, sums in listing.sums(chosen).items() if any(sums.values())}
        for order in orders:
            expected = [row.values for row in listing.in_order(chosen, order)]
            assert values(list(all_rows(matches, Order.of(order)))) == expected, order
            for offset in {0, len(chosen) // 2, max(len(chosen) - 7, 0), len(chosen)}:
                page = rows_in(matches, Order.of(order), offset, 7)
                assert values(page) == expected[offset : offset + 7], (order, offset)


@pytest.fixture(scope="module")
def come_and_gone() -> BothWays:
    return BothWays.of_certificates(each_of_its_own_clients(STANDING_ROWS))


def test_every_order_of_everything(demo: BothWays) -> None:
    assert_same(demo, DEMO_DAY, [Selection()], ORDERS)


def test_filters_standings_and_searches(demo: BothWays) -> None:
    values = demo.cube(DEMO_DAY).frame.values
    filters = [
        *(Filter.of({name: held[len(held) // 2]}) for name, held in values.items()),
        *(Filter.of({name: held[:2]}) for name, held in values.items()),
        Filter.of({"client": values["client"][:3], "state": ["pagado", "validado"]}),
        Filter.of({"client": "nobody"}),
    ]
    standings = [(standing.name,) for standing in LIST_STANDINGS] + [("unsent", "returned")]
    searches = ["MINERA", "  ingenieria  de ", "1", "ot-10 2", values["client"][0], "nobody"]
    selections = [
        *(Selection(one) for one in filters),
        *(Selection(standings=names) for names in standings),
        *(Selection(search=text) for text in searches),
        *(Selection(one, ("receivable",), "a") for one in filters[:4]),
    ]
    assert_same(demo, DEMO_DAY, selections, ["-days_late", "number", "-open"])


@pytest.mark.parametrize("scanned", [0, 2])
def test_few_rows_of_a_block_are_sorted(
    scanned: int, demo: BothWays, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As in blocks of which not all rows are gone through.
    monkeypatch.setattr("kpi_pipeline.cache.reading.listing.sorting._SCANNED", scanned)
    monkeypatch.setattr("kpi_pipeline.cache.reading.listing.sorting._SPARSE", 1)
    values = demo.cube(DEMO_DAY).frame.values
    few = [
        Filter.of({"client": held, "state": state}) for held in values["client"][:3] for state in ("pagado",)
    ]
    selections = [
        *(Selection(one) for one in few),
        Selection(search="10"),
        Selection(standings=("returned",)),
    ]
    assert_same(demo, DEMO_DAY, selections, ORDERS)


def test_reasons_of_return_and_kinds_of_failure(demo: BothWays) -> None:
    client = Filter.of({"client": demo.cube(DEMO_DAY).frame.values["client"][0]})
    rows = listing.listed(demo.oracle(DEMO_DAY))
    for name, column in REASON_COLUMNS.items():
        given = sorted({row.values[column] for row in rows if row.values[column]})
        assert len(given) > 2
        texts = (*given, "none of these", given[-1].upper())
        selections = [Selection(reasons=((name, text),)) for text in texts]
        both = tuple((one, given[-1]) for one in REASON_COLUMNS)
        selections.append(Selection(reasons=both))
        selections.append(Selection(client, ("returned",), "a", reasons=((name, given[-1]),), currency="CLP"))
        assert_same(demo, DEMO_DAY, selections, ["-open", column])

    # What tables say of a reason is what its list sums to.
    blocks, cube, compared = blocks_of(demo, DEMO_DAY), demo.cube(DEMO_DAY), set[tuple[str, str]]()
    filters = [EVERYTHING, Filter.of({"month": "2024-03"}), *cube.candidate_filters()[1::23]]
    for requested, data in payloads("charts", [cube.select(filters)]):
        is_cohort = any(name == "month" for name, _ in requested.terms)
        for (table, column), of_reason in LISTED_REASONS.items():
            listed = of_reason.of_cohort if is_cohort else of_reason.listed
            for row in data["tables"][table]:
                chosen = Selection(
                    requested,
                    (listed.standing,),
                    currency=row["currency"],
                    reasons=((of_reason.reason, row[of_reason.named_by]),),
                )
                found = amount_of(blocks, chosen, listed.sums, row["currency"])
                assert found == row[column], (table, column, row, requested)
                compared.add((table, column))
    assert compared == LISTED_REASONS.keys()


def test_days_of_events(demo: BothWays) -> None:
    year, day = date(DEMO_DAY.year - 1, DEMO_DAY.month, DEMO_DAY.day), timedelta(1)
    ranges = [
        *(DayRange(event.name, year + day, DEMO_DAY) for event in LIST_EVENTS),
        *(DayRange(event.name, last=year) for event in LIST_EVENTS),
        DayRange("paid", DEMO_DAY - 40 * day, DEMO_DAY - 40 * day),
        DayRange("accepted", DEMO_DAY + day),
    ]
    selections = [
        *(Selection(days=(one,)) for one in ranges),
        *(Selection(standings=("paid", "accepted"), search="a", days=(one,)) for one in ranges),
        Selection(days=(ranges[0], ranges[2])),
    ]
    assert_same(demo, DEMO_DAY, selections, ["-days_late", "-collected"])


@pytest.mark.parametrize("as_of", COME_AND_GONE, ids=str)
def test_certificates_with_all_that_can_befall_them(come_and_gone: BothWays, as_of: date) -> None:
    standings = [Selection(standings=(standing.name,)) for standing in LIST_STANDINGS]
    currencies = [Selection(standings=("approved",), currency=code) for code in ("CLP", "USD", "XXX")]
    assert_same(come_and_gone, as_of, [Selection(), *standings, *currencies], ["-open", "due_on"])


@pytest.mark.parametrize("as_of", [date(2024, 5, 31), date(2023, 6, 30)], ids=str)
def test_the_lists_that_month_ends_hold(
    demo: BothWays, as_of: date, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, origin = tmp_path / "certificates.arrow", Provenance(1, 1.0, "sqlite://", "edp", None)
    write_packed(demo.certificates, path)
    lists = MonthEndLists(StoredTable((path,), origin), demo.thresholds, WINDOW_MONTHS)
    of_day = demo.rollup(as_of).stage_medians
    found = lists.of(LISTED_WITH, as_of, of_day, origin)
    assert found is not None
    blocks = [read_block(found.frames[entry.block]) for entry in found.entries]
    standings = [Selection(standings=(standing.name,)) for standing in LIST_STANDINGS]
    assert_same(demo, as_of, [Selection(), *standings], ["-days_late", "number"], blocks)
    # Only the product that lists go with has one, and a source of as many certificates as there may be.
    assert lists.of("kpis", as_of, of_day, origin) is None
    count = demo.certificates.num_rows
    monkeypatch.setattr(certificate_lists, "MOST_LISTED", count)
    assert lists.of(LISTED_WITH, as_of, of_day, origin) == found
    monkeypatch.setattr(certificate_lists, "MOST_LISTED", count - 1)
    assert lists.of(LISTED_WITH, as_of, of_day, origin) is None


def test_before_the_first_is_issued_there_is_none(demo: BothWays) -> None:
    assert blocks_of(demo, date(2000, 1, 1)) == []


def test_pages_far_from_both_ends(demo: BothWays, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their place is searched for, not counted up to."""
    monkeypatch.setattr("kpi_pipeline.cache.reading.listing.sorting._MERGED", 0)
    monkeypatch.setattr("kpi_pipeline.cache.reading.listing.sorting._WINDOW", 4)
    selections = [Selection(), Selection(standings=("paid",)), Selection(search="minera")]
    assert_same(demo, DEMO_DAY, selections, ORDERS)


def amount_of(blocks: Sequence[Block], selection: Selection, sums: str, currency: str | None) -> int:
    """What a list sums to, as a figure of it says."""
    matches = [found for block in blocks if (found := matches_in(block, selection)) is not None]
    totals = totals_of(matches, selection)
    if not sums:
        return totals.count - totals.credit_notes
    return totals.amounts.get(currency or "", {}).get(sums, 0)


@pytest.mark.parametrize("as_of", COME_AND_GONE[1:3], ids=str)
def test_what_a_figure_says_is_what_its_list_sums_to(come_and_gone: BothWays, as_of: date) -> None:
    """Of filters that are always published, every such KPI and every such column of tables."""
    blocks, cube = blocks_of(come_and_gone, as_of), come_and_gone.cube(as_of)
    assert {"receivable", "overdue", "critical", "overdue_count", "proposed", "approved", "paid"} <= set(
        LISTED_KPIS
    )
    assert {"high_amount_count", "approved_assumed_count"} <= set(LISTED_KPIS)
    first = cube.frame.days.window_first(as_of)

    def selected(listed: ListedFigure, requested: Filter) -> Selection:
        is_cohort = any(name == "month" for name, _ in requested.terms)
        days = (DayRange(listed.event, None if is_cohort else first, as_of),) if listed.event else ()
        return Selection(requested, (listed.standing,), days=days)

    filters = cube.candidate_filters()[::7]
    for requested, data in payloads("kpis", [cube.select(filters)]):
        for name, listed in LISTED_KPIS.items():
            for value in data["kpis"][name]:
                found = amount_of(blocks, selected(listed, requested), listed.sums, value.get("currency"))
                assert found == value["value"], (name, requested)
    compared: set[tuple[str, str]] = set()
    for requested, data in payloads("charts", [cube.select(filters[:40])]):
        for (table, column), (dimension, listed) in LISTED_COLUMNS.items():
            for row in data["tables"].get(table, ()):
                name = row.get(dimension) or row.get("value")
                narrowed = Filter.of({**requested.as_dict(), dimension: [name]}) if name else None
                if narrowed is not None and row[column]:
                    chosen = replace(selected(listed, narrowed), currency=row["currency"])
                    found = amount_of(blocks, chosen, listed.sums, row["currency"])
                    assert found == row[column], (table, column, row, requested)
                    compared.add((table, column))
    assert ("project_managers", "receivable") in compared
    for requested, data in payloads("financials", [cube.select(filters[:40])]):
        others = {name: values for name, values in requested.as_dict().items() if name != "month"}
        months = data["statement"]["months"]
        for line, (name, listed) in product(data["statement"]["lines"], LISTED_LINES.items()):
            (total,) = (one for one in data["totals"] if one["currency"] == line["currency"])
            stretches = [*zip(months, months, line[name], strict=True), (months[0], months[-1], total[name])]
            for begin, end, amount in stretches:
                days = (DayRange(listed.event, days_of(begin, as_of)[0], days_of(end, as_of)[1]),)
                selection = Selection(Filter.of(others), (listed.standing,), days=days)
                assert amount_of(blocks, selection, listed.sums, line["currency"]) == amount, (name, begin)


def days_of(month: str, as_of: date) -> tuple[date, date]:
    """The first and the last day of a month so far."""
    begin = date.fromisoformat(f"{month}-01")
    return begin, min(begin.replace(day=monthrange(begin.year, begin.month)[1]), as_of)


def outlooks_of(both: BothWays, as_of: date) -> ClientOutlooks:
    """What is expected of clients, as it is published and read."""
    tables = both.rollup(as_of)
    packed = pack_outlooks(
        client_outlooks(
            tables.outlooks, tables.stage_medians, tables.work_lists, tables.forecast_bases, as_of
        )
    )
    return read_outlooks(packed[1])


def assert_expected_same(both: BothWays, as_of: date, filters: Sequence[Filter]) -> set[str]:
    """Every forecast month is the sum of its list, and each certificate has its part of it.

    Returns:
        The rules that were shown.
    """
    outlooks, oracle, rules = outlooks_of(both, as_of), both.oracle(as_of), set[str]()
    rows, blocks = listing.listed(oracle), blocks_of(both, as_of)
    answers = dict(payloads("financials", [both.cube(as_of).select(filters)]))
    for place, month in list(enumerate(outlooks.stretches))[::4]:
        expecting_blocks = [expecting(block, outlooks, month) for block in blocks]
        of_oracle = listing.with_expected(oracle, rows, month)
        for requested, data in answers.items():
            selection = Selection(requested, expected=month)
            matches = [
                found for block in expecting_blocks if (found := matches_in(block, selection)) is not None
            ]
            totals = totals_of(matches, selection)
            chosen = listing.selected(of_oracle, requested.as_dict())
            assert totals.count == len(chosen)
            for line in data["forecast"]["lines"]:
                rules.add(line["basis"]["rule"])
                soon = {one["currency"]: one["amount"] for one in data["expected"]}
                by_stretch = [*line["expected"], soon.get(line["currency"])]
                published = (by_stretch[place] or 0, month)
                assert (
                    totals.amounts.get(line["currency"], {}).get("expected", 0),
                    month,
                ) == published, requested
            for order in ("-expected", "expected", "-open"):
                expected = [
                    (row.values["number"], row.values["expected"]) for row in listing.in_order(chosen, order)
                ]
                found_rows = list(all_rows(matches, Order.of(order)))
                assert [
                    (value_of(row, "number"), value_of(row, "expected")) for row in found_rows
                ] == expected
    return rules


def test_what_is_expected_in_a_month_is_what_its_list_sums_to(demo: BothWays) -> None:
    filters = [Filter.of({}), *demo.cube(DEMO_DAY).candidate_filters()[1::17]]
    assert "model" in assert_expected_same(demo, DEMO_DAY, filters)


def test_so_it_is_by_the_naive_rule() -> None:
    both = BothWays.of_certificates(many_certificates(1))
    filters = [Filter.of({}), *both.cube(LAST).candidate_filters()[1::11]]
    assert assert_expected_same(both, LAST, filters) == {"model", "naive"}


def assert_urgent_same(both: BothWays, as_of: date, filters: Sequence[Filter]) -> int:
    """Every work list in full says of each certificate what the rows say, and begins with its table.

    Returns:
        How many certificates the longest one had.
    """
    outlooks, oracle, longest = outlooks_of(both, as_of), both.oracle(as_of), 0
    naive = {"collect_today": work_lists.to_collect, "correct_and_resend": work_lists.to_correct}
    answers = list(payloads("dashboards", [both.cube(as_of).select(filters)]))
    for name, listed in LISTED_WORK.items():
        blocks = [urgent(block, outlooks, name) for block in blocks_of(both, as_of)]
        columns = [column.name for column in listed.columns]
        for requested, data in answers:
            selection = Selection(requested, work_list=name)
            matches = [found for block in blocks if (found := matches_in(block, selection)) is not None]
            rows = list(all_rows(matches, MOST_URGENT))
            assert totals_of(matches, selection).count == len(rows)
            longest = max(longest, len(rows))
            found = {
                (value_of(row, "project"), value_of(row, "number")): tuple(
                    value_of(row, column) for column in ("currency", "open", *columns)
                )
                for row in rows
            }
            expected = naive[name](oracle.variant(requested.as_dict()))
            assert found == {
                (one["project"], one["certificate_id"].removeprefix(f"{one['project']}/")): tuple(
                    one[column] for column in ("currency", "amount", *columns)
                )
                for one in expected
            }
            keys = [
                tuple(value_of(row, column) for column in ("currency", "urgency", "open")) for row in rows
            ]
            assert keys == sorted(keys, reverse=True)
            for currency in {key[0] for key in keys}:
                published = [
                    (row["urgency"], row["amount"])
                    for row in data["tables"][name]
                    if row["currency"] == currency
                ]
                assert published == [key[1:] for key in keys if key[0] == currency][: len(published)]
    return longest


def test_a_work_list_in_full_is_what_the_rows_say(demo: BothWays) -> None:
    filters = [Filter.of({}), *demo.cube(DEMO_DAY).candidate_filters()[1::17]]
    assert assert_urgent_same(demo, DEMO_DAY, filters)


def test_a_work_list_is_longer_than_its_table() -> None:
    both = BothWays.of_certificates(many_certificates(1))
    assert assert_urgent_same(both, LAST, [Filter.of({})]) > work_lists.TOP


@pytest.mark.parametrize("as_of", COME_AND_GONE[1:3], ids=str)
def test_so_it_is_of_certificates_that_come_and_go(come_and_gone: BothWays, as_of: date) -> None:
    assert assert_urgent_same(come_and_gone, as_of, come_and_gone.cube(as_of).candidate_filters()[::5])


@pytest.mark.parametrize("as_of", COME_AND_GONE[1:3], ids=str)
def test_what_a_chart_says_is_what_its_lists_sum_to(come_and_gone: BothWays, as_of: date) -> None:
    blocks, cube = blocks_of(come_and_gone, as_of), come_and_gone.cube(as_of)
    window = cube.frame.days.window_first(as_of)
    ages = {label: (first, last) for label, first, last in AGEING_BUCKETS}
    compared: set[tuple[str, str]] = set()
    filters = cube.candidate_filters()[::5]
    products = ("dashboards", "charts", "financials")
    for requested, data in (pair for name in products for pair in payloads(name, [cube.select(filters)])):
        for (chart, column), series in LISTED_CHARTS.items():
            columns = data["charts"].get(chart, {}).get("columns", {})
            for values in zip(*columns.values(), strict=True):
                row = dict(zip(columns, values, strict=True))
                listed = series.lists.get(row[series.by]) if series.by else series.listed
                if listed is None or listed.sums == "expected":
                    continue  # these have a test of their own
                if not row[column] or (series.dimension and not row[series.dimension]):
                    continue
                terms, days = requested.as_dict(), []
                if series.month:
                    terms.pop("month", None)
                    days.append(DayRange(listed.event, *days_of(row[series.month], as_of)))
                elif listed.event:
                    days.append(DayRange(listed.event, None if "month" in terms else window, as_of))
                if series.dimension:
                    terms[series.dimension] = [row[series.dimension]]
                if series.ages:
                    first, last = ages[row[series.ages]]
                    begin = None if last is None else as_of - timedelta(last)
                    days.append(DayRange("issued", begin, as_of - timedelta(first)))
                chosen = Selection(Filter.of(terms), (listed.standing,), "", tuple(days), row["currency"])
                found = amount_of(blocks, chosen, listed.sums, row["currency"])
                assert found == row[column], (chart, column, row, requested)
                compared.add((chart, column))
    assert compared >= set(LISTED_CHARTS) - {("margin_by_project", "revenue")}


def assert_details_same(both: BothWays, as_of: date) -> None:
    """Milestones and stages of every certificate, and what is usual and expected."""
    oracle = both.oracle(as_of)
    outlooks = outlooks_of(both, as_of)
    rows = [(block, at) for block in blocks_of(both, as_of) for at in range(block.count)]
    found = {(value_of(row, "project"), value_of(row, "number")): row for row in rows}
    expected = listing.listed(oracle)
    assert len(found) == len(expected)
    for one in expected:
        row, state = found[one.values["project"], one.values["number"]], one.one
        assert milestones_of(row) == listing.milestones(state)
        stages = {name: days for name in DETAIL_DAYS if (days := value_of(row, name)) is not None}
        of_oracle = listing.stages(state)
        assert stages == {name: days for name, (days, _) in of_oracle.items()}
        # From issue to today no day of what was sent and returned is in no stage.
        if {"issue_to_sent", "correction"} <= stages.keys() and state.returned_on >= state.sent:
            assert sum(stages.values()) == state.age
        running = {name for name in DETAIL_DAYS if is_marked(row, RUNNING_MARK.format(name))}
        assert running == {name for name, (_, is_running) in of_oracle.items() if is_running}
        assert value_of(row, RETAINED) == (0 if state.standing == "cancelled" else state.withheld)
        if state.is_receivable and state.is_issued:
            chances = outlooks.chances(
                state.values["client"], state.currency, state.age, is_accepted=state.is_accepted
            )
            told = (chances.rule, chances.reason, chances.shares, chances.next_days)
            assert told == listing.chances(oracle, state)
    for client, stage in product({one.one.values["client"] for one in expected}, DETAIL_DAYS):
        usual = outlooks.usual_of(client, stage, FEWEST_OWN)
        told = None if usual is None else (usual.days, usual.count, usual.is_own)
        assert told == listing.usual(oracle, client, stage), (client, stage)


def test_what_a_certificate_shows_of_the_demo(demo: BothWays) -> None:
    assert_details_same(demo, DEMO_DAY)


@pytest.mark.parametrize("as_of", COME_AND_GONE[1:3], ids=str)
def test_what_a_certificate_shows_of_all_that_can_befall_it(come_and_gone: BothWays, as_of: date) -> None:
    assert_details_same(come_and_gone, as_of)


def test_each_certificate_is_found_by_its_names(demo: BothWays) -> None:
    blocks = blocks_of(demo, DEMO_DAY)
    for block in blocks[::7]:
        for at in range(0, block.count, 5):
            project, number = (str(value_of((block, at), name)) for name in ("project", "number"))
            assert find_in(blocks, project.upper(), number) == (block, at)
    assert find_in(blocks, "nobody", "1") is None


def test_an_assumed_due_date_is_marked(come_and_gone: BothWays) -> None:
    day = COME_AND_GONE[1]
    blocks, rows = blocks_of(come_and_gone, day), listing.listed(come_and_gone.oracle(day))
    marked = sum(is_marked((block, at), "due_assumed") for block in blocks for at in range(block.count))
    assert marked == sum(row.one.is_due_assumed for row in rows) > 0
