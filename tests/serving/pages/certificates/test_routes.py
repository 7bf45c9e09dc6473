"""The page of the list: its rows, heads that sort, totals, pager, and what its form keeps."""

import re
from datetime import date, timedelta
from html import unescape
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import pytest

from kpi_pipeline.cache.publishing.publisher import NO_ATTACHMENTS
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.model.filters import EVERYTHING, Filter
from kpi_pipeline.model.listing import LISTED_WITH, USUAL_COLUMNS
from tests.serving.certificates import certificate, list_of, past_list, sent
from tests.serving.payloads import CONSTRUCTORA

LIST = "/manager/certificates"
MANY = [sent(number, date(2024, 1, 1) + timedelta(number % 150), 1000 + number) for number in range(1, 121)]


def links(text: str) -> list[str]:
    """Every address that a page leads to."""
    return [unescape(address) for address in re.findall(r'href="([^"]+)"', text)]


def numbers(text: str) -> list[str]:
    """The numbers of the certificates shown."""
    return re.findall(r'class="column-number" data-head="[^"]+"><a [^>]+>([^<]+)<', text)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ["8 certificates", "1 credit note among them", "Days late", "CLP 12,345,678", "(assumed)"]),
        ("es", ["8 certificados", "1 nota de crédito entre ellos", "Días de atraso", "$12.345.678"]),
    ],
)
def test_a_page_in_each_language(web, press, language: str, words: list[str]) -> None:
    (entry,) = press.publish("dashboards")
    response = web.get(f"{LIST}?lang={language}")
    assert response.status_code == 200
    assert response.headers["X-Generation"] == entry.generation
    assert response.headers["Cache-Control"] == "private, no-cache"
    text = unescape(response.text).replace("\N{NO-BREAK SPACE}", " ")
    assert numbers(text) == ["1", "10", "9", "12", "13", "14", "2", "11"]
    for word in words:
        assert word in text
    # Both currencies have sums of their own.
    assert text.count('<dl class="list-totals">') == 2


def test_heads_sort_and_keep_the_rest(web, press) -> None:
    press.publish("dashboards")
    text = web.get(f"{LIST}?lang=en&client={quote(CONSTRUCTORA)}&standing=receivable&sort=open").text
    assert 'column-open number" aria-sort="ascending"' in text
    (turned,) = [one for one in links(text) if "sort=-open" in one]
    assert dict(parse_qsl(urlsplit(turned).query)) == {
        "client": CONSTRUCTORA,
        "standing": "receivable",
        "sort": "-open",
        "lang": "en",
    }
    assert numbers(unescape(text)) == ["9", "2"]
    assert numbers(web.get(turned).text) == ["2", "9"]


def test_the_list_has_one_address_however_its_form_is_sent(web, press) -> None:
    press.publish("dashboards")
    usual = "&".join(f"columns={name}" for name in USUAL_COLUMNS)
    empty = "search=&standing=&due_from=&client="
    for sent_as, address in {
        f"standing=paid&{usual}&{empty}&lang=en": "standing=paid&lang=en",
        f"{empty}&{usual}": "",
        "columns=paid_on&lang=en&columnas=number&sort=number": "columns=number,paid_on&lang=en&sort=number",
    }.items():
        response = web.get(f"{LIST}?{sent_as}")
        assert response.status_code == 302
        assert response.location == LIST + (address and f"?{address}")
    # What links and files of that page name is the same, and leads nowhere else.
    page = web.get(response.location)
    assert page.status_code == 200
    named = [one for one in links(page.text) if "columns=" in one]
    assert all("columns=number,paid_on" in one for one in named)
    assert {urlsplit(one).path.rpartition(".")[2] for one in named} >= {LIST, "csv", "xlsx"}
    assert [web.get(one).status_code for one in named if urlsplit(one).path == LIST] != []
    assert all(web.get(one).status_code == 200 for one in named)


def test_a_column_at_fault_is_left_out_of_the_page_that_is_offered(web, press) -> None:
    press.publish("dashboards")
    refused = web.get(f"{LIST}?lang=en&columns=number,urgency", headers={"Accept": "text/html"})
    assert refused.status_code == 400
    assert f"{LIST}?lang=en" in links(refused.text)


def test_what_clients_retain_has_a_list_and_a_total(web, press) -> None:
    agreed = {"sent_on": date(2024, 2, 3), "conformity_on": date(2024, 2, 20)}
    rows = [
        certificate(1, "validado", date(2024, 2, 1), 9_000_000, **agreed, amount_retained=450_000),
        certificate(2, "validado", date(2024, 2, 1), 8_000_000, **agreed),
    ]
    press.publish("dashboards", certificates=list_of(rows))
    text = unescape(web.get(f"{LIST}?lang=en&standing=retained&columns=number,retained").text)
    assert numbers(text) == ["1"]
    assert '<dt>Retained</dt><dd title="CLP 450,000">' in text.replace("\N{NO-BREAK SPACE}", " ")
    # Where nothing is retained no total says so.
    assert "<dt>Retained</dt>" not in web.get(f"{LIST}?lang=en&search=2").text


