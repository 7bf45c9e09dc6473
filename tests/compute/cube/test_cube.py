"""The cube: every candidate filter once, its sums however it is reached, and what an edit changes."""

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from itertools import combinations
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from kpi_pipeline.compute.cube.cube import BLOCK_VARIANTS, Cube
from kpi_pipeline.compute.cube.slices import Slice
from kpi_pipeline.compute.forecasting.basis import NO_FORECAST
from kpi_pipeline.compute.payloads import payloads, shared_inputs
from kpi_pipeline.compute.rollup.rollup import roll_up
from kpi_pipeline.model.components import COMPONENT_INDEX, MONTHLY_COMPONENTS
from kpi_pipeline.model.dimensions import AMOUNT_BANDS, DIMENSION_NAMES, ISSUED_AGES, PRODUCTS
from kpi_pipeline.model.filters import EVERYTHING, Filter
from kpi_pipeline.model.pages import kpis_resting_on_all
from kpi_pipeline.model.states import State
from kpi_pipeline.model.thresholds import Thresholds
from tests.compute.conftest import certificates_table, costs_table
from tests.compute.entries import VALUES, Row, certificate, cost, edit, edited, standing
from tests.compute.rows import AS_OF
from tests.examples import examples

PROPOSED = COMPONENT_INDEX["proposed_amount"]


certificates, costs = st.lists(certificate(), max_size=10), st.lists(cost(), max_size=4)


def arrays(slice_: Slice) -> dict[str, Any]:
    """All that a slice can be asked."""
    found: dict[str, Any] = {name: getattr(slice_, name) for name in ("present", "has_costs", "is_cohort")}
    found |= {f"{name} on each day": slice_.on_each_day(name) for name in COMPONENT_INDEX}
    found |= {name: slice_.monthly(name) for name in MONTHLY_COMPONENTS}
    found["by billing month"] = slice_.by_billing_month("approved_amount")
    found |= {f"options of {name}": slice_.options(name) for name in DIMENSION_NAMES}
    group_sums = slice_.group_sums("client", ("approved_amount", "receivable_count"))
    found |= {
        f"group_sums.{one}": getattr(group_sums, one) for one in ("variant", "value", "currency", "sums")
    }
    monthly = slice_.trend_group_sums("project", "paid_amount")
    found |= {
        f"trend_group_sums.{one}": getattr(monthly, one)
        for one in ("variant", "value", "currency", "month", "amount")
    }
    for name in ("supplier", "rejection_reason", "failure_kind", "cost_category"):
        breakdown_sums = slice_.breakdown_sums(name)
        found |= {
            f"{name}.{one}": getattr(breakdown_sums, one)
            for one in ("variant", "key", "currency", "amount", "count")
        }
    for name in ("collect_today", "correct_and_resend"):
        found[name], found[f"{name} rows"] = slice_.work_list(name, 3)
    return found


def answers(product: str, slices: Any) -> dict[Filter, bytes]:
    """What a product says of each filter, as it is stored."""
    found = [(requested, orjson.dumps(said)) for requested, said in payloads(product, slices)]
    assert len(dict(found)) == len(found)
    return dict(found)


def without(answer: bytes, kpis: tuple[str, ...]) -> Any:
    """An answer without some of its KPIs."""
    said = orjson.loads(answer)
    return {**said, "kpis": {name: values for name, values in said["kpis"].items() if name not in kpis}}


@pytest.mark.slow
@settings(max_examples=examples(8))
@given(certificates, costs, st.integers(1, 24), st.randoms(use_true_random=False))
def test_a_candidate_filter_is_the_same_in_a_block_alone_and_in_a_part(
    cube_of, rows, spent, window, random
) -> None:
    cube: Cube = cube_of(rows, window=window, costs=spent)
    every = {product: answers(product, cube.slices()) for product in PRODUCTS}
    for slice_ in cube.slices():
        chosen = tuple(one for one in slice_.filters if random.random() < 0.3) or slice_.filters[:1]
        part, alone = slice_.only({*chosen, Filter.of({"client": "nobody"})}), cube.select(chosen)
        assert part.filters == alone.filters == chosen
        places = [slice_.filters.index(one) for one in chosen]
        np.testing.assert_array_equal(slice_.totals[:, places], alone.totals)
        told, expected = arrays(part), arrays(alone)
        for name, found in told.items():
            np.testing.assert_array_equal(found, expected[name], err_msg=name)
        for product in PRODUCTS:
            of_chosen = {one: every[product][one] for one in chosen}
            assert answers(product, [alone]) == of_chosen
            assert answers(product, [part.fresh()]) == of_chosen


