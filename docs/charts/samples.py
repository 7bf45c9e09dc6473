"""A firm that does not exist: columns of every chart, and of their edges, without chance."""

from collections.abc import Callable
from functools import partial
from typing import Any, Final

Columns = dict[str, list[Any]]
Said = dict[str, Any]

MONTHS: Final = [f"{2023 + (8 + at) // 12}-{(8 + at) % 12 + 1:02d}" for at in range(12)]
AHEAD: Final = [f"{2024 + (8 + at) // 12}-{(8 + at) % 12 + 1:02d}" for at in range(12)]
CLIENTS: Final = (
    "Minera Quebrada Serena",
    "Compañía de Aguas y Saneamiento del Valle Central y Cordillera S.A.",
    "Puertos del Pacífico",
    "Energía Ñandú",
    "Celulosa Río Claro",
    "Ferrovías Australes",
    "Inmobiliaria Los Aromos",
    "Cementos Atacama",
    "Gas Cordillera",
    "Municipalidad de Peñaflor",
    "",
)
MANAGERS: Final = (
    "Ana Muñoz",
    "Bernardo O'Ryan",
    "Carla Pizarro",
    "Diego Fuentealba",
    "Elena Ibáñez",
    "Francisco Javier Undurraga Errázuriz",
    "Gabriela Lillo",
    "sin asignar",
)
PROJECTS: Final = (
    "Túnel Lo Prado",
    "Planta desaladora Caleta Norte, etapa II: obras marítimas",
    "Puente Chacao Sur",
    "Subestación Ñuble",
    "Camino minero 7",
    "Muelle 4",
    "Embalse Las Palmas",
    "Línea 220 kV Parinas",
    "Edificio Aromos",
    "Bodega Quilicura",
    "",
)
_SHARES: Final = (31, 19, 12, 9, 7, 6, 5, 4, 3, 2, 2)
_WAVE: Final = (62, 71, 55, 84, 90, 66, 73, 95, 88, 102, 97, 41)
_CURRENCIES: Final = (("CLP", 10_000_000), ("USD", 1_234_567))


def _columns(names: tuple[str, ...], rows: list[tuple[Any, ...]]) -> Columns:
    return {name: [row[place] for row in rows] for place, name in enumerate(names)}