def test_pages_are_turned_and_a_page_that_is_gone_is_the_last(web, press) -> None:
    press.publish("dashboards", certificates=list_of(MANY))
    text = web.get(f"{LIST}?lang=en&sort=number").text
    assert "1 to 50 of 120" in text
    offsets = dict(re.findall(r'class="turn" rel="(\w+)" href="([^"]+)"', text))
    assert set(offsets) == {"next", "last"}
    last = web.get(unescape(offsets["last"])).text
    assert "101 to 120 of 120" in last
    assert numbers(last)[-1] == "120"
    assert "101 to 120 of 120" in web.get(f"{LIST}?lang=en&sort=number&offset=5000").text


def test_what_is_too_long_is_told_in_the_language_of_the_reader(web, press) -> None:
    press.publish("dashboards")
    for language, allowed in (("es", "De 1 a 100 caracteres"), ("en", "1 to 100 characters")):
        page = web.get(f"/manager/certificates?lang={language}&search={'x' * 101}")
        assert page.status_code == 400
        assert f"<li>{allowed}</li>" in page.text


def test_the_form_keeps_the_order_and_shows_what_is_chosen(web, press) -> None:
    press.publish("dashboards")
    text = unescape(web.get(f"{LIST}?lang=en&sort=number&search=ñandu&standing=paid&columns=number").text)
    assert '<input type="hidden" name="sort" value="number">' in text
    assert 'name="search" value="ñandu"' in text
    assert '<span class="chip-dimension">Standing:</span> Paid' in text
    assert '<span class="chip-dimension">Contains:</span> ñandu' in text
    assert numbers(text) == ["12"]
    # On paper, where there is no form.
    assert "<strong>Filter:</strong> Standing: Paid, Contains: ñandu" in text
    assert "<dt>Certificate</dt><dd>Number within its project.</dd>" in text


def test_the_form_has_fields_for_the_days_of_each_event(web, press) -> None:
    press.publish("dashboards")
    text = unescape(web.get(f"{LIST}?lang=en&sent_from=2024-05-01&issued_to=2024-06-30&sort=number").text)
    fields = dict(re.findall(r'<input type="date" id="\w+" name="(\w+)" value="([^"]*)"', text))
    events = ("issued", "sent", "accepted", "paid", "due")
    assert list(fields) == [f"{event}_{end}" for event in events for end in ("from", "to")]
    chosen = {name: day for name, day in fields.items() if day}
    assert chosen == {"sent_from": "2024-05-01", "issued_to": "2024-06-30"}
    # What has a field is sent once.
    assert re.findall(r'<input type="hidden" name="(\w+)"', text.split("</form>")[1]) == ["sort", "lang"]
    assert '<span class="choice-summary">2 chosen</span>' in text
    for columns, said in (("client", "1 elegida"), ("client,open", "2 elegidas")):
        chosen = web.get(f"/manager/certificates?lang=es&columns={columns}").text
        assert f'<span class="choice-summary">{said}</span>' in chosen
    assert f'id="clear-days" href="{LIST}?sort=number&lang=en"' in text
    # As a browser without scripts sends the form, also what is empty.
    query = urlencode({**fields, "sort": "number", "lang": "en"})
    assert numbers(web.get(f"{LIST}?{query}", follow_redirects=True).text) == numbers(text)


def test_names_narrow_the_list(web, press) -> None:
    press.publish("dashboards")
    text = web.get(f"{LIST}?lang=en&standing=receivable").text
    narrowed = next(url for url in links(text) if f"client={quote('Constructora')}" in url)
    assert dict(parse_qsl(urlsplit(narrowed).query))["standing"] == "receivable"
    assert sorted(numbers(web.get(narrowed).text)) == ["2", "9"]


def test_other_pages_lead_here_with_their_filter(web, press) -> None:
    press.publish()
    text = web.get("/manager/critical?lang=en").text
    assert f"{LIST}?lang=en" in links(text)


@pytest.mark.parametrize(
    ("query", "status", "word"),
    [
        ("standing=lost", 400, "Receivable (receivable)"),
        ("client=nobody", 400, "Unknown filter value"),
        ("as_of=2024-05-31", 404, "There is no list of that month end"),
    ],
)
def test_a_problem_is_a_page(web, press, keep, query: str, status: int, word: str) -> None:
    press.publish("dashboards")
    keep("dashboards", date(2024, 5, 31))
    response = web.get(f"{LIST}?lang=en&{query}")
    assert response.status_code == status
    assert word in unescape(response.text)


MAY = date(2024, 5, 31)