def occurring(rows: list[Row], spent: list[Row]) -> list[dict[str, str]]:
    """The values of each certificate and of each cost."""
    plain = {"administrator": "x", "project_type": "x"}
    found = []
    for row in rows:
        values = {**plain, **{name: row[name] for name in VALUES}, "state": standing(row) or "anulado"}
        low, middle, high = Thresholds().cuts(row["currency"])
        above = sum(row["amount_proposed"] >= cut for cut in (low, middle, high))
        age = (AS_OF - row["issued_on"]).days
        label = next(label for label, first, last in ISSUED_AGES if first <= age <= (last or age))
        values |= {"amount_band": AMOUNT_BANDS[above], "issued_age": label}
        found.append({**values, "month": row["month"].strftime("%Y-%m")})
    for row in spent:
        month = row["invoiced_on"].strftime("%Y-%m")
        found.append({**plain, **{name: row[name] for name in VALUES}, "month": month})
    return found


@settings(max_examples=examples(10))
@given(certificates, costs)
def test_candidate_filters_are_what_readers_can_choose_and_the_pairs_that_occur(cube_of, rows, spent) -> None:
    entries = occurring(rows, spent)
    cube: Cube = cube_of(rows, costs=spent)
    # A period names the months without anything between the first and the last as well.
    stretches = [
        ("month", [one for one in cube.frame.values["month"] if first <= one <= "2024-03"])
        for first in ("2024-01", "2023-10", "2023-04")
    ]
    quarter = [one for one in cube.frame.values["month"] if "2023-10" <= one <= "2023-12"]
    stretches += [("month", quarter)] if quarter else []
    labels = [label for label, _, _ in ISSUED_AGES]
    stretches += [("issued_age", labels[:end]) for end in (1, 3, 5, 7)]
    expected = {EVERYTHING, Filter.of({"state": ["enviado", "revision"]})}
    # What can be chosen, whether anything has it or not.
    expected |= {Filter.of({name: one}) for name in DIMENSION_NAMES for one in cube.frame.values[name]}
    expected |= {Filter.of({name: values}) for name, values in stretches}
    # Quarters that those which can be chosen are compared with, of everything alone.
    for first, last in (("2023-07", "2023-09"), ("2023-01", "2023-03"), ("2022-10", "2022-12")):
        if months := [one for one in cube.frame.values["month"] if first <= one <= last]:
            expected.add(Filter.of({"month": months}))
    for entry in entries:
        attributes = [name for name in entry if name not in ("month", "issued_age")]
        named = [*attributes, "month"]
        for names in [*combinations(named, 1), *combinations(named, 2)]:
            expected.add(Filter.of({name: entry[name] for name in names}))
        for name, values in stretches:
            if entry.get(name) in values:
                expected.add(Filter.of({name: values}))
                expected |= {Filter.of({name: values, other: entry[other]}) for other in attributes}
    found = Counter(cube.candidate_filters())
    assert set(found) == expected
    assert set(found.values()) == {1}


FRAME: list[Row] = [
    {
        **dict(zip(VALUES, values, strict=True)),
        "certificate_id": f"frame {number} {currency}",
        "currency": currency,
        "issued_on": date(2021, 9, 1),
        "month": month,
        "state": "validado",
        "amount_proposed": 7,
        "amount_approved": 5,
    }
    for number, (month, *values) in enumerate(
        (
            (date(2021, 9, 1), "Ácido", "P1", "M1"),
            (date(2022, 1, 1), "acero", "P2", "M2"),
            (date(2024, 5, 1), "Zinc", "P1", "M2"),
        )
    )
    for currency in ("CLP", "USD")
]
"""Certificates of every value, currency and month: an edit of others leaves the lists of values alone."""


def assert_untouched_answers_hold(before: Cube, after: Cube) -> int:
    """Compare what an edit is said to change with what it does; how many answers could be taken over."""
    changes = after.changes_since(before)
    assume(changes is not None)
    declared = set(after.candidate_filters())
    held = 0
    for product in PRODUCTS:
        then, now = answers(product, before.slices()), answers(product, after.slices())
        computed = answers(product, after.slices(changes))
        assert computed.items() <= now.items()
        assert set(now) == declared
        shared = shared_inputs(product, after) == shared_inputs(product, before)
        resting = () if shared else kpis_resting_on_all(product)
        for requested in declared - computed.keys():
            one, other = (said[requested] for said in (now, then))
            assert one == other or without(one, resting) == without(other, resting), (
                f"{product} of {requested}"
            )
            held += 1
    return held


edits = st.lists(edit, min_size=1, max_size=2)


