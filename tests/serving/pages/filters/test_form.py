"""The filter form: groups, counts under the filter, what is impossible under it, and what it sends."""

import re
from html.parser import HTMLParser

import pytest

from kpi_pipeline.cache.usage.counters import Reads, UsageCounters
from kpi_pipeline.model.filters import EVERYTHING, Filter
from serving.catalogue import Catalogue
from serving.pages.filters.form import Choice, chips, choices, option_counts
from tests.waiting import wait_until

PAGE = "/manager/dashboard"
LAST_3 = ["2024-04", "2024-05", "2024-06"]


@pytest.fixture
def catalogue(catalogue_of) -> Catalogue:
    return Catalogue.model_validate(catalogue_of())


@pytest.fixture
def form_of(context_of):
    """The controls of the form by their parameter."""

    def make(selection: dict, **context) -> dict[str, Choice]:
        return {choice.name: choice for choice in choices(context_of(selection, **context))}

    return make


def chosen(choice: Choice) -> list[str]:
    return [option.value for option in choice.options if option.chosen]


def test_counts_are_those_under_the_filter_else_of_all_certificates(catalogue) -> None:
    options = {"state": [0, 4, 5], "project": [9, 9]}
    wider = {"client": {"client": [7, 9], "state": [9, 9, 9]}, "amount_band": None}
    counts = option_counts(catalogue, options, wider)
    assert counts["state"] == [0, 4, 5]  # what the filter leaves free
    assert counts["client"] == [7, 9]  # what it names, from the variant that leaves it free
    assert counts["amount_band"] == [5, 6, 7, 3]  # no such variant at hand
    assert counts["project"] == [21]  # not of this catalogue
    assert option_counts(catalogue, None, {})["state"] == [2, 6, 13]


def test_impossible_values_are_marked_unless_they_are_chosen(form_of) -> None:
    form = form_of({"state": ["pagado"]}, options={"client": [0, 3]}, wider={"state": {"state": [0, 0, 0]}})
    clients = {one.value: (one.count, one.impossible) for one in form["client"].options}
    assert sorted(clients.values()) == [("0", True), ("3", False)]
    states = {one.value: one.impossible for one in form["state"].options}
    assert states == {"pendientes": True, "revision": True, "enviado": True, "pagado": False}


def test_a_long_list_begins_with_what_is_possible(catalogue_of, form_of) -> None:
    stored = catalogue_of()
    (projects,) = [one for one in stored["dimensions"] if one["name"] == "project"]
    projects["values"] = [{"value": f"P-{at}", "count": at % 2} for at in range(10)]
    form = form_of({}, stored=stored)
    assert form["project"].is_long
    assert [one.value for one in form["project"].options] == [
        f"P-{at}" for at in (1, 3, 5, 7, 9, 0, 2, 4, 6, 8)
    ]
    # Days follow one another however many they are.
    assert form["issued_age"].is_long
    assert [one.value for one in form["issued_age"].options][:2] == ["0-6", "7-13"]
    assert not form["state"].is_long


def test_a_group_is_a_choice_of_its_dimension_with_the_count_of_its_values(form_of) -> None:
    state = form_of({"state": ["enviado", "revision"]})["state"]
    group = state.options[0]
    assert (group.label, group.count) == ("Awaiting acceptance (in revision and sent)", "8")
    assert chosen(state) == ["pendientes"]
    included = {one.value for one in state.options if one.included}
    assert included == {"enviado", "revision"}
    both = form_of({"state": ["enviado", "pagado", "revision"]})["state"]
    assert chosen(both) == ["pendientes", "pagado"]


def test_a_choice_says_what_is_chosen_and_how_to_clear_it(form_of) -> None:
    form = form_of(
        {"state": ["enviado", "revision"], "amount_band": ["alto", "bajo"], "client": ["Minera Ñandú"]}
    )
    assert form["state"].summary == "Awaiting acceptance (in revision and sent)"
    assert (
        form["state"].clear_url == f"{PAGE}?client=Minera+%C3%91and%C3%BA&amount_band=bajo&amount_band=alto"
    )
    assert form["amount_band"].summary == "2 chosen"
    assert form["client"].summary == "Minera Ñandú"
    assert (form["project"].summary, form["project"].clear_url) == ("All", None)


