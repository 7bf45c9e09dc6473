"""The state of a page: one for its heading and its cards, by what matters most."""

import re
from dataclasses import replace

import pytest

from kpi_pipeline.cache.manifest import AnswerState
from serving.cache_access import CacheAccess
from serving.catalogue import Catalogue
from serving.lookup import LookupResult, look_up
from serving.pages.live_state import LIVE_STATES, live_state
from serving.pages.refreshing import Refreshing
from serving.pages.texts import texts_in
from serving.pages.writing import Writer, writer_for

RUNNING = Refreshing("running", "/manager/dashboard/status/x", 0, 0)


@pytest.fixture
def result(press, cache_url, settings_of) -> LookupResult:
    press.publish("dashboards")
    return look_up(CacheAccess(settings_of(REDIS_URL=cache_url)).current(), "dashboards", [])


@pytest.fixture
def english(catalogue_of) -> Writer:
    return writer_for("en", Catalogue.model_validate(catalogue_of()), "America/Santiago")


@pytest.mark.parametrize(
    ("changes", "refresh", "name", "words"),
    [
        ({}, None, "fresh", "Up to date"),
        ({}, RUNNING, "refreshing", "Refreshing…"),
        ({}, replace(RUNNING, state="done"), "fresh", "Up to date"),
        ({}, replace(RUNNING, state="failed"), "fresh", "Up to date"),
        ({"state": AnswerState.MISSING}, None, "missing", "Being prepared"),
        ({"state": AnswerState.STALE}, RUNNING, "refreshing", "Refreshing…"),
        ({"reachable": False}, RUNNING, "offline", "Offline"),
        ({"state": AnswerState.STALE, "reachable": False}, None, "offline", "Offline"),
        ({"state": AnswerState.HISTORIC, "reachable": False}, None, "historic", "Month end"),
    ],
)
def test_what_matters_most_is_said(changes, refresh, name, words, result, english) -> None:
    found = live_state(replace(result, **changes), refresh, english)
    assert (found.name, found.words) == (name, words)


def test_old_figures_say_since_when(result, english) -> None:
    at = 1719576000.0  # eight in the morning in Santiago
    old = replace(result, state=AnswerState.STALE, entry=replace(result.entry, fresh_until=at), now=at + 60)
    found = live_state(old, None, english)
    assert (found.name, found.words) == ("stale", "Out of date since 08:00")


def test_every_state_has_a_text_an_icon_and_a_text_for_scripts(web, press) -> None:
    press.publish("dashboards")
    page = web.get("/manager/dashboard").text
    for name in LIVE_STATES:
        assert texts_in("es")[f"state_{name}"] == texts_in("es")[f"js_state_{name}"]
        assert f'<symbol id="state-{name}"' in page


def test_the_heading_and_every_card_show_the_same_state(web, press) -> None:
    press.publish("dashboards", age_s=700)
    page = web.get("/manager/dashboard?lang=en").text
    cards = page.count('class="card panel')
    assert len(re.findall('data-state="stale"', page)) == cards + 1
    assert len(re.findall(r"Out of date since \d\d:\d\d<", page)) == cards + 1