@pytest.mark.slow
@settings(max_examples=3)
@given(certificates, costs, edits)
def test_what_an_edit_does_not_touch_stays_the_same_byte_for_byte(rollup_of, rows, spent, edits) -> None:
    assert_the_rest_stays(rollup_of, rows, spent, edits)


@pytest.mark.slow
@pytest.mark.sweep
@settings(max_examples=examples(25))
@given(certificates, costs, edits)
def test_what_many_edits_do_not_touch_stays_the_same_byte_for_byte(rollup_of, rows, spent, edits) -> None:
    assert_the_rest_stays(rollup_of, rows, spent, edits)


def assert_the_rest_stays(rollup_of, rows, spent, edits) -> None:
    named = [{**row, "certificate_id": f"c{number}"} for number, row in enumerate(rows)]
    spent = [{**row, "cost_id": f"k{number}"} for number, row in enumerate(spent)]
    then = rollup_of([*FRAME, *named], costs=spent)
    now_rows, now_spent = edited(named, spent, edits)
    now = rollup_of([*FRAME, *now_rows], costs=now_spent)
    # An edit of the past changes how well it was foreseen, and with it every forecast: see below.
    now = replace(now, forecast_bases=then.forecast_bases)
    assert_untouched_answers_hold(*(Cube(one, AS_OF, 12, Thresholds()) for one in (then, now)))


ROWS: list[Row] = [
    *FRAME,
    {"client": "Ácido", "project": "P1", "project_manager": "M1", "amount_proposed": 10},
    {"client": "acero", "project": "P2", "project_manager": "M2", "amount_proposed": 20},
]


def test_the_last_certificate_of_a_value_concerns_it_when_it_goes(cube_of) -> None:
    before = cube_of([*FRAME, {**FRAME[0], "certificate_id": "the last", "state": "anulado"}])
    after = cube_of(FRAME)
    changes = after.changes_since(before)
    assert changes is not None
    touched = {one for slice_ in after.slices(changes) for one in slice_.filters}
    assert Filter.of({"state": "anulado"}) in touched
    assert EVERYTHING in touched


def test_an_edit_concerns_the_filters_that_admit_the_row_as_it_was_or_is(cube_of) -> None:
    before = cube_of(ROWS)
    after = cube_of([*ROWS[:-1], {**ROWS[-1], "client": "Zinc"}])
    changes = after.changes_since(before)
    assert changes is not None
    touched = {one for slice_ in after.slices(changes) for one in slice_.filters}
    assert touched < set(after.candidate_filters())
    for requested, concerned in {
        EVERYTHING: True,
        Filter.of({"client": "acero"}): True,
        Filter.of({"client": "Zinc"}): True,
        Filter.of({"client": "Zinc", "month": "2024-03"}): True,
        Filter.of({"project": "P2", "client": "acero"}): True,
        Filter.of({"month": "2024-03"}): True,
        Filter.of({"issued_age": ["0-6"]}): True,
        Filter.of({"client": "Ácido"}): False,
        Filter.of({"project": "P1"}): False,
        Filter.of({"project_manager": "M1", "issued_age": ["0-6"]}): False,
    }.items():
        assert (requested in touched) == concerned, requested


def test_the_same_roll_up_has_no_changes() -> None:
    one, other = (
        Cube(
            roll_up(certificates_table(ROWS), costs_table([]), AS_OF, Thresholds(), 12),
            AS_OF,
            12,
            Thresholds(),
        )
        for _ in range(2)
    )
    changes = one.changes_since(other)
    assert changes is not None
    assert list(one.slices(changes)) == []
    assert one.digest() == other.digest()


def test_one_of_several_equal_rows_that_goes_is_a_change(rollup_of) -> None:
    # Shards sum cohorts apart: two months of issue may give the same row.
    rollup = rollup_of([*ROWS, {"state": "rechazado", "rejection_reason": "reason"}])
    assert rollup.breakdowns.num_rows
    several = pa.concat_tables([rollup.breakdowns, rollup.breakdowns])
    one, two = (
        Cube(replace(rollup, breakdowns=table), AS_OF, 12, Thresholds())
        for table in (rollup.breakdowns, several)
    )
    for after, before in ((one, two), (two, one)):
        changes = after.changes_since(before)
        assert changes is not None
        assert len(changes.codes["client"])


def other_date(rollup_of) -> Cube:
    day = AS_OF + timedelta(1)
    return Cube(rollup_of(ROWS, day), day, 12, Thresholds())


