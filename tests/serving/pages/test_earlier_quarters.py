"""The quarters that cards of a quarter compare with: read where they are kept, and looked for no further."""

import re
from collections.abc import Callable, Mapping
from html import unescape
from typing import Any
from urllib.parse import quote

import pytest
import redis

from kpi_pipeline.cache.publishing.additions import Additions
from kpi_pipeline.cache.requests.requests import Requests
from kpi_pipeline.model.filters import EVERYTHING, Filter
from tests.serving.payloads import MINE, MONTHS, figures
from tests.waiting import wait_until

PAGE = "/manager/dashboard?lang=en"
QUARTER = f"{PAGE}&period=this_quarter"
THIS, LAST, YEAR_BEFORE = (
    ("2024-04", "2024-05", "2024-06"),
    ("2024-01", "2024-02", "2024-03"),
    ("2023-04", "2023-05", "2023-06"),
)


def of_months(scale: int) -> dict[str, Any]:
    """What a filter of months says: it has no comparison."""
    data = figures("dashboards", scale=scale)
    for values in data["kpis"].values():
        for one in values:
            one |= {"previous": None, "change": None, "change_share": None, "trend": None}
    return {**data, "comparison": None, "cohort": {"certificates": 9, "open": 4}}


def quarter_values(text: str, name: str = "proposed") -> str:
    """The line of a card with the values that are compared; empty without one."""
    card = re.search(rf'<li class="card panel card-{name}">.*?\n</li>', text, re.DOTALL)
    found = re.search(r'<p class="before">(.*?)</p>', card[0] if card else "")
    return re.sub("<[^>]+>", "", unescape(found[1]).replace("\xa0", " ")) if found else ""


@pytest.fixture
def publish(press, catalogue_of) -> Callable[..., str]:
    """Publish a page of all certificates, and of these months; gives the name of its generation."""

    def make(scales: Mapping[tuple[str, ...], int], **more: str) -> str:
        held = catalogue_of()
        (months,) = (one for one in held["dimensions"] if one["name"] == "month")
        months["values"] = [{"value": one, "count": 4} for one in (*YEAR_BEFORE, *MONTHS)]
        answers = {Filter.of({"month": one, **more}): of_months(scale) for one, scale in scales.items()}
        answers |= {EVERYTHING: figures("dashboards"), Filter.of(more): figures("dashboards")}
        (entry,) = press.publish("dashboards", answers=answers, catalogue=held)
        return entry.generation

    return make


def reads(client: redis.Redis) -> int:
    """How often payloads were read from the server."""
    return client.info("commandstats").get("cmdstat_mget", {"calls": 0})["calls"]


def test_a_quarter_stands_beside_the_one_before_and_that_of_the_year_before(publish, web) -> None:
    publish({THIS: 2, LAST: 3, YEAR_BEFORE: 4})
    english, spanish = (web.get(QUARTER.replace("=en", f"={one}")).text for one in ("en", "es"))
    assert quarter_values(english) == "Q2 2024: 2,468 M ←was 3,702 M, Q1 2024; 4,936 M, Q2 2023"
    assert quarter_values(spanish) == "T2 2024: 2.468 M ←antes 3.702 M, T1 2024; 4.936 M, T2 2023"
    # What stands on the day has no earlier value of these months; a rate or a duration of them is not ripe.
    assert [quarter_values(english, name) for name in ("receivable", "dso", "approval_rate")] == [""] * 3
    # Values alone: which way billing months go is not known before they are settled.
    assert 'class="change' not in english


@pytest.mark.parametrize(
    ("scales", "values"),
    [
        ({THIS: 2, LAST: 3}, "Q2 2024: 2,468 M ←was 3,702 M, Q1 2024"),
        ({THIS: 2, YEAR_BEFORE: 4}, "Q2 2024: 2,468 M ←was 4,936 M, Q2 2023"),
        ({THIS: 2}, ""),
    ],
)
def test_a_quarter_that_is_not_there_is_left_out_and_not_requested(
    scales, values, publish, web, client
) -> None:
    publish(scales)
    text = web.get(QUARTER).text
    assert quarter_values(text) == values
    assert ">Compare with Q1 2024 and Q2 2023</a>" in text
    assert Requests(client).pending("test", 100) == []


def test_a_quarter_of_a_client_stands_beside_those_of_the_same(publish, web) -> None:
    publish({THIS: 2, LAST: 3}, client=MINE)
    assert (
        quarter_values(web.get(f"{QUARTER}&client={quote(MINE)}").text)
        == "Q2 2024: 2,468 M ←was 3,702 M, Q1 2024"
    )


@pytest.mark.parametrize("asked", ["", "&period=12m", "&month=2024-05", "&from=2024-03&to=2024-05"])
def test_only_a_page_of_a_quarter_reads_more(asked, publish, web, client) -> None:
    several = {tuple(MONTHS): 2, ("2024-05",): 2, ("2024-03", "2024-04", "2024-05"): 2}
    publish({**several, LAST: 3, YEAR_BEFORE: 4})
    web.get(PAGE)
    before = reads(client)
    assert "Q1 2024" not in quarter_values(web.get(PAGE + asked).text)
    assert reads(client) - before == (1 if asked else 0)


@pytest.mark.parametrize(
    ("scales", "again"), [({THIS: 2, LAST: 3, YEAR_BEFORE: 4}, 0), ({THIS: 2, LAST: 3}, 1), ({THIS: 2}, 2)]
)
def test_a_page_of_a_quarter_reads_two_more_and_again_what_was_not_there(
    scales, again, publish, web, client
) -> None:
    publish(scales)
    web.get(PAGE)
    counts = []
    for _ in range(3):
        before = reads(client)
        assert web.get(QUARTER).status_code == 200
        counts.append(reads(client) - before)
    assert counts == [1 + 2, again, again]


def test_a_kept_page_is_written_anew_when_a_quarter_is_added(publish, app, web, client) -> None:
    generation = publish({THIS: 2})
    memory = app.extensions["kpi_kept"].memory
    assert [quarter_values(web.get(QUARTER).text) for _ in range(2)] == ["", ""]
    kept = memory.size()["responses"]
    assert kept
    Additions(client).add("dashboards", generation, [(Filter.of({"month": LAST}), of_months(7))])
    values = "Q2 2024: 2,468 M ←was 8,638 M, Q1 2024"
    assert [quarter_values(web.get(QUARTER).text) for _ in range(2)] == [values] * 2
    assert memory.size()["responses"] == kept, "in the place of the one before"


def test_the_next_generation_has_quarters_of_its_own(publish, web) -> None:
    publish({THIS: 2, LAST: 3})
    assert quarter_values(web.get(QUARTER).text)
    generation = publish({THIS: 2})
    wait_until(lambda: web.get(QUARTER).headers["X-Generation"] == generation)
    assert quarter_values(web.get(QUARTER).text) == ""


def test_earlier_figures_that_make_no_sense_are_left_out(publish, web, client) -> None:
    generation = publish({THIS: 2})
    added = {LAST: {"kpis": "none"}, YEAR_BEFORE: of_months(4)}
    answers = [(Filter.of({"month": months}), data) for months, data in added.items()]
    Additions(client).add("dashboards", generation, answers)
    assert quarter_values(web.get(QUARTER).text) == "Q2 2024: 2,468 M ←was 4,936 M, Q2 2023"