@pytest.fixture
def past(press, keep) -> None:
    """All products of today and as of May, which has a list, and of April, which has none."""
    press.publish()
    for product in PRODUCTS:
        keep(product, date(2024, 4, 30))
        keep(product, MAY, certificates=past_list(MAY) if product == LISTED_WITH else NO_ATTACHMENTS)


@pytest.mark.usefixtures("past")
def test_the_list_of_a_month_end_keeps_its_date(web) -> None:
    text = unescape(web.get(f"{LIST}?lang=en&as_of=2024-05-31&standing=receivable&limit=2").text)
    assert "These are the figures as of the month end of May 31, 2024" in " ".join(text.split())
    assert len(numbers(text)) == 2
    # Only month ends with a list can be chosen.
    assert re.findall(r'<option value="(2024-\d\d-\d\d)"( selected)?', text) == [("2024-05-31", " selected")]
    own = [url for url in links(text) if url.startswith((LIST, "/manager/api/download/certificates"))]
    undated = {url for url in own if "as_of=2024-05-31" not in url}
    assert undated == {f"{LIST}?standing=receivable&limit=2&lang=en"}  # back to the present
    files = [url for url in own if "download" in url]
    assert len(files) == 2
    for url in {*own} - undated:
        assert web.get(url).status_code == 200, url
    # Another filter joins the one there is; pages of figures keep single values only.
    narrowed = f"{LIST}?lang=en&as_of=2024-05-31&state=enviado"
    text = unescape(web.get(narrowed).text)
    assert any("client=" in url and "state=enviado" in url for url in links(text))
    both = f"{narrowed}&client={quote('Minera Ñandú')}"
    pages = [url for url in links(web.get(both).text) if url.startswith("/manager/critical")]
    assert [web.get(url).status_code for url in pages] == [200]


@pytest.mark.usefixtures("past")
def test_the_files_of_the_list_of_a_month_end(web) -> None:
    for ending in ("csv", "xlsx"):
        url = f"/manager/api/download/certificates.{ending}?as_of=2024-06-15&lang=en"
        response = web.get(url)
        assert response.status_code == 200
        assert "2024-05-31" in response.headers["Content-Disposition"]
        assert response.headers["X-Cache-State"] == "historic"
    text = web.get("/manager/api/download/certificates.csv?as_of=2024-05-31&columns=number&lang=en").text
    assert sorted(line.partition(",")[0] for line in text.splitlines()[1:]) == sorted(
        ["1", "9", "10", "12", "13", "14"]
    )


@pytest.mark.usefixtures("past")
def test_a_certificate_of_a_month_end_is_of_that_day(web) -> None:
    text = unescape(web.get(f"{LIST}/P-001/1?as_of=2024-05-31&lang=en").text)
    assert "110 days" in text.replace("\N{NO-BREAK SPACE}", " ")
    assert "until that day" in text
    assert "id=outlook" not in text.replace('"', "")
    assert f"{LIST}?as_of=2024-05-31&lang=en" in links(text)
    assert f"{LIST}/P-001/1?lang=en" in links(text)


@pytest.mark.usefixtures("past")
def test_numbers_of_a_month_end_lead_to_its_list(web) -> None:
    for page in ("dashboard", "critical", "project-managers"):
        text = web.get(f"/manager/{page}?lang=en&as_of=2024-06-15").text
        lists = [url for url in links(text) if url.startswith(LIST)]
        assert len(lists) > 3, page
        assert all("as_of=2024-06-15" in url for url in lists)
        # What is expected is of today's list.
        assert not any("expected_in" in url for url in lists)
        # The figures of these tests have states and months that their lists have not, today's neither.
        followed = [url for url in lists if web.get(url.replace("as_of=2024-06-15&", "")).status_code == 200]
        assert len(followed) > 3, page
        assert {web.get(url).status_code for url in followed if "2024-06-01" not in url} == {200}
    profile = web.get(f"/manager/clients/{quote('Minera Ñandú')}?lang=en&as_of=2024-05-31").text
    assert numbers(unescape(profile)) == ["1", "10", "14"]
    # Where there is none, no number leads anywhere, and the navigation leads to that of today.
    for page in ("dashboard", "critical", "project-managers"):
        text = web.get(f"/manager/{page}?lang=en&as_of=2024-04-30").text
        assert [url for url in links(text) if url.startswith(LIST)] == [f"{LIST}?lang=en"]