@pytest.mark.parametrize(
    "other",
    [
        other_date,
        lambda rollup_of: Cube(rollup_of(ROWS), AS_OF, 6, Thresholds()),
        lambda rollup_of: Cube(rollup_of(ROWS), AS_OF, 12, Thresholds(stable_share=0.1)),
        lambda rollup_of: Cube(rollup_of([*ROWS, {"client": "new"}]), AS_OF, 12, Thresholds()),
        lambda rollup_of: Cube(rollup_of([*ROWS, {"currency": "EUR"}]), AS_OF, 12, Thresholds()),
        lambda rollup_of: Cube(rollup_of([*ROWS, {"month": date(2024, 6, 1)}]), AS_OF, 12, Thresholds()),
        lambda rollup_of: Cube(
            rollup_of([*ROWS, {"issued_on": date(2021, 8, 31), "month": AS_OF.replace(day=1)}]),
            AS_OF,
            12,
            Thresholds(),
        ),
        lambda rollup_of: Cube(
            replace(rollup_of(ROWS), forecast_bases={"CLP": replace(NO_FORECAST, shares=(1,) * 12)}),
            AS_OF,
            12,
            Thresholds(),
        ),
    ],
    ids=["date", "window", "thresholds", "value", "currency", "month", "month of issue", "forecast"],
)
def test_cubes_of_different_frames_are_not_compared_row_by_row(rollup_of, other) -> None:
    cube, changed = Cube(rollup_of(ROWS), AS_OF, 12, Thresholds()), other(rollup_of)
    assert changed.changes_since(cube) is None
    assert cube.changes_since(changed) is None
    assert changed.digest() != cube.digest()


@pytest.mark.parametrize("window", [12, 3])
def test_what_is_compared_with_is_an_input_of_every_answer(cube_of, window: int) -> None:
    """The first day of all data decides whether any filter has anything to compare with."""
    others = {"client": "B", "issued_on": date(2023, 12, 28), "month": date(2023, 12, 1)}
    # In the month of the day that is compared with, before it and after it.
    month = {12: date(2023, 3, 1), 3: date(2023, 12, 1)}[window]
    before, after = (
        cube_of([{"client": "A", "issued_on": month.replace(day=day), "month": month}, others], window=window)
        for day in (10, 20)
    )
    then, now = (answers("kpis", one.slices()) for one in (before, after))
    assert then[Filter.of({"client": "B"})] != now[Filter.of({"client": "B"})]
    assert after.changes_since(before) is None
    assert before.changes_since(after) is None


def test_whether_there_is_any_cost_is_an_input_of_every_answer(cube_of) -> None:
    rows = [{"client": name, "issued_on": date(2023, 1, 1)} for name in "AB"]
    held = {"client": "A", "invoiced_on": date(2023, 1, 1), "currency": "USD"}
    spent = [held, {**held, "currency": "CLP"}]
    before, after = cube_of(rows, costs=spent), cube_of(rows, costs=[held, held])
    assert after.changes_since(before) is None
    later = cube_of(rows, costs=[held, {**held, "currency": "CLP", "invoiced_on": date(2023, 9, 5)}])
    assert later.changes_since(before) is None


@pytest.mark.parametrize(
    "changed",
    [
        {"amount_proposed": 8},
        {"state": "enviado"},
        {"sent_on": date(2022, 1, 1)},
        {"sent_on": date(2022, 1, 1), "certificate_id": "critical"},
        {"state": "pagado", "paid_on": AS_OF},
        {"state": "rechazado", "rejection_reason": "r1"},
    ],
)
def test_a_digest_tells_every_difference(cube_of, changed: Row) -> None:
    assert cube_of([{**FRAME[0], **changed}, *FRAME[1:]]).digest() != cube_of(FRAME).digest()


def test_a_digest_is_the_same_whatever_the_order_of_rows(rollup_of) -> None:
    rollup = rollup_of(FRAME, costs=[{"supplier": "A"}, {"supplier": "B", "amount": 2}])
    turned = replace(
        rollup,
        **{
            name: table.take(list(range(table.num_rows))[::-1])
            for name in ("cells", "monthly", "payment_times", "breakdowns")
            if (table := getattr(rollup, name)).num_rows > 1
        },
    )
    one, other = (Cube(each, AS_OF, 12, Thresholds()) for each in (rollup, turned))
    assert one.digest() == other.digest()


