"""The pages: both languages, every state, and nothing that a client's name could break."""

import html
import re
from html.parser import HTMLParser

import pytest

from kpi_pipeline.cache.keys import payload_key, variant_key
from kpi_pipeline.cache.manifest import MissReason
from kpi_pipeline.cache.requests.requests import Requests
from kpi_pipeline.cache.requests.tasks import RequestKind
from kpi_pipeline.cache.usage.counters import Reads, UsageCounters
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.model.filters import EVERYTHING, Filter
from serving.app import create_app
from tests.waiting import wait_until

PAGE = "/manager/dashboard"
ADDRESSES = [
    PAGE,
    "/manager/operational",
    "/manager/critical",
    "/manager/analytics",
    "/manager/project-managers",
    "/manager/cash-flow",
    "/manager/costs",
    "/manager/rework",
    "/manager/indicators",
]
PRODUCTS_READ = [*["dashboards"] * 3, "charts", "charts", "financials", "financials", "charts", "kpis"]
MINE = Filter.of({"client": "Minera Ñandú"})
BOTH = Filter.of({"client": ["Minera Ñandú", "Constructora Árbol & Cía."]})
AHEAD = {"X-Ahead": "1"}
HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(2)> {{7*7}} \u202e'


class KpiValue(HTMLParser):
    """What a browser makes of a page: elements with their attributes, and text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag, attrs) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def read(response) -> KpiValue:
    assert response.content_type == "text/html; charset=utf-8"
    return KpiValue(response.text)


def words(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def test_the_page_in_spanish(web, press) -> None:
    press.publish()
    response = web.get(PAGE)
    assert response.status_code == 200
    page = read(response)
    assert page.all("html") == [{"lang": "es"}]
    text = words(page.text)
    for expected in (
        "Gestión",
        "Al día",
        "Datos al 28 jun 2024",
        "Por cobrar",
        "$1.234 M",
        "34,6 días",
        "93,4%",
        "$432 M ÷ $4.562 M \N{MULTIPLICATION SIGN} 364 días",
        "Antigüedad de saldos impagos",
        "0\N{EN DASH}30 días",
        "12 meses",
        "al 28 jun",
        "12,5% mejora",
        "28 jun: 1.234 M ←antes 1.097 M, 28 jun 2023",
        "Meta 35 días: cumplida",
        "En revisión",
        "Minera Ñandú 12",
        "jun 2024 (4)",
        "Sin asignar 21",
    ):
        assert expected in text
    assert any(element.get("title") == "$1.234.000.000" for element in page.all("p"))


def test_the_page_in_english(web, press) -> None:
    press.publish()
    for response in (
        web.get(f"{PAGE}?lang=en"),
        web.get(PAGE, headers={"Accept-Language": "en-GB,en;q=0.9,es;q=0.1"}),
    ):
        page = read(response)
        assert page.all("html") == [{"lang": "en"}]
        text = words(page.text)
        for expected in (
            "Up to date",
            "Figures as of Jun 28, 2024",
            "CLP 1,234 M",
            "34.6 days",
            "In revision",
        ):
            assert expected in text
        assert response.headers["Vary"] == "Accept-Language, Accept-Encoding"


@pytest.mark.parametrize(
    "address",
    [PAGE, "/manager/system", "/problems/expired", "/manager/api/docs", "/manager/api/download/manager.csv"],
)
def test_a_language_that_there_is_not_is_named(address, web, press) -> None:
    press.publish()
    response = web.get(f"{address}?lang=fr", headers={"Accept-Language": "en"})
    assert response.status_code == 400
    if address.startswith("/manager/api"):
        assert response.get_json()["parameter"] == "lang"
        assert response.get_json()["allowed"] == ["es", "en"]
    else:
        text = words(read(response).text)
        assert '"fr" is no language of these pages.' in text
        assert "lang=es (Spanish) or lang=en (English)" in text
        assert f'href="{address}"' in response.text, "the page without it"


def test_every_page_is_one_read_of_its_product(web, press, client) -> None:
    press.publish()
    for address, product in zip(ADDRESSES, PRODUCTS_READ, strict=True):
        response = web.get(f"{address}?lang=en")
        assert response.status_code == 200
        assert response.headers["X-Generation"].startswith(product)
        page = read(response)
        assert (
            len([element for element in page.all("li") if (element.get("class") or "").startswith("card")])
            >= 4
        )
        assert {"type": "hidden", "name": "product", "value": product} in page.all("input")


def test_the_navigation_keeps_the_filter_and_marks_the_page(web, press, data_of) -> None:
    press.publish(answers=None)
    page = read(web.get("/manager/critical?lang=en"))
    links = [element for element in page.all("a") if (element.get("href") or "").endswith("?lang=en")]
    current = [element["href"] for element in links if element.get("aria-current") == "page"]
    assert current == ["/manager/critical?lang=en"]
    # The files of the page and what its tables name are not in the navigation.
    besides = ("/manager/api/", "/manager/certificates/", "/manager/clients/", "/manager/projects/")
    pages = dict.fromkeys(element["href"] for element in links if not element["href"].startswith(besides))
    others = ("/manager/changes", "/manager/compare", "/manager/certificates", "/manager/system")
    assert [f"{address}?lang=en" for address in (*ADDRESSES, *others)] == list(pages)
    answers = {EVERYTHING: data_of("dashboards"), MINE: data_of("dashboards")}
    press.publish("dashboards", answers=answers)
    filtered = read(web.get("/manager/operational?cliente=minera+nandu"))
    assert "/manager/cash-flow?client=Minera+%C3%91and%C3%BA" in [
        element.get("href") for element in filtered.all("a")
    ]
    (form,) = [element for element in filtered.all("form") if element.get("method") == "get"]
    assert form["action"] == "/manager/operational"


@pytest.mark.parametrize(
    "address", ["/manager/nothing", "/manager/manager", "/manager/project_managers", "/manager/cash-flow/"]
)
def test_an_unknown_page_is_a_problem(address, web, press) -> None:
    press.publish()
    response = web.get(address)
    assert response.status_code == 404
    assert read(response).all("h1")


def test_charts_are_drawn_described_and_tabled(web, press) -> None:
    press.publish()
    page = read(web.get(PAGE))
    drawings = [element for element in page.all("svg") if element.get("role") == "group"]
    ids = {element["id"] for tag, element in page.elements if element.get("id")}
    assert len(drawings) == 2  # the monthly trend and the cash flow
    for drawing in drawings:
        named = (drawing["aria-labelledby"] or "").split()
        assert len(named) == 2
        assert set(named) <= ids
    text = words(page.text)
    for expected in (
        "se propusieron $7.020 M, se aprobaron $6.240 M y se cobraron $5.460 M; el DSO es de 34,5 días.",
        "20,0% de los saldos impagos tiene más de 120 días ($5,0 M).",
        "En jul 2024 se espera cobrar $60,0 M (intervalo del 90%: de $30,0 M a $90,0 M)",
        "jul 2023",
        "1.080 M",  # what was proposed in the twelfth month
        "Los demás",
    ):
        assert expected in text
    assert len(page.all("figure")) == 7
    assert text.count("Ver los datos") == 7


def is_ours(script: dict[str, str | None]) -> bool:
    """Whether a script is one of our files, or facts that nothing runs."""
    src = script.get("src") or ""
    return script.get("type") == "application/json" or bool(
        re.fullmatch(r"/static/\w+/js/(main|marks)\.js", src)
    )


@pytest.mark.parametrize("address", ADDRESSES)
def test_nothing_comes_from_elsewhere_and_no_style_or_script_is_inline(address, web, press) -> None:
    press.publish()
    page = read(web.get(address))
    assert all(is_ours(script) for script in page.all("script"))
    assert page.all("style") == []
    for tag, attributes in page.elements:
        assert "style" not in attributes, tag
        assert not [name for name in attributes if name.startswith("on")], tag
        for name in ("href", "src", "action"):
            value = attributes.get(name)
            assert value is None or value.startswith(("/", "#")), (tag, value)


@pytest.mark.parametrize("address", ADDRESSES)
def test_identifiers_are_unique_with_several_currencies(address, web, press, data_of) -> None:
    for product in PRODUCTS:
        press.publish(product, answers={EVERYTHING: data_of(product, currencies=("CLP", "USD"))})
    page = read(web.get(f"{address}?lang=en"))
    ids = [element["id"] for _, element in page.elements if element.get("id")]
    assert len(ids) == len(set(ids))
    text = words(page.text)
    if address == PAGE:
        assert "CLP 1,234 M" in text
        assert "USD 12.3 M" in text  # 1,234,000,000 cents
        assert "34.6 days USD" in text


def removing(page: KpiValue) -> list[str]:
    """Where the links lead that take a part of the filter back."""
    return [
        element["href"]
        for element in page.all("a")
        if "filter" in (element.get("aria-label") or "").replace("filtro", "filter")
    ]


def test_a_chosen_filter_is_marked_and_can_be_taken_back(web, press, data_of) -> None:
    press.publish("dashboards", answers={EVERYTHING: data_of("dashboards"), MINE: data_of("dashboards")})
    page = read(web.get(f"{PAGE}?cliente=minera+nandu&lang=en"))
    chosen = [element["value"] for element in page.all("input") if "checked" in element]
    assert chosen == ["Minera Ñandú"]
    # By its chip, and by the control of its dimension.
    assert removing(page) == [f"{PAGE}?lang=en"] * 2
    assert {"type": "hidden", "name": "lang", "value": "en"} in page.all("input")
    (other,) = [element for element in page.all("a") if element.get("hreflang")]
    assert other["href"] == f"{PAGE}?client=Minera+%C3%91and%C3%BA&lang=es"
    assert read(web.get(other["href"])).all("html") == [{"lang": "es"}]


def test_several_values_of_one_dimension_survive_the_form(web, press, data_of) -> None:
    press.publish("dashboards", answers={EVERYTHING: data_of("dashboards"), BOTH: data_of("dashboards")})
    page = read(web.get(PAGE, query_string=[("client", value) for value in BOTH.values("client")]))
    chosen = [(element["name"], element["value"]) for element in page.all("input") if "checked" in element]
    assert chosen == [("client", value) for value in sorted(BOTH.values("client"))]
    all_of_it, *one_by_one = removing(page)
    assert web.get(all_of_it).status_code == 200
    assert len(one_by_one) == 2
    for address in one_by_one:
        assert web.get(address).status_code == 202


def test_stale_figures_say_so(web, press, client) -> None:
    press.publish("dashboards", age_s=700)
    response = web.get(PAGE)
    assert response.status_code == 200
    text = words(read(response).text)
    assert "Desactualizado" in text
    assert "hace 12 minutos" in text
    assert "se pidió un cálculo nuevo" in text
    assert 'http-equiv="refresh"' not in response.text
    assert [task.product for task in Requests(client).pending("test", 10)] == ["dashboards"]


def test_a_missing_variant_shows_the_wider_figures_and_refreshes_itself(web, press, data_of) -> None:
    answers = {EVERYTHING: data_of("dashboards"), MINE: data_of("dashboards", scale=2)}
    press.publish("dashboards", answers=answers)
    address = f"{PAGE}?client=minera nandu&month=2024-06"
    response = web.get(address)
    assert response.status_code == 202
    assert '<noscript><meta http-equiv="refresh" content="3"></noscript>' in response.text
    assert response.headers["Cache-Control"] == "no-store"
    page = read(response)
    text = words(page.text)
    assert "En preparación" in text
    assert "de un filtro más amplio: Cliente: Minera Ñandú." in text
    assert "$2.468 M" in text
    (progress,) = [element["href"] for element in page.all("a") if "/status/" in (element.get("href") or "")]
    assert web.get(progress).get_json()["state"] == "queued"
    both = Filter.of({"client": "Minera Ñandú", "month": "2024-06"})
    press.publish("dashboards", answers={**answers, both: data_of("dashboards", scale=3)})
    wait_until(lambda: web.get(address).status_code == 200)
    assert 'http-equiv="refresh"' not in web.get(address).text


def test_what_is_missing_and_only_about_to_be_wanted_is_no_question(web, press, client) -> None:
    press.publish("dashboards")
    requests, usage_counters = Requests(client), UsageCounters(client)
    address = f"{PAGE}?client=minera nandu"
    ahead = web.get(address, headers=AHEAD)
    assert ahead.status_code == 202
    assert "/status/" not in ahead.text
    assert requests.pending("test", 10) == []
    wanted = web.get(address)
    assert wanted.status_code == 202
    assert [(task.kind, task.filter) for task in requests.pending("test", 10)] == [(RequestKind.WARM, MINE)]
    wait_until(lambda: usage_counters.reads("dashboards").missed > 0)
    assert usage_counters.reads("dashboards") == Reads(0, {MissReason.NOT_PRECOMPUTED: 1})
    assert [round(task.weight) for task in usage_counters.most_requested("dashboards", 10)] == [1]


def test_what_is_there_is_a_question_also_ahead(web, press, client) -> None:
    press.publish("dashboards")
    assert web.get(PAGE, headers=AHEAD).status_code == 200
    wait_until(lambda: UsageCounters(client).reads("dashboards") == Reads(1, {}))


@pytest.mark.parametrize(
    ("age_s", "title"), [(None, "Todavía no hay cifras"), (5000, "Las cifras caducaron")]
)
def test_without_figures_the_page_is_a_problem(age_s, title, web, press) -> None:
    if age_s is not None:
        press.publish(age_s=age_s)
    response = web.get(PAGE)
    assert response.status_code == 503
    assert title in read(response).text
    assert "Retry-After" in response.headers


def test_allowed_values_are_in_the_language_of_the_reader_with_the_word_of_the_address(web, press) -> None:
    press.publish()
    spanish, english = (
        words(read(web.get(f"{PAGE}?estado=nada&lang={language}")).text) for language in ("es", "en")
    )
    assert "Enviado" in spanish and "Enviado (enviado)" not in spanish
    assert "Sent (enviado)" in english and "Paid (pagado)" in english
    assert "Low (bajo)" in words(read(web.get(f"{PAGE}?banda_monto=x&lang=en")).text)
    period = words(read(web.get(f"{PAGE}?period=x&lang=en")).text)
    assert "Last 7 days (7d)" in period
    month = words(read(web.get(f"{PAGE}?desde=2024-05-01")).text)
    assert "«2024-05-01» no es un mes: escríbalo como AAAA-MM, por ejemplo 2024-05." in month
    for query, said in {
        "from=2024-05&to=2024-03": "termina antes, en mar 2024: intercambie los dos meses.",
        "from=2030-01": "No hay datos desde ene 2030; los hay de jul 2023 a jun 2024.",
        "estado=pagado,enviado": "repitiendo el filtro: estado=pagado&estado=enviado.",
        "lang=fr": "Ver la página en el idioma del navegador",
    }.items():
        assert said in words(html.unescape(read(web.get(f"{PAGE}?{query}")).text)), query
    # Programs send words, not labels.
    assert "pagado" in web.get("/manager/api/kpis?state=nada").get_json()["allowed"]


def test_an_unknown_filter_names_what_is_allowed(web, press) -> None:
    press.publish()
    response = web.get(f"{PAGE}?estado=perdido&lang=en")
    assert response.status_code == 400
    text = words(read(response).text)
    assert 'The filter "State" has no value "perdido".' in text
    assert "enviado" in text
    assert "pagado" in text
    unknown = web.get(f"{PAGE}?color=rojo")
    assert unknown.status_code == 400
    assert "Gestor: gestor" in words(read(unknown).text)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        (
            "from=2099-02&to=2099-01&lang=en",
            "The range begins in Feb 2099 and ends before, in Jan 2099: exchange the two months.",
        ),
        (
            "desde=2099-02&hasta=2099-01&lang=es",
            "El periodo comienza en feb 2099 y termina antes, en ene 2099: intercambie los dos meses.",
        ),
        ("from=2099-01&lang=en", "There are no data from Jan 2099; there are from Jul 2023 to Jun 2024."),
        (
            "from=1999-01&to=1999-02&lang=es",
            "No hay datos desde ene 1999 hasta feb 1999; los hay de jul 2023 a jun 2024.",
        ),
    ],
)
def test_a_range_without_a_month_says_why(web, press, query: str, said: str) -> None:
    press.publish()
    response = web.get(f"{PAGE}?{query}")
    assert response.status_code == 400
    assert said in words(read(response).text)


@pytest.mark.parametrize("where", ["client", "project", "state"])
def test_hostile_values_are_shown_as_text(where, web, press, data_of, catalogue_of) -> None:
    held = catalogue_of()
    next(element for element in held["dimensions"] if element["name"] == where)["values"] = [
        {"value": HOSTILE, "count": 1}
    ]
    hostile = Filter.of({where: HOSTILE})
    figures = data_of("dashboards")
    for chart, column in (("states", "state"), ("ageing", "bucket"), ("client_performance", "client")):
        figures["charts"][chart]["columns"][column][0] = HOSTILE
    figures["charts"]["states"]["says"][0]["values"]["state"] = HOSTILE
    press.publish("dashboards", answers={EVERYTHING: figures, hostile: figures}, catalogue=held)
    for response in (
        web.get(PAGE),
        web.get(PAGE, query_string={where: HOSTILE}),
        web.get(PAGE, query_string={where: HOSTILE, "month": "2024-06"}),
        web.get(PAGE, query_string={where: HOSTILE + "?"}),
        web.get(PAGE, query_string={HOSTILE: HOSTILE}),
    ):
        page = read(response)
        assert all(is_ours(script) for script in page.all("script"))
        assert page.all("img") == []
        assert "<script>alert(1)</script>" in page.text
        assert "{{7*7}}" in page.text


@pytest.mark.parametrize(
    "change",
    [
        {"kpis": None},
        {"currencies": ["<b>"]},
        {"months": []},
        {"months": ["2024-13"]},
        {"kpis": {}},
        {"comparison": {"from": "2024-01"}},
        {"charts": {}},
        {"charts": {"ageing": {"columns": {}, "empty": False}}},
    ],
)
def test_figures_of_the_wrong_shape_are_no_internal_error(change, web, press, data_of, client) -> None:
    press.publish("dashboards", answers={EVERYTHING: {**data_of("dashboards"), **change}})
    response = web.get(PAGE)
    assert response.status_code == 503
    assert "Las cifras se están preparando" in read(response).text
    assert [task.kind for task in Requests(client).pending("test", 10)] == ["refresh"]


def test_a_corrupt_payload_is_no_internal_error(web, press, client) -> None:
    (entry,) = press.publish("dashboards")
    client.set(payload_key(entry.generation, variant_key("dashboards", EVERYTHING)), b"\x00" * 50)
    assert web.get(PAGE).status_code == 503


def test_a_lost_catalogue_is_replaced_by_that_of_another_product(web, press, client) -> None:
    lost, _ = press.publish("dashboards", "kpis")
    client.delete(payload_key(lost.generation, "catalogue"))
    assert web.get(PAGE).status_code == 200


def test_a_filter_without_certificates_says_so(web, press, data_of) -> None:
    empty = data_of("dashboards", currencies=())
    press.publish("dashboards", answers={EVERYTHING: data_of("dashboards"), MINE: empty})
    response = web.get(f"{PAGE}?client=minera nandu")
    assert response.status_code == 200
    assert "Ningún certificado cumple este filtro." in words(read(response).text)


def test_no_value_is_shown_as_no_data(web, press, data_of) -> None:
    figures = data_of("dashboards")
    figures["kpis"]["dso"][0]["value"] = None
    figures["charts"]["ageing"]["columns"]["share"][0] = None
    press.publish("dashboards", answers={EVERYTHING: figures})
    text = words(read(web.get(PAGE)).text)
    assert "DSO" in text
    assert "\N{EM DASH} Sin datos" in text


def test_the_clock_is_that_of_the_time_zone(cache_url, settings_of, press) -> None:
    press.publish("dashboards", computed_at=1719576000.0)  # noon in UTC
    web = create_app(settings_of(REDIS_URL=cache_url, KPI_TIMEZONE="Asia/Tokyo")).test_client()
    assert "28 jun 2024, 21:00" in words(read(web.get(PAGE)).text)