def test_amount_bands_and_days_read_as_people_say_them(form_of) -> None:
    form = form_of({})
    assert [one.label for one in form["amount_band"].options] == ["Low", "Medium", "High", "Very high"]
    assert [one.label for one in form["issued_age"].options][:2] == ["0\N{EN DASH}6", "7\N{EN DASH}13"]


@pytest.mark.parametrize(
    ("selection", "dimension", "label"),
    [
        ({"month": LAST_3}, "Periodo", "Últimos 3 meses"),
        ({"month": ["2023-08", "2023-09"]}, "Periodo", "ago 2023 \N{EN DASH} sept 2023"),
        ({"state": ["enviado", "revision"]}, "Estado", "Pendientes (en revisión y enviados)"),
        ({"amount_band": ["muy alto"]}, "Rango de monto", "Muy alto"),
        ({"issued_age": ["7-13"]}, "Días desde la emisión", "7\N{EN DASH}13"),
    ],
)
def test_a_chip_is_what_was_chosen_in_one_go(selection, dimension, label, context_of) -> None:
    (chip,) = chips(context_of(selection, language="es"))
    assert (chip.dimension, chip.label, chip.remove_url) == (dimension, label, PAGE)


def test_each_chip_leaves_the_others_in_few_words(context_of) -> None:
    selection = {"month": LAST_3, "state": ["enviado", "pagado", "revision"]}
    period, group, paid = chips(context_of(selection))
    assert period.remove_url == f"{PAGE}?state=pendientes&state=pagado"
    assert group.remove_url == f"{PAGE}?period=3m&state=pagado"
    assert paid.remove_url == f"{PAGE}?period=3m&state=pendientes"