def test_blocks_do_not_change_answers(cube_of) -> None:
    clients = range(BLOCK_VARIANTS + 100)
    cube: Cube = cube_of([{"client": f"C{number:04}", "amount_proposed": 1 + number} for number in clients])
    slices = list(cube.slices(attributes=1))
    assert len(slices) > 2
    for slice_ in slices:
        chosen = slice_.filters[:: len(slice_) // 20 or 1]
        alone, part = cube.select(chosen), slice_.only(chosen)
        np.testing.assert_array_equal(part.totals, alone.totals)
        assert answers("kpis", [part]) == answers("kpis", [alone])


def test_few_attributes_leave_pairs_out(cube_of) -> None:
    cube: Cube = cube_of(ROWS)
    found = [one for slice_ in cube.slices(attributes=1) for one in slice_.filters]
    assert Filter.of({"client": "acero", "month": "2024-03"}) in found
    assert Filter.of({"client": "acero", "project": "P2"}) not in found
    assert set(found) < set(cube.candidate_filters())


def test_several_values_of_a_dimension_are_any_of_them(cube_of) -> None:
    cube = cube_of([{"client": name, "amount_proposed": 10**at} for at, name in enumerate("ABC")])
    slice_ = cube.select(
        [
            Filter.of({"client": ["A", "C"]}),
            Filter.of({"client": ["B", "unheard of"]}),
            Filter.of({"client": "b"}),
            Filter.of({"client": "unheard of"}),
        ]
    )
    assert slice_.totals[PROPOSED, :, 0].tolist() == [101, 10, 10, 0]


def test_values_are_sorted_as_people_look_for_them_and_counted(cube_of) -> None:
    names = ["Zinc", "acero", "Ácido", "acero"]
    cube = cube_of([{"client": name, "issued_on": date(2023, 2 + at, 1)} for at, name in enumerate(names)])
    assert cube.value_counts("client") == [("acero", 2), ("Ácido", 1), ("Zinc", 1)]
    assert cube.value_counts("amount_band") == [("bajo", 4), ("medio", 0), ("alto", 0), ("muy alto", 0)]
    months = dict(cube.value_counts("month"))
    assert list(months) == [f"2023-{number:02d}" for number in range(2, 13)] + [
        "2024-01",
        "2024-02",
        "2024-03",
    ]
    assert [months[name] for name in ("2023-02", "2023-05", "2023-06", "2024-03")] == [1, 1, 0, 0]


def test_months_begin_with_the_first_issue_or_billing_month(cube_of, read) -> None:
    rows = [
        {"client": "A", "issued_on": date(2023, 12, 1), "month": date(2024, 3, 1), "amount_proposed": 10},
        {"client": "B", "issued_on": date(2023, 11, 1), "month": date(2024, 3, 1), "amount_proposed": 100},
    ]
    cube = cube_of(rows)
    assert cube.value_counts("month") == [
        *(("2023-11", 0), ("2023-12", 0), ("2024-01", 0), ("2024-02", 0), ("2024-03", 2)),
    ]
    assert read(cube, "receivable", client="A")[0]["spark"] == [0] * 8 + [10] * 4
    assert read(cube, "receivable", client="B")[0]["spark"] == [0] * 7 + [100] * 5
    assert read(cube, "receivable")[0]["spark"] == [0] * 7 + [100] + [110] * 4
    assert read(cube, "receivable", month="2024-03")[0]["value"] == 110
    assert read(cube, "receivable", month="2023-11") == []


def test_a_state_that_no_certificate_has_any_more_stood_at_past_month_ends(cube_of, read) -> None:
    row = {"issued_on": date(2023, 11, 26), "sent_on": date(2024, 1, 23), "amount_proposed": 409}
    cube = cube_of([row, {**row, "sent_on": None, "amount_proposed": 3}])
    assert cube.frame.values["state"] == tuple(State)
    assert read(cube, "pending", state=["enviado", "revision"])[0]["spark"] == [0] * 7 + [412] * 5
    assert read(cube, "pending", state="enviado")[0]["spark"] == [0] * 7 + [3, 3, 412, 412, 412]
    pairs = {one for one in cube.candidate_filters() if len(one.terms) == 2}
    assert {one.values("state") for one in pairs if one.values("state")} == {("enviado",)}
    assert cube.select([EVERYTHING]).options("state").tolist() == [[0, 2, 0, 0, 0, 0, 0]]


def test_a_cube_of_nothing_answers_everything_with_nothing(cube_of) -> None:
    cube = cube_of([])
    assert cube.candidate_filters()[0] == EVERYTHING
    assert {name for one in cube.candidate_filters() for name, _ in one.terms} == {
        *("month", "state", "amount_band", "issued_age"),
    }
    assert cube.frame.currencies == ()
    slice_ = cube.select([EVERYTHING, Filter.of({"client": "A", "month": "2024-01"})])
    assert slice_.totals.shape == (len(COMPONENT_INDEX), 2, 0)
