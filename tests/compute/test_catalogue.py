"""The catalogue tells what can be asked and what figures mean."""

from datetime import date

import orjson

from kpi_pipeline.compute.catalogue import catalogue, filter_entries
from kpi_pipeline.model.dimensions import DIMENSION_NAMES
from kpi_pipeline.model.kpis import KPI_GROUPS, KPIS
from kpi_pipeline.model.pages import COMPOSED, PAGES, PROFILE, REFERENCE
from kpi_pipeline.model.tables import TABLES
from kpi_pipeline.model.thresholds import Thresholds


def test_it_holds_every_dimension_with_counts_every_kpi_and_every_chart(cube_of) -> None:
    rows = [
        {"client": "A"},
        {"client": "B", "issued_on": date(2024, 1, 1)},
        {"client": "A", "currency": "USD"},
    ]
    found = orjson.loads(orjson.dumps(catalogue(cube_of(rows))))
    assert found["as_of"] == "2024-03-15"
    assert tuple(one["name"] for one in found["dimensions"]) == DIMENSION_NAMES
    clients = next(one for one in found["dimensions"] if one["name"] == "client")
    assert clients["parameters"] == ["client", "cliente"]
    assert clients["values"] == [{"value": "A", "count": 2}, {"value": "B", "count": 1}]
    months = next(one for one in found["dimensions"] if one["name"] == "month")
    assert months["values"] == [
        {"value": "2024-01", "count": 1},
        {"value": "2024-02", "count": 0},
        {"value": "2024-03", "count": 2},
    ]
    assert [kpi["name"] for kpi in found["kpis"]] == [kpi.name for kpi in KPIS]
    assert found["currencies"] == [{"code": "CLP", "decimals": 0}, {"code": "USD", "decimals": 2}]
    assert [(code, set(rates.values())) for code, rates in found["loss_rates"].items()] == [
        ("CLP", {None}),  # nothing has gone through any bucket
        ("USD", {None}),
    ]
    digests = {chart[f"spec_{language}"] for chart in found["charts"] for language in ("es", "en")}
    assert digests == set(found["specs"])


def test_it_holds_the_periods_and_groups_of_its_date_and_values(cube_of) -> None:
    rows = [
        {"issued_on": date(2024, 1, 20), "state": "enviado"},
        {"issued_on": date(2024, 3, 10), "state": "revision"},
    ]
    found = catalogue(cube_of(rows))
    roles = {one["name"]: one["role"] for one in found["dimensions"]}
    assert [name for name, role in roles.items() if role == "time"] == ["month", "issued_age"]
    periods = {one["name"]: one for one in found["periods"]}
    assert periods["3m"]["values"] == periods["ytd"]["values"] == ["2024-01", "2024-02", "2024-03"]
    assert (periods["30d"]["dimension"], periods["30d"]["values"]) == ("issued_age", ["0-6", "7-13", "14-29"])
    assert (periods["all"]["dimension"], periods["all"]["values"]) == (None, [])
    (group,) = found["groups"]
    assert (group["dimension"], group["name"]) == ("state", "pendientes")
    assert group["values"] == ["revision", "enviado"]
    held = {one["name"]: {each["value"] for each in one["values"]} for one in found["dimensions"]}
    for one in (*found["periods"], *found["groups"]):
        assert one["dimension"] is None or held[one["dimension"]].issuperset(one["values"])


def test_a_group_has_only_the_values_that_there_are() -> None:
    counts: dict[str, list[tuple[str, int]]] = {name: [] for name in DIMENSION_NAMES}
    (group,) = filter_entries(date(2024, 3, 31), counts | {"state": [("enviado", 1), ("pagado", 1)]})[
        "groups"
    ]
    assert group["values"] == ["enviado"]
    assert filter_entries(date(2024, 3, 31), counts | {"state": [("validado", 1)]})["groups"] == []