def _monthly_trend() -> Columns:
    rows: list[tuple[Any, ...]] = [
        (month, code, wave * unit, wave * unit * 94 // 100, _WAVE[at - 2] * unit * 9 // 10, dso)
        for code, unit in _CURRENCIES
        for at, (month, wave) in enumerate(zip(MONTHS, _WAVE, strict=True))
        for dso in [None if at < 2 else 48.5 - at * 0.9 + (at % 3) * 2.2]
    ]
    return _columns(("month", "currency", "proposed", "approved", "paid", "dso"), rows)


def _ageing() -> Columns:
    rows: list[tuple[Any, ...]] = []
    for code, unit in _CURRENCIES:
        amounts = [310 * unit, 175 * unit, 92 * unit, 41 * unit, 67 * unit]
        if code == "USD":
            amounts[3] = -12 * unit  # a correction is larger than what it corrects
        whole = sum(amounts)
        buckets = ("0-30", "31-60", "61-90", "91-120", "120+")
        rows += [
            (bucket, code, amount, abs(amount) // unit // 4, amount / whole)
            for bucket, amount in zip(buckets, amounts, strict=True)
        ]
    return _columns(("bucket", "currency", "amount", "count", "share"), rows)


def _states() -> Columns:
    states = ("revision", "enviado", "pendiente", "validado", "pagado", "rechazado")
    rows = [
        (state, code, part * unit, part * 3)
        for code, unit in _CURRENCIES
        for state, part in zip(states, (88, 140, 61, 120, 520, 14), strict=True)
    ]
    return _columns(("state", "currency", "amount", "count"), rows)


def _performance(names: tuple[str, ...], head: str, last: str) -> Columns:
    rows: list[tuple[Any, ...]] = []
    for code, unit in _CURRENCIES:
        for at, name in enumerate(names if code == "CLP" else names[:4]):
            approved = _SHARES[at] * unit * 10
            receivable = approved * (25 + at * 7 % 40) // 100
            overdue = receivable * (at * 13 % 60) // 100
            figure = 38.0 + at * 11 % 47 if last == "payment_days" else 0.97 - at * 0.035
            rows.append((name, code, approved, receivable, overdue, None if at == 5 else figure))
    return _columns((head, "currency", "approved", "receivable", "overdue", last), rows)


def _concentration() -> Columns:
    rows: list[tuple[Any, ...]] = []
    for code, unit in _CURRENCIES:
        shares = _SHARES if code == "CLP" else (70, 20, 10)
        rows += [
            (CLIENTS[at], code, share * unit * 4, sum(shares[: at + 1]) / 100)
            for at, share in enumerate(shares)
        ]
    return _columns(("client", "currency", "receivable", "cumulative_share"), rows)


def _cash_flow() -> Columns:
    rows: list[tuple[Any, ...]] = []
    for code, unit in _CURRENCIES:
        rows += [
            (month, code, "collected", _WAVE[at] * unit, None, None, None, None)
            for at, month in enumerate(MONTHS[6:])
        ]
        for at, month in enumerate(AHEAD):
            expected = 96 * unit * 78**at // 100**at
            near, far = expected * (12 + 3 * at) // 100, expected * (30 + 6 * at) // 100
            fifty = (expected - near, expected + near)
            ninety = (max(expected - far, 0), expected + far)
            rows.append((month, code, "expected", expected, *fifty, *ninety))
    names = ("month", "currency", "kind", "amount", "low_50", "high_50", "low_90", "high_90")
    return _columns(names, rows)


def _opex_capex() -> Columns:
    rows = [
        (month, code, wave * unit * 6 // 10, 0 if at % 4 else wave * unit * 3 // 10)
        for code, unit in _CURRENCIES
        for at, (month, wave) in enumerate(zip(MONTHS, _WAVE, strict=True))
    ]
    return _columns(("month", "currency", "opex", "capex"), rows)


def _margin_by_project() -> Columns:
    rows: list[tuple[Any, ...]] = []
    for code, unit in _CURRENCIES:
        for at, project in enumerate(PROJECTS if code == "CLP" else PROJECTS[:3]):
            revenue = 0 if at == 9 else _SHARES[at] * unit * 8
            cost = 9 * unit if at == 9 else revenue * (62 + at * 17 % 60) // 100
            margin = revenue - cost
            rows.append((project, code, revenue, cost, margin, margin / revenue if revenue else None))
    return _columns(("project", "currency", "revenue", "cost", "margin", "margin_share"), rows)


def _stages() -> Columns:
    rows = [
        ("issue_to_sent", 0.0, 4.6, 4.6, 812),
        ("sent_to_conformity", 4.6, 23.8, 19.2, 812),
        ("conformity_to_payment", 23.8, 58.3, 34.5, 812),
    ]
    return _columns(("stage", "start", "end", "days", "count"), rows)


def _payment_heatmap() -> Columns:
    rows = [
        (client, month, code, _SHARES[place] * unit * (0 if (at + place) % 4 == 3 else 10 + at * place % 7))
        for code, unit in _CURRENCIES
        for place, client in enumerate(CLIENTS[: 8 if code == "CLP" else 3])
        for at, month in enumerate(MONTHS)
    ]
    return _columns(("client", "month", "currency", "amount"), rows)


def _kpi_trend() -> Columns:
    rows: list[tuple[Any, ...]] = []
    for at, month in enumerate(MONTHS):
        for code, _ in _CURRENCIES:
            shift = 0 if code == "CLP" else 6
            rows.append((month, code, "dso", None if at < 2 else 52.0 - at + shift + at % 3 * 2.5))
            rows.append((month, code, "overdue_share", 0.31 - at * 0.008 + at % 4 * 0.02))
            rows.append((month, code, "approval_rate", 0.91 + at % 5 * 0.012))
        rows.append((month, "", "acceptance_days", 22.0 - at * 0.4 + at % 2 * 1.5))
    return _columns(("month", "currency", "kpi", "value"), rows)


def columns() -> dict[str, Columns]:
    """Sample columns of every chart."""
    return {
        "monthly_trend": _monthly_trend(),
        "ageing": _ageing(),
        "states": _states(),
        "client_performance": _performance(CLIENTS, "client", "payment_days"),
        "manager_performance": _performance(MANAGERS, "project_manager", "approval_rate"),
        "concentration": _concentration(),
        "cash_flow": _cash_flow(),
        "opex_capex": _opex_capex(),
        "margin_by_project": _margin_by_project(),
        "stages": _stages(),
        "payment_heatmap": _payment_heatmap(),
        "kpi_trend": _kpi_trend(),
    }


def sentences(sample: dict[str, Columns]) -> dict[str, list[Said]]:
    """What each chart says of the sample columns."""
    found: dict[str, list[Said]] = {}
    for name, build in _SENTENCES.items():
        rows = [dict(zip(sample[name], row, strict=True)) for row in zip(*sample[name].values(), strict=True)]
        codes = list(dict.fromkeys(code for row in rows if (code := row.get("currency"))))
        found[name] = []
        for code in codes or [None]:
            own = [row for row in rows if row.get("currency") == code]
            sentence, values = build(own)
            currency = {"currency": code} if code else {}
            found[name].append({**currency, "sentence": sentence, "values": values})
    return found


def _sum(rows: list[dict[str, Any]], column: str) -> int:
    return sum(row[column] for row in rows)


def _of_trend(rows: list[dict[str, Any]]) -> tuple[str, Said]:
    sums = {series: _sum(rows, series) for series in ("proposed", "approved", "paid")}
    return "totals_and_dso", {"month": rows[-1]["month"], "dso": rows[-1]["dso"], **sums}


def _of_ageing(rows: list[dict[str, Any]]) -> tuple[str, Said]:
    return "oldest", {"share": rows[-1]["share"], "amount": rows[-1]["amount"]}


def _of_states(rows: list[dict[str, Any]]) -> tuple[str, Said]:
    top = max(rows, key=lambda row: row["amount"])
    share = top["amount"] / _sum(rows, "amount")
    return "largest", {"state": top["state"], "share": share, "amount": top["amount"]}


def _leader(head: str, overdue_head: str, rows: list[dict[str, Any]]) -> tuple[str, Said]:
    top, late = rows[0], max(rows, key=lambda row: row["overdue"])
    share = top["approved"] / _sum(rows, "approved")
    return "leader_and_overdue", {
        head: top[head],
        "share": share,
        "approved": top["approved"],
        overdue_head: late[head],
        "overdue": late["overdue"],
    }


def _of_concentration(rows: list[dict[str, Any]]) -> tuple[str, Said]:
    top = {
        "client": rows[0]["client"],
        "share": rows[0]["cumulative_share"],
        "amount": rows[0]["receivable"],
    }
    if len(rows) < 4:
        return "top", top
    return "top_three", {**top, "three_share": rows[2]["cumulative_share"]}


def _of_cash_flow(rows: list[dict[str, Any]]) -> tuple[str, Said]:
    ahead = [row for row in rows if row["kind"] == "expected"]
    first = ahead[0]
    return "expected", {
        "month": first["month"],
        "amount": first["amount"],
        "low": first["low_90"],
        "high": first["high_90"],
        "total": _sum(ahead, "amount"),
    }


def _of_costs(rows: list[dict[str, Any]]) -> tuple[str, Said]:
    opex, capex = _sum(rows, "opex"), _sum(rows, "capex")
    month = rows[-1]["month"]
    return "split", {"month": month, "share": opex / (opex + capex), "opex": opex, "capex": capex}


def _of_margin(rows: list[dict[str, Any]]) -> tuple[str, Said]:
    losing = sum(row["margin"] < 0 for row in rows)
    top = max(rows, key=lambda row: row["margin"])
    best = {"project": top["project"], "margin": top["margin"]}
    return (
        ("some_lose", {"losing": losing, "projects": len(rows), **best}) if losing else ("none_loses", best)
    )


def _of_stages(rows: list[dict[str, Any]]) -> tuple[str, Said]:
    top = max(rows, key=lambda row: row["days"])
    return "bottleneck", {"stage": top["stage"], "days": top["days"], "total": rows[-1]["end"]}


def _of_heatmap(rows: list[dict[str, Any]]) -> tuple[str, Said]:
    months = {month: _sum([row for row in rows if row["month"] == month], "amount") for month in MONTHS}
    clients = {
        client: _sum([row for row in rows if row["client"] == client], "amount") for client in CLIENTS[:3]
    }
    month, client = max(months, key=lambda one: months[one]), max(clients, key=lambda one: clients[one])
    return "best_month", {
        "month": month,
        "amount": months[month],
        "client": client,
        "paid": clients[client],
    }


def _of_kpis(rows: list[dict[str, Any]]) -> tuple[str, Said]:
    readings = [row for row in rows if row["kpi"] == "dso" and row["value"] is not None]
    before, now = readings[0], readings[-1]
    return "dso_better", {"since": before["month"], "before": before["value"], "now": now["value"]}


_SENTENCES: Final[dict[str, Callable[[list[dict[str, Any]]], tuple[str, Said]]]] = {
    "monthly_trend": _of_trend,
    "ageing": _of_ageing,
    "states": _of_states,
    "client_performance": partial(_leader, "client", "overdue_client"),
    "manager_performance": partial(_leader, "project_manager", "overdue_manager"),
    "concentration": _of_concentration,
    "cash_flow": _of_cash_flow,
    "opex_capex": _of_costs,
    "margin_by_project": _of_margin,
    "stages": _of_stages,
    "payment_heatmap": _of_heatmap,
    "kpi_trend": _of_kpis,
}