class Form(HTMLParser):
    """What a browser sends when the filter form of a page is sent as it is, and its disabled boxes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.sent: list[tuple[str, str]] = []
        self.disabled: list[str] = []
        self._name: str | None = None
        (form,) = re.findall(r'<form class="filters.*?</form>', page, re.DOTALL)
        self.feed(form)

    def handle_starttag(self, tag, attrs) -> None:
        attributes = dict(attrs)
        if tag == "select":
            self._name = attributes["name"]
        if tag == "option" and "selected" in attributes:
            self.sent.append((self._name, attributes["value"]))
        if tag != "input" or attributes["type"] == "search":
            return
        if "disabled" in attributes:
            self.disabled.append(attributes["value"])
        elif attributes["type"] != "checkbox" or "checked" in attributes:
            self.sent.append((attributes["name"], attributes["value"]))


ASKED = [
    "",
    "period=3m",
    "periodo=30D&estado=Pendientes",
    "from=2023-08&to=2023-10&banda_monto=MUY ALTO&lang=en",
    "month=2023-08&month=2023-10&state=pagado&state=pendientes",
    "period=ytd&issued_age=0-6&issued_age=7-13",
]


@pytest.mark.parametrize("query", ASKED)
def test_the_form_sent_as_it_is_asks_for_the_same_filter(query, web, press) -> None:
    press.publish()
    requested = web.get(f"/manager/api/dashboard?{query.removesuffix('&lang=en')}").get_json()["meta"]
    shown = web.get(f"{PAGE}?{query}")
    sent = [pair for pair in Form(shown.text).sent if pair[0] != "lang"]
    again = web.get("/manager/api/dashboard", query_string=sent).get_json()["meta"]
    assert again.get("asked_filter") == requested.get("asked_filter")
    assert again["filter"] == requested["filter"]


def test_the_page_marks_what_is_impossible_under_its_filter(web, press, data_of) -> None:
    under = {**data_of("dashboards"), "options": {"state": [0, 0, 4], "project": [4]}}
    mine = Filter.of({"client": "Minera Ñandú"})
    press.publish("dashboards", answers={EVERYTHING: data_of("dashboards"), mine: under})
    page = web.get(f"{PAGE}?client=minera nandu").text
    assert Form(page).disabled == ["pendientes", "revision", "enviado", "730+"]
    assert re.search(r">Pagado</span> <span class=.option-count.>4</span>", page)


def test_the_page_counts_what_more_of_a_chosen_dimension_would_bring(web, press, data_of, client) -> None:
    mine = Filter.of({"client": "Minera Ñandú"})
    every = {**data_of("dashboards"), "options": {"client": [7, 9]}}
    under = {**data_of("dashboards"), "options": {"state": [0, 0, 4]}}
    press.publish("dashboards", answers={EVERYTHING: every, mine: under})
    page = web.get(f"{PAGE}?client=minera nandu").text
    assert re.search(r">Constructora Árbol &amp; Cía\.</span> <span class=.option-count.>7</span>", page)
    # Looking there was no question of the reader.
    wait_until(lambda: UsageCounters(client).reads("dashboards") == Reads(1, {}))
    assert [one.filter for one in UsageCounters(client).most_requested("dashboards", 10)] == [mine]


def test_counts_are_those_of_the_catalogue_when_the_wider_variant_is_not_there(web, press, data_of) -> None:
    mine = Filter.of({"client": "Minera Ñandú"})
    press.publish("dashboards", answers={mine: data_of("dashboards")})
    page = web.get(f"{PAGE}?client=minera nandu")
    assert page.status_code == 200
    assert re.search(r">Minera Ñandú</span> <span class=.option-count.>12</span>", page.text)


def test_the_page_shows_the_period_as_one_chip_and_marks_its_link(web, press, data_of) -> None:
    three = Filter.of({"month": LAST_3})
    press.publish("dashboards", answers={EVERYTHING: data_of("dashboards"), three: data_of("dashboards")})
    for query in ("period=3m", "desde=2024-04", "mes=2024-04&mes=2024-05&mes=2024-06"):
        response = web.get(f"{PAGE}?{query}")
        assert response.status_code == 200
        assert re.findall(r'aria-current="true">([^<]+)</a>', response.text) == ["Últimos 3 meses"]
        assert response.text.count('class="chip"') == 1
        assert 'name="period" value="3m"' in response.text  # what the refresh button sends


def test_a_refresh_leads_back_in_few_words(web, press) -> None:
    press.publish()
    sent = {"month": LAST_3, "state": ["revision", "enviado"], "lang": "en"}
    back = web.post(f"{PAGE}/refresh", data=sent, headers={"Accept": "text/html"})
    assert back.status_code == 303
    assert back.headers["Location"].startswith(f"{PAGE}?period=3m&state=pendientes&lang=en&task=")


@pytest.mark.parametrize("where", [PAGE, "/manager/api/dashboard"])
@pytest.mark.parametrize(
    ("query", "kind", "parameter", "allowed", "said", "listed"),
    [
        ("periodo=5d", "unknown-filter-value", "periodo", "7d", "filtro «Periodo»", "Últimos 7 días (7d)"),
        (
            "desde=2024-13",
            "unknown-filter-value",
            "desde",
            "2024-06",
            "como AAAA-MM, por ejemplo 2024-06",
            "jun 2024 (2024-06)",
        ),
        (
            "from=2024-07",
            "unknown-filter-value",
            "from",
            "2024-06",
            "datos desde jul 2024; los hay de jul 2023 a jun 2024",
            "jun 2024 (2024-06)",
        ),
        (
            "from=2024-05&to=2024-02",
            "unknown-filter-value",
            "from",
            "2024-02",
            "antes, en feb 2024",
            "feb 2024 (2024-02)",
        ),
        ("period=3m&mes=2024-05", "filter-conflict", "period", "mes", "«Mes» y «Periodo»", "Mes"),
        (
            "period=3m&period=6m",
            "filter-conflict",
            "period",
            "6m",
            "filtro «Periodo»",
            "Últimos 6 meses (6m)",
        ),
    ],
)
def test_what_cannot_be_is_a_bad_request(
    where, query, kind, parameter, allowed, said, listed, web, press
) -> None:
    press.publish()
    response = web.get(f"{where}?{query}")
    assert response.status_code == 400
    if where == PAGE:
        assert said in response.text
        assert f"<li>{listed}</li>" in response.text
    else:
        problem = response.get_json()
        assert problem["type"] == f"/problems/{kind}"
        assert problem["parameter"] == parameter
        assert allowed in problem["allowed"]


def test_a_conflict_is_explained_in_both_languages(web, press) -> None:
    press.publish()
    assert "Los filtros «Mes» y «Periodo» no van juntos." in web.get(f"{PAGE}?period=3m&mes=2024-05").text
    shown = web.get(f"{PAGE}?period=3m&period=6m&lang=en").text
    assert "The filter &#34;Period&#34; cannot be both &#34;3m&#34; and &#34;6m&#34;." in shown


def test_the_kind_of_a_conflict_has_its_own_page(web) -> None:
    assert "A period, a range of months and" in web.get("/problems/filter-conflict?lang=en").text
