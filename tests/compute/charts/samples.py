"""A firm that does not exist: columns of every chart, and of their edges, without chance."""

from typing import Any, Final

Columns = dict[str, list[Any]]

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