def test_nothing_matches(web, press) -> None:
    press.publish("dashboards")
    assert "No certificate matches the choice." in web.get(f"{LIST}?lang=en&search=nobody").text


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (
            "en",
            ["Certificate 1 · P-001", "138 days", "168 days so far", "2 days later", "end of October 2024"],
        ),
        (
            "es",
            ["Certificado 1 · P-001", "138 días", "168 días hasta hoy", "2 días después", "octubre de 2024"],
        ),
    ],
)
def test_a_certificate_in_each_language(web, press, language: str, words: list[str]) -> None:
    (entry,) = press.publish("dashboards")
    text = web.get(f"{LIST}?lang={language}&client={quote('Minera Ñandú')}&sort=number").text
    (url,) = [one for one in links(text) if one.startswith(f"{LIST}/P-001/1?")]
    response = web.get(url)
    assert (response.status_code, response.headers["X-Generation"]) == (200, entry.generation)
    shown = " ".join(
        re.sub(r"<[^>]+>", " ", unescape(response.text).replace("\N{NO-BREAK SPACE}", " ")).split()
    )
    for word in words:
        assert word in shown
    # To what is its client's: the list and the profile.
    mine = quote("Minera Ñandú")
    assert f"/manager/clients/{mine}?lang={language}" in links(response.text)
    leads = [one for one in links(response.text) if f"client={mine.replace('%20', '+')}" in one]
    assert {urlsplit(one).path for one in leads} == {LIST}


def test_a_certificate_that_is_not_there_is_a_problem_page(web, press) -> None:
    press.publish("dashboards")
    response = web.get(f"{LIST}/P-001/77?lang=es")
    assert response.status_code == 404
    assert "Las cifras de hoy no tienen el certificado «77» de «P-001»." in unescape(response.text)
    assert {f"{LIST}?lang=es", "/manager/dashboard?lang=es"} <= set(links(response.text))


def test_a_work_list_says_why_in_words_and_is_left_again(web, press) -> None:
    press.publish("dashboards")
    whole = unescape(web.get(f"{LIST}?lang=es&search=p-001").text)
    collecting = f"{LIST}?search=p-001&work_list=collect_today&lang=es"
    assert collecting in links(whole)
    text = unescape(web.get(collecting).text)
    assert re.search(r"<h1[^>]*>\s*Cobrar hoy", text)
    assert "el cliente tardaría alrededor de 38 días más." in text.replace("\xa0", " ")
    assert "La urgencia es el monto por los días de espera adicional" in text
    columns = re.findall(r'<th scope="col" class="column-(\w+)', text)
    assert columns[:4] == ["number", "client", "project", "why"]
    assert columns[-1] == "urgency"
    assert {f"{LIST}?search=p-001&lang=es", collecting.replace("collect_today", "correct_and_resend")} <= set(
        links(text)
    )
    # It is sorted by its urgency and what every list has, not by what else it says.
    assert not any("sort=-why" in url or "sort=-overdue_days" in url for url in links(text))
    assert any("sort=urgency" in url for url in links(text))


def test_what_is_expected_is_explained_and_left_again(web, press) -> None:
    press.publish("dashboards")
    text = unescape(web.get(f"{LIST}?lang=es&expected_in=2024-07&currency=CLP").text)
    assert "Esperado en jul 2024" in text
    assert "De cada certificado por cobrar se espera en julio de 2024 su saldo" in text
    assert f"{LIST}?currency=CLP&lang=es" in links(text)
    # The total, short and to the last unit.
    assert re.search(r'<dt>Esperado en jul 2024</dt><dd title="[^"]*1\.234\.568">', text)
    soon = unescape(web.get(f"{LIST}?lang=es&expected_in=next_30_days").text)
    assert "Esperado en los próximos 30 días" in soon
    columns = re.findall(r'<th scope="col" class="column-(\w+)', soon)
    assert columns[:4] == ["number", "client", "project", "expected"]
    assert {"proposed", "approved"}.isdisjoint(columns)
    refused = unescape(web.get(f"{LIST}?lang=es&esperado_en=pronto").text)
    assert "proximos_30_dias" in refused
    assert "AAAA-MM" in refused


@pytest.mark.parametrize(
    ("query", "name", "standing", "shown"),
    [
        ("", "reason", "returned", "Fuera de alcance"),
        ("", "failure", "went_wrong_lately", "Error técnico"),
        ("month=2024-03&", "failure", "went_wrong", "Error técnico"),
    ],
)
def test_why_certificates_were_returned_leads_to_them_and_is_named_there(
    web, press, data_of, query: str, name: str, standing: str, shown: str
) -> None:
    march = Filter.of({"month": "2024-03"})
    of_march = data_of("charts") | {"comparison": None, "cohort": {"certificates": 20, "open": 9}}
    press.publish("dashboards")
    press.publish("charts", answers={EVERYTHING: data_of("charts"), march: of_march})
    page = web.get(f"/manager/rework?{query}lang=es").text
    # The amount and the count.
    (address,) = {link for link in links(page) if f"{name}=" in link}
    assert links(page).count(address) == 2
    assert f"standing={standing}&currency=" in address
    text = unescape(web.get(address).text)
    assert shown in text
    assert f"standing={standing}&" in text
