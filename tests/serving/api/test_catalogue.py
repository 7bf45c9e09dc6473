"""The catalogue and the chart specifications over HTTP."""

import gzip

import zstandard

from kpi_pipeline.cache.keys import payload_key
from tests.waiting import wait_until

DIGEST = "0123456789abcdef0123456789abcdef"


def test_the_catalogue_tells_what_can_be_asked(web, press, catalogue_of) -> None:
    press.publish()
    response = web.get("/manager/api/catalogue")
    assert response.status_code == 200
    body = response.get_json()
    assert body["data"]["dimensions"] == catalogue_of()["dimensions"]
    assert body["data"]["kpis"] == catalogue_of()["kpis"]
    assert "specs" not in body["data"]
    assert body["meta"]["product"] == "dashboards"
    assert body["meta"]["state"] == response.headers["X-Cache-State"] == "fresh"


def test_its_specification_addresses_work(web, press) -> None:
    press.publish("charts")
    chart, *_ = web.get("/manager/api/catalogue").get_json()["data"]["charts"]
    assert chart["spec_url_es"] == chart["spec_url_en"] == f"/manager/api/charts/specs/{DIGEST}"
    response = web.get(chart["spec_url_es"])
    assert response.status_code == 200
    assert response.get_json() == {"mark": "line", "data": {"name": "monthly_trend"}}
    assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    again = web.get(chart["spec_url_es"], headers={"If-None-Match": response.headers["ETag"]})
    assert again.status_code == 304


def test_a_specification_is_sent_compressed(web, press) -> None:
    press.publish("charts")
    address = f"/manager/api/charts/specs/{DIGEST}"
    plain = web.get(address).data
    for encoding, undo in (("zstd", zstandard.decompress), ("gzip", gzip.decompress)):
        response = web.get(address, headers={"Accept-Encoding": encoding})
        assert (response.headers["Content-Encoding"], response.headers["Vary"]) == (
            encoding,
            "Accept-Encoding",
        )
        assert undo(response.data) == plain


def test_an_unknown_specification(web, press) -> None:
    press.publish("charts")
    for digest in ("f" * 32, "x", "%2e%2e"):
        response = web.get(f"/manager/api/charts/specs/{digest}")
        assert response.status_code == 404
        assert response.get_json()["type"] == "/problems/chart-specification-unknown"
        assert response.headers["Cache-Control"] == "no-store"


def test_an_unchanged_catalogue_is_not_sent_again(web, press) -> None:
    press.publish("kpis")
    tag = web.get("/manager/api/catalogue").headers["ETag"]

    def again() -> int:
        return web.get("/manager/api/catalogue", headers={"If-None-Match": tag}).status_code

    assert again() == 304
    press.publish("kpis")
    wait_until(lambda: again() == 200)


def test_another_product_stands_in_for_a_lost_catalogue(web, press, client) -> None:
    lost, *_ = press.publish("dashboards", "financials")
    client.delete(payload_key(lost.generation, "catalogue"))
    assert web.get("/manager/api/catalogue").get_json()["meta"]["product"] == "financials"


def test_another_product_stands_in_for_an_expired_catalogue(web, press) -> None:
    press.publish("dashboards", age_s=5000)
    press.publish("charts")
    assert web.get("/manager/api/catalogue").get_json()["meta"]["product"] == "charts"


def test_an_expired_catalogue_is_not_served(web, press) -> None:
    press.publish("dashboards", age_s=5000)
    response = web.get("/manager/api/catalogue")
    assert response.status_code == 503
    assert response.get_json()["type"] == "/problems/expired"


def test_without_any_catalogue(web) -> None:
    assert web.get("/manager/api/catalogue").get_json()["type"] == "/problems/cache-empty"
    assert web.get(f"/manager/api/charts/specs/{DIGEST}").status_code == 404


def test_a_catalogue_of_the_wrong_shape(web, press) -> None:
    press.publish("dashboards", catalogue={"dimensions": [], "charts": None})
    response = web.get("/manager/api/catalogue")
    assert response.status_code == 503
    assert response.get_json()["type"] == "/problems/not-ready"
    assert web.get(f"/manager/api/charts/specs/{DIGEST}").status_code == 404
