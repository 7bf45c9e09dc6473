"""Problems: the same content for programs and for people, and a page for each kind."""

import html
import re
from datetime import date

import pytest

from kpi_pipeline.model.labels import Text
from serving.problem_types import PROBLEM_TYPES
from serving.problem_types.figures import EXPIRED
from serving.problems import Problem


@pytest.fixture
def failing(app):
    """The application with an address of each kind that fails."""

    def fail() -> str:
        raise Problem(
            EXPIRED,
            Text("Por <esto>.", "Because of <this>."),
            members={"allowed": ("a", "<b>")},
            headers={"Retry-After": "7"},
        )

    app.add_url_rule("/manager/api/fails", "fails", fail)
    app.add_url_rule("/fails", "fails-page", fail)
    return app.test_client()


def test_for_programs(failing) -> None:
    response = failing.get("/manager/api/fails?a=b")
    assert response.status_code == 503
    assert response.content_type == "application/problem+json"
    assert response.headers["Retry-After"] == "7"
    assert response.headers["Cache-Control"] == "no-store"
    assert response.get_json() == {
        "status": 503,
        "instance": "/manager/api/fails?a=b",
        "type": "/problems/expired",
        "title": EXPIRED.title.en,
        "detail": f"Because of <this>. {EXPIRED.advice.en} {EXPIRED.remedy.en}",
        "allowed": ["a", "<b>"],
    }


@pytest.mark.parametrize(
    ("address", "instance"),
    [
        ("/manager/api/%C3%B1%20%3F%23%25", "/manager/api/%C3%B1%20%3F%23%25"),
        ("/manager/api/a?b=|%C3%B1&c=100%&d=%zz", "/manager/api/a?b=%7C%C3%B1&c=100%25&d=%25zz"),
        ("/manager/api/a?", "/manager/api/a"),
        ("/manager/api/%FF", "/manager/api/%EF%BF%BD"),
    ],
)
def test_the_address_in_a_problem_is_a_uri_reference(address, instance, web) -> None:
    path, _, query = address.partition("?")
    assert web.get(path, query_string=query).get_json()["instance"] == instance


@pytest.mark.parametrize(
    ("language", "cause"), [("es", "Por &lt;esto&gt;."), ("en", "Because of &lt;this&gt;.")]
)
def test_for_people(language, cause, failing) -> None:
    response = failing.get("/fails", headers={"Accept-Language": language})
    assert response.status_code == 503
    assert response.content_type == "text/html; charset=utf-8"
    assert response.headers["Retry-After"] == "7"
    assert response.headers["Vary"] == "Accept-Language, Accept-Encoding"
    for expected in (EXPIRED.title.into(language), cause, "<li>&lt;b&gt;</li>", f'lang="{language}"'):
        assert expected in response.text
    assert EXPIRED.remedy.into(language) not in response.text  # commands are for operators


def test_a_status_without_a_kind_of_its_own(app) -> None:
    from flask import abort

    app.add_url_rule("/manager/api/teapot", "teapot", lambda: abort(418))
    app.add_url_rule("/teapot", "teapot-page", lambda: abort(418))
    web = app.test_client()
    assert web.get("/manager/api/teapot").get_json()["type"] == "about:blank"
    for language, title in (("es", "La solicitud no es válida"), ("en", "The request is not valid")):
        page = web.get(f"/teapot?lang={language}")
        assert page.status_code == 418
        assert title in page.text
        assert "eapot" not in page.text.replace("/teapot", "")


@pytest.mark.parametrize("slug", PROBLEM_TYPES)
def test_each_type_uri_leads_to_its_explanation(slug, web) -> None:
    kind = PROBLEM_TYPES[slug]
    for language, title in (("es", kind.title.es), ("en", kind.title.en)):
        response = web.get(f"{kind.uri}?lang={language}")
        assert response.status_code == 200
        assert f'<html lang="{language}">' in response.text
        assert title in response.text
        assert str(kind.status) in response.text
        assert kind.advice.into(language) in html.unescape(response.text)
        if kind.remedy:
            assert kind.remedy.into(language) not in html.unescape(response.text)


INTERNALS = re.compile(r"KPI_|[`«]kpi |REDIS|127\.0\.0\.1|\.env|/manager/|Authorization|X-KPI|Allow")


@pytest.mark.parametrize("slug", PROBLEM_TYPES)
def test_readers_get_no_command_setting_or_address(slug) -> None:
    kind = PROBLEM_TYPES[slug]
    for text in (kind.title, kind.advice):
        for said in (text.es, text.en):
            assert not INTERNALS.search(said)


def test_an_unknown_kind(web) -> None:
    assert web.get("/problems/none").status_code == 404


@pytest.mark.parametrize(
    ("requested", "wider"),
    [
        ("client=Nadie&state=pagado&lang=en", "state=pagado&amp;lang=en"),
        ("client=Nadie", ""),
        ("cliente=Minera+Nandu&cliente=Nadie", "cliente=Minera+Nandu"),
        ("colour=red&client=Minera+Nandu", "client=Minera+Nandu"),
        ("from=2031-01&to=2031-03&state=pagado", "state=pagado"),
        ("from=2024-03&to=2024-01&state=pagado", "state=pagado"),
        ("period=12m&month=2024-01", "month=2024-01"),
        ("as_of=1999-01-31&state=pagado", "state=pagado"),
        ("as_of=yesterday", ""),
    ],
)
def test_the_page_without_what_is_at_fault_is_offered(web, press, requested: str, wider: str) -> None:
    press.publish()
    response = web.get(f"/manager/critical?{requested}")
    assert response.status_code in (400, 404)
    address = f"/manager/critical?{wider}" if wider else "/manager/critical"
    assert f'<a class="button to-wider" href="{address}">' in response.text
    assert "to-wider" not in web.get("/nowhere").text
    assert web.get(address.replace("&amp;", "&")).status_code in (200, 202)


