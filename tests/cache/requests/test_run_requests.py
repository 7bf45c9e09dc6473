"""Requests become the fewest runs, each of which knows whom it answers."""

import pytest

from kpi_pipeline.cache.requests.run_requests import run_request_specs
from kpi_pipeline.cache.requests.tasks import Request, RequestKind
from kpi_pipeline.model.filters import EVERYTHING


def request(number: int, product: str, kind: RequestKind = RequestKind.REFRESH) -> Request:
    return Request(f"{number}-0", f"{number:032}", kind, product, EVERYTHING, "all", float(number))


def test_nobody_asks() -> None:
    assert run_request_specs([]) == []


def test_one_run_a_product_names_every_task_and_its_place_in_the_stream() -> None:
    requested = [request(1, "charts"), request(2, "kpis"), request(3, "charts", RequestKind.WARM)]
    kpis, charts = run_request_specs(requested)
    assert (kpis.job, charts.job) == ("refresh_kpis", "refresh_charts")
    assert {tag: value for tag, value in charts.tags.items() if tag.startswith("kpi-task/")} == {
        f"kpi-task/{1:032}": "1-0",
        f"kpi-task/{3:032}": "3-0",
    }
    assert charts.tags["kpi/asked_by"] == '["refresh", "warm"]'


@pytest.mark.parametrize(
    ("kinds", "anew"),
    [
        ([RequestKind.REFRESH, RequestKind.WARM], False),
        ([RequestKind.REFRESH, RequestKind.CLEAR], True),
    ],
)
def test_whoever_asks_to_clear_gets_everything_written_anew(kinds: list[RequestKind], anew: bool) -> None:
    (spec,) = run_request_specs(request(number, "kpis", kind) for number, kind in enumerate(kinds))
    assert (spec.tags.get("kpi/rebuild") == "always") is anew
