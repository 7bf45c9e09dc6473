"""What a page tells its scripts."""

import json
import re
from typing import Any

import pytest

from kpi_pipeline.cache.requests.requests import Requests
from kpi_pipeline.cache.requests.tasks import RequestKind
from kpi_pipeline.model.filters import EVERYTHING
from kpi_pipeline.model.moments import as_iso
from serving.app import create_app
from serving.pages import page_facts

PAGE = "/manager/dashboard"


@pytest.fixture
def facts_at(web):
    def read(address: str) -> dict[str, Any]:
        (block,) = re.findall(r'id="facts">(.*?)</script>', web.get(address).text)
        return json.loads(block)

    return read


def test_the_facts_of_fresh_figures(press, facts_at, web) -> None:
    (entry,) = press.publish("dashboards")
    facts = facts_at(f"{PAGE}?lang=en")
    assert {name: facts[name] for name in ("page", "product", "language", "state", "reachable")} == {
        "page": "manager",
        "product": "dashboards",
        "language": "en",
        "state": "fresh",
        "reachable": True,
    }
    assert facts["generation"] == entry.generation
    assert facts["fresh_until"] == as_iso(entry.fresh_until)
    assert facts["verified_at"] == as_iso(entry.verified_at)
    assert (facts["task"], facts["refresh"]) == (None, None)
    assert (facts["poll_s"], facts["timezone"]) == (page_facts.POLL_S, "America/Santiago")
    assert facts["texts"]["state_fresh"] == "Up to date"


def test_the_figures_are_those_of_the_page(press, facts_at, web) -> None:
    press.publish("dashboards")
    facts = facts_at(f"{PAGE}?client=minera nandu&state=pagado&lang=es")
    assert facts["figures_url"].startswith("/manager/api/dashboard?")
    figures = web.get(facts["figures_url"])
    assert figures.get_json()["meta"]["asked_filter"] == {"client": ["Minera Ñandú"], "state": ["pagado"]}
    assert figures.headers["X-Generation"] == facts["generation"]
    assert facts["state"] == "missing"
    assert facts["task"]["status_url"].startswith("/manager/dashboard/status/")


def test_a_refresh_under_way_is_named_until_it_has_ended(press, client, facts_at) -> None:
    press.publish("dashboards")
    requests = Requests(client)
    task = requests.submit(RequestKind.REFRESH, "dashboards", EVERYTHING).id
    assert facts_at(f"{PAGE}?task={task}")["refresh"] == f"/manager/dashboard/status/{task}"
    requests.finished(task, ok=False, reason="broken")
    assert facts_at(f"{PAGE}?task={task}")["refresh"] is None


def test_the_time_zone_is_that_of_the_settings(press, cache_url, settings_of) -> None:
    press.publish("dashboards")
    web = create_app(settings_of(REDIS_URL=cache_url, KPI_TIMEZONE="Asia/Tokyo")).test_client()
    assert '"timezone": "Asia/Tokyo"' in web.get(PAGE).text