def test_a_filter_is_named_as_the_page_names_it_in_its_language(web, press) -> None:
    press.publish()
    query = "/manager/critical?client=Nadie"
    assert "El filtro «Cliente» no tiene el valor «Nadie»." in web.get(f"{query}&lang=es").text
    page = html.unescape(web.get(f"{query}&lang=en").text)
    assert 'The filter "Client" has no value "Nadie".' in page
    named = web.get("/manager/critical?color=rojo&lang=es").text
    assert "No hay ningún filtro «color»." in named
    assert "<li>Jefe de proyecto: jefe_proyecto</li>" in named
    assert "<li>Project manager: project_manager</li>" in web.get("/manager/critical?color=red&lang=en").text


def test_all_that_is_at_fault_is_named_at_once(web, press) -> None:
    press.publish()
    query = "client=Nadie&proyecto=P-999&state=perdido&client=Minera+Nandu&from=2031-01"
    page = web.get(f"/manager/critical?{query}&lang=es").text
    assert re.findall(r'class="problem-cause">([^<]*)<', page) == [
        "El filtro «Cliente» no tiene el valor «Nadie». El filtro «Proyecto» no tiene el valor «P-999». "
        "El filtro «Estado» no tiene el valor «perdido». No hay datos desde ene 2031; los "
        "hay de jul 2023 a jun 2024."
    ]
    assert 'href="/manager/critical?client=Minera+Nandu&amp;lang=es"' in page
    assert "Valores permitidos de «Proyecto»" in page
    assert "Ver la página sin estos filtros" in page
    problem = web.get(f"/manager/api/kpis?{query}").get_json()
    assert (problem["parameter"], problem["value"]) == ("client", "Nadie")
    assert [(one["parameter"], one["value"]) for one in problem["others"]] == [
        ("proyecto", "P-999"),
        ("state", "perdido"),
        ("from", "2031-01"),
    ]
    assert "others" not in web.get("/manager/api/kpis?client=Nadie").get_json()


@pytest.mark.parametrize(
    ("address", "words"),
    [
        (
            "/manager/changes?from=2024-06-26",
            [
                "«Desde el día» (from) no puede ser «26 jun 2024».",
                "<li>31 may 2024 (2024-05-31)</li>",
            ],
        ),
        (
            "/manager/changes?comparison=month_end&from=2024-05-31&to=2024-06-14",
            ["quite «Comparación» (comparison), o quite «Desde el día» (from) y «Hasta el día» (to)."],
        ),
        ("/manager/changes?moneda=xxx", ["«Moneda» (currency) no puede ser «XXX».", "<li>CLP</li>"]),
        ("/manager/certificates?moneda=xxx", ["«Moneda» (currency) no puede ser «XXX».", "<li>USD</li>"]),
        (
            "/manager/certificates?paid_from=ayer",
            ["«Pago, desde» (paid_from) debe ser un día que exista", "<li>1 ene 1990 - 31 dic 2099</li>"],
        ),
        ("/manager/certificates?orden=edad", ["«Orden» no puede ser «edad»."]),
        ("/manager/certificates?expected_in=2024-05", ["no tiene el mes «may 2024»: va de jun 2024 a"]),
        ("/manager/compare?value=2024", ["Falta elegir «Qué comparar» (dimension)."]),
        ("/manager/critical?as_of=ayer", ["«Fecha de las cifras» (as_of): «ayer» no es una fecha."]),
        (
            "/manager/critical?as_of=2024-05-30",
            [
                "No se guarda ningún cierre de mes hasta el 30 may 2024.",
                "<li>31 may 2024 (2024-05-31)</li>",
            ],
        ),
    ],
)
def test_parameters_are_named_and_days_are_written_out(web, press, keep, address: str, words) -> None:
    press.publish()
    keep("dashboards", date(2024, 5, 31))
    response = web.get(address, headers={"Accept-Language": "es"})
    assert response.status_code in (400, 404)
    page = html.unescape(response.text)
    for word in words:
        assert word in page


def test_figures_that_have_expired_say_until_when_they_were_valid(web, press) -> None:
    press.publish("dashboards", age_s=10_000)
    page = web.get("/manager/critical?lang=es").text
    assert re.search(r"Las cifras valían hasta el \d+ \w+ \d{4}, \d\d:\d\d\.", page)


@pytest.mark.parametrize("path", ["/manager/critical?client=Nadie", "/nowhere", "/problems/expired"])
def test_every_problem_has_the_switch_of_languages(web, press, path: str) -> None:
    press.publish()
    page = web.get(path, headers={"Accept-Language": "es"}).text
    (url,) = re.findall(r'class="language" href="([^"]*)"', page)
    assert html.unescape(url) == f"{path}{'&' if '?' in path else '?'}lang=en"
    other = web.get(html.unescape(url)).text
    assert '<html lang="en">' in other
    assert f'href="{html.escape(path)}{"&amp;" if "?" in path else "?"}lang=es"' in other


def test_where_no_month_end_is_kept_it_says_what_makes_them(web, press) -> None:
    press.publish()
    problem = web.get("/manager/api/kpis?as_of=2024-05-31").get_json()
    assert (problem["status"], problem["type"]) == (404, "/problems/no-month-ends")
    assert "allowed" not in problem
    assert "kpi backfill" in problem["detail"]
    page = web.get("/manager/critical?as_of=2024-05-31&lang=es").text
    assert "Los cierres de los últimos meses se preparan por sí solos" in page
    assert "kpi backfill" not in page
    assert 'class="allowed"' not in page
    assert 'class="button to-wider" href="/manager/critical?lang=es">Ver las cifras actuales<' in page