def test_a_kpi_is_told_with_its_group_its_formula_and_what_it_aims_at(cube_of) -> None:
    found = {one["name"]: one for one in catalogue(cube_of([{}], dso_target_days=50))["kpis"]}
    assert found["dso"] == {
        "name": "dso",
        "label_es": "DSO",
        "label_en": "DSO",
        "unit": "days",
        "direction": "down",
        "per_currency": True,
        "group": "time",
        "formula": "receivable_amount / billed_amount x days of the window",
        "target": 50.0,
        "is_set": True,
        "needs_costs": False,
        "period": "",
        "count": "",
        "basis_es": "{numerator} ÷ {denominator} \N{MULTIPLICATION SIGN} {days} días",
        "basis_en": "{numerator} ÷ {denominator} \N{MULTIPLICATION SIGN} {days} days",
        "meaning_es": "DSO clásico: cuentas por cobrar ÷ facturación del periodo × sus días, o los "
        "transcurridos desde el primer certificado si son menos. La facturación es por día de emisión: el "
        "monto aprobado si hay conformidad y, si no, el propuesto; no cuenta lo no enviado, lo devuelto ni "
        "lo anulado.",
        "meaning_en": "Classic DSO: receivables ÷ billing of the period × its days, or those since the first "
        "certificate where these are fewer. Billing is by day of issue: the approved amount once "
        "accepted, else the claimed one; what is not sent, returned or canceled is none.",
    }
    assert found["certificates"]["target"] is None
    periods = {
        name: found[name]["period"] for name in ("receivable", "paid", "overdue_share", "growth_month")
    }
    assert periods == {"receivable": "day", "paid": "window", "overdue_share": "day", "growth_month": ""}
    assert {
        group: [one["name"] for one in found.values() if one["group"] == group] for group in KPI_GROUPS
    } == {group: [kpi.name for kpi in kpis] for group, kpis in KPI_GROUPS.items()}


def test_pages_and_thresholds_are_those_declared(cube_of) -> None:
    found = catalogue(cube_of([{}], critical_days=45, targets={"CLP": 9}))
    assert [page["name"] for page in found["pages"]] == [page.name for page in PAGES]
    assert list(found["pages"][0]) == [
        *("name", "label_es", "label_en", "product", "kpis", "leads", "charts", "tables")
    ]
    assert (found["profile"]["name"], found["profile"]["product"]) == (PROFILE.name, PROFILE.product)
    assert [lead["figure"] for lead in found["pages"][0]["leads"]] == ["receivable", "expected", "dso"]
    assert found["reference"] == REFERENCE
    assert tuple(found["pages"][0]["charts"]) == PAGES[0].charts
    assert found["thresholds"]["critical_days"] == 45
    assert found["thresholds"]["targets"] == {"CLP": 9}
    assert set(found["thresholds"]) == set(Thresholds.__dataclass_fields__)
    described = {chart["name"] for chart in found["charts"]}
    assert {chart for page in found["pages"] for chart in page["charts"]} <= described
    aims = {one["name"] for one in found["kpis"] if one["is_set"]}
    without = {one["name"] for one in catalogue(cube_of([{}]))["kpis"] if not one["is_set"]}
    assert without == {"monthly_target", "annual_target"} < aims


def test_buckets_and_states_are_in_order(cube_of) -> None:
    found = catalogue(cube_of([]))
    assert found["ageing_buckets"] == ["0-30", "31-60", "61-90", "91-120", "120+"]
    assert found["due_buckets"] == ["not_due", *found["ageing_buckets"], "undated"]
    assert found["states"] == [
        *("revision", "enviado", "pendiente", "validado", "pagado", "rechazado", "anulado"),
    ]
    assert found["currencies"] == []


def test_amounts_name_their_count_and_costs_are_marked(cube_of) -> None:
    found = {one["name"]: one for one in catalogue(cube_of([{}]))["kpis"]}
    assert found["overdue"]["count"] == "overdue_count"
    assert all(one["count"] in {"", *found} for one in found.values())
    assert {name for name, one in found.items() if one["needs_costs"]} == {
        kpi.name for kpi in KPI_GROUPS["costs"]
    }
    assert found["client_concentration"]["basis_es"] == ""


def test_tables_and_labels_are_published(cube_of) -> None:
    found = catalogue(cube_of([]))
    assert [one["name"] for one in found["tables"]] == list(TABLES)
    assert {one["block"] for one in found["tables"]} == {name for page in COMPOSED for name in page.tables}
    (managers,) = (one for one in found["tables"] if one["name"] == "project_managers")
    assert managers["columns"][0] == {
        "name": "project_manager",
        "kind": "name",
        "dimension": "project_manager",
        "label_es": "Jefe de proyecto",
        "label_en": "Project manager",
    }
    assert found["labels"]["stage"]["issue_to_sent"] == {"es": "Emisión a envío", "en": "Issue to sending"}
