"""The button that refreshes, and the page that waits for what it asked; without JavaScript."""

import re

import pytest

from kpi_pipeline.cache.requests.tasks import RequestKind, Requests
from kpi_pipeline.model.filters import EVERYTHING
from serving.app import create_app
from serving.pages import refreshing as page

HOME = "/manager/dashboard"


def reloads_after(response) -> str | None:
    """Seconds after which the page loads itself again where there are no scripts."""
    assert "Refresh" not in response.headers  # it would reload a page that scripts keep up to date
    told = re.search(
        r'<noscript><meta http-equiv="refresh" content="(\d+)"></noscript>', response.get_data(as_text=True)
    )
    return told[1] if told else None


@pytest.fixture
def requests(client) -> Requests:
    return Requests(client)


@pytest.fixture
def task(press, requests) -> str:
    press.publish()
    return requests.submit(RequestKind.REFRESH, "dashboards", EVERYTHING).id


def test_the_button_posts_what_the_page_shows(web, press, client) -> None:
    press.publish()
    shown = web.get(f"{HOME}?client=Minera Ñandú&state=pagado&lang=en").get_data(as_text=True)
    (form,) = re.findall(r'<form class="refresh".*?</form>', shown, re.DOTALL)
    assert 'method="post" action="/manager/dashboard/refresh"' in form
    hidden = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]+)"', form))
    assert hidden == {
        "client": "Minera Ñandú",
        "state": "pagado",
        "lang": "en",
        "product": "dashboards",
        "page": "manager",
    }
    assert ">Refresh</button>" in form


@pytest.mark.parametrize(
    ("page_name", "path"),
    [
        ("cash_flow", "/manager/cash-flow"),
        ("manager", HOME),
        ("", HOME),
        ("//evil.example", HOME),
        ("x/../..", HOME),
    ],
)
def test_the_button_leads_back_to_its_page(page_name, path, web, press, requests) -> None:
    press.publish()
    form = {"product": "financials", "page": page_name, "lang": "en", "client": "Minera Ñandú"}
    response = web.post(f"{HOME}/refresh", data=form, headers={"Accept": "text/html"})
    assert response.status_code == 303
    assert response.headers["Location"].startswith(f"{path}?client=Minera+%C3%91and%C3%BA&lang=en&task=")
    assert [one.product for one in requests.pending("test", 10)] == ["financials"]


def test_a_page_that_waits_refreshes_itself_until_it_is_done(web, requests, task, monkeypatch) -> None:
    address = f"{HOME}?lang=en&task={task}"
    waiting = web.get(address)
    assert reloads_after(waiting) == "1"
    assert "badge-refreshing" in waiting.get_data(as_text=True)
    assert "New figures are being computed" in waiting.get_data(as_text=True)
    requests.started(task, "run-1")
    requests.progressed("run-1", 5, 2)
    assert "step 2 of 5" in web.get(address).get_data(as_text=True)
    requests.finished(task, ok=True)
    monkeypatch.setattr(page, "_SEEN_S", 0.0)
    done = web.get(address)
    assert reloads_after(done) is None
    assert "badge-fresh" in done.get_data(as_text=True)
    assert "The figures are up to date." in done.get_data(as_text=True)


def test_a_page_does_not_say_done_before_every_process_reads_the_new_figures(
    web, requests, task, monkeypatch
) -> None:
    requests.finished(task, ok=True)
    monkeypatch.setattr(page, "_SEEN_S", 3600.0)
    assert reloads_after(web.get(f"{HOME}?task={task}")) == "1"


def test_a_refresh_that_failed_is_told_and_the_figures_stay(web, requests, task) -> None:
    requests.finished(task, ok=False, reason="a path that is nobody's business")
    failed = web.get(f"{HOME}?lang=en&task={task}")
    shown = failed.get_data(as_text=True)
    assert failed.status_code == 200
    assert reloads_after(failed) is None
    assert "could not be computed" in shown
    assert f"/manager/dashboard/status/{task}" in shown
    assert "nobody" not in shown


@pytest.mark.parametrize("task_id", ["", "0" * 32, "<script>", "of:x"])
def test_a_task_that_nobody_knows_is_no_matter(web, press, task_id) -> None:
    press.publish()
    response = web.get(f"{HOME}?task={task_id}")
    assert response.status_code == 200
    assert "notice-refresh" not in response.get_data(as_text=True)
    assert "<script>" not in response.get_data(as_text=True)


def test_a_task_that_cannot_be_read_is_no_matter(client, press, cache_url, settings_of, task) -> None:
    web = create_app(settings_of(REDIS_URL=cache_url)).test_client()
    client.delete(f"kpi:task:{task}")
    client.set(f"kpi:task:{task}", "odd")
    assert web.get(f"{HOME}?task={task}").status_code == 200
