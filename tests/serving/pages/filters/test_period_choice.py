"""The control that says when: quick periods, ranges of months, months one by one."""

from datetime import date
from urllib.parse import parse_qsl, urlsplit

import pytest

from serving.pages.addresses import PageAddress
from serving.pages.filters.period_choice import PeriodChoice, RangeEnd, period_choice, period_links
from tests.serving.payloads import MONTHS

PAGE = "/manager/dashboard"
LAST_3 = ["2024-04", "2024-05", "2024-06"]
DASH = "\N{EN DASH}"


@pytest.fixture
def choice_of(context_of):
    def make(selection: dict, **context) -> PeriodChoice:
        return period_choice(context_of(selection, **context))

    return make


def chosen(end: RangeEnd) -> list[str]:
    return [option.value for option in end.options if option.chosen]


def test_months_are_the_ends_of_a_range(choice_of) -> None:
    when = choice_of({})
    first, last = when.ends
    assert (first.name, last.name, when.months) == ("from", "to", None)
    assert [option.value for option in first.options][:2] == ["2024-06", "2024-05"]
    assert (first.options[0].label, first.options[0].count) == ("Jun 2024", "4")
    assert chosen(first) == chosen(last) == []
    for selection in ({"month": LAST_3}, {"month": ["2023-08", "2023-09"]}, {"month": ["2023-08"]}):
        first, last = choice_of(selection).ends
        assert chosen(first) == selection["month"][:1]
        assert chosen(last) == selection["month"][-1:]


def test_months_that_are_no_range_are_chosen_one_by_one(choice_of) -> None:
    when = choice_of({"month": ["2023-08", "2023-10"]})
    assert when.ends == []
    assert [option.value for option in when.months.options if option.chosen] == ["2023-08", "2023-10"]


def test_a_month_without_certificates_may_still_bound_a_range(choice_of) -> None:
    end = choice_of({}, options={"month": [0] * 12}).ends[1].options[0]
    assert (end.count, end.impossible) == ("no certificates", False)


@pytest.mark.parametrize(
    ("selection", "said", "cleared"),
    [
        ({}, "All time", None),
        ({"month": LAST_3}, "Last 3 months", PAGE),
        ({"month": MONTHS[:2], "state": ["pagado"]}, f"Jul 2023 {DASH} Aug 2023", f"{PAGE}?state=pagado"),
        ({"month": ["2023-08", "2023-10"]}, "2 chosen", PAGE),
        ({"issued_age": ["0-6"]}, "Last 7 days", PAGE),
        # Days that are no period are said by their own control.
        ({"issued_age": ["7-13"]}, "All", None),
        ({"month": LAST_3, "issued_age": ["7-13"]}, "Last 3 months", f"{PAGE}?issued_age=7-13"),
    ],
)
def test_it_says_what_is_chosen_and_how_to_clear_it(selection, said, cleared, choice_of) -> None:
    when = choice_of(selection)
    assert (when.summary, when.clear_url) == (said, cleared)


def test_period_links_take_the_place_of_what_is_said_of_time(context_of) -> None:
    selection = {"client": ["Minera Ñandú"], "month": ["2023-08"], "issued_age": ["0-6"]}
    address = PageAddress("/manager/costs", "en", date(2024, 6, 30))
    links = {one.label: one for one in period_links(context_of(selection, address=address))}
    parts = urlsplit(links["Last 3 months"].url)
    assert parts.path == "/manager/costs"
    assert parse_qsl(parts.query) == [
        ("client", "Minera Ñandú"), ("period", "3m"), ("as_of", "2024-06-30"), ("lang", "en")
    ]  # fmt: skip
    assert "period" not in links["All time"].url
    assert not any(one.current for one in links.values())


@pytest.mark.parametrize(
    ("selection", "label"),
    [
        ({}, "All time"),
        ({"client": ["Minera Ñandú"]}, "All time"),
        ({"month": LAST_3}, "Last 3 months"),
        ({"issued_age": ["0-6"]}, "Last 7 days"),
        ({"month": ["2023-08"]}, None),
        ({"month": LAST_3, "issued_age": ["0-6"]}, None),
    ],
)
def test_the_period_that_the_page_shows_is_marked(selection, label, context_of) -> None:
    links = period_links(context_of(selection))
    assert [one.label for one in links if one.current] == ([label] if label else [])


def test_a_period_without_certificates_is_impossible(context_of) -> None:
    none_new = {"issued_age": [0, 0, 0, 1, 1, 1, 1, 1, 1]}
    links = period_links(context_of({}, options=none_new))
    assert [one.label for one in links if one.impossible] == ["Last 7 days", "Last 30 days"]
    # Beside months, which the link leaves out, the same counts say nothing.
    links = period_links(context_of({"month": LAST_3}, options=none_new))
    assert not any(one.impossible for one in links)
