"""The demo's invented firm: its clients and how they pay, its projects and who runs them."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Days = npt.NDArray[np.datetime64]

MONTHS: Final = 36
"""Months of history; the last is the current month."""

_INDUSTRIES: Final = (
    ("Minera", "minería"),
    ("Energía", "energía"),
    ("Sanitaria", "agua y saneamiento"),
    ("Celulosa", "forestal"),
    ("Portuaria", "infraestructura"),
    ("Inmobiliaria", "construcción"),
    ("Vial", "infraestructura"),
    ("Alimentos", "industria"),
)
_PLACES: Final = (
    "Quebrada Serena", "Cerro Pampino", "Río Hondo", "Valle Largo", "Puerto Calma", "Alto Manzano",
    "Los Quillayes", "Punta Gaviota", "Laguna Honda", "Monte Ancho", "Pampa Dorada", "Costa Brisa",
    "Cuesta Vieja", "El Boldo", "Tres Espinos",
)  # fmt: skip
_WORKS: Final = (
    "Ingeniería de detalle", "Ingeniería básica", "Inspección técnica", "Ampliación de planta",
    "Estudio de factibilidad", "Montaje electromecánico", "Línea de transmisión", "Puesta en marcha",
    "Obras civiles", "Automatización",
)  # fmt: skip
_FIRST_NAMES: Final = ("Camila", "Diego", "Valentina", "Matías", "Josefa", "Ignacio", "Antonia", "Tomás")
_LAST_NAMES: Final = (
    "Aránguiz", "Bustos", "Cárcamo", "Donoso", "Escobar", "Farías", "Gallardo", "Ibáñez", "Lagos",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Firm:
    """Clients and projects as parallel columns; people are indices into their names.

    Attributes:
        clients: Client names.
        industry: Industry of each client.
        term: Payment term of each client, days.
        delay: Mean days from conformity to payment of each client.
        acceptance: Median days that each client takes to answer.
        rejection: Share of certificates that each client rejects.
        rework: Share of certificates that each client sends back for rework.
        projects: Project names.
        client_of: Client of each project.
        manager_of: Project manager of each project.
        administrator_of: Administrator of each project.
        managers: Names of project managers.
        administrators: Names of administrators.
        first_month: First month of each project, from 0; negative before the history.
        last_month: Last month of each project.
        weight: Relative billing volume of each project.
        size: Factor on the amounts of each project's certificates.
        margin: Share of its revenue that each project keeps.
    """

    clients: list[str]
    industry: list[str]
    term: Ints
    delay: Floats
    acceptance: Floats
    rejection: Floats
    rework: Floats
    projects: list[str]
    client_of: Ints
    manager_of: Ints
    administrator_of: Ints
    managers: list[str]
    administrators: list[str]
    first_month: Ints
    last_month: Ints
    weight: Floats
    size: Floats
    margin: Floats


def make_firm(rng: np.random.Generator, rows: int) -> Firm:
    """Make the firm for a number of certificates: clients and projects grow slowly with it.

    10,000 certificates have 14 clients and 70 projects; a million have 40 and 403.
    """
    clients = max(3, round(14 * (rows / 10_000) ** 0.23))
    projects = max(5, round(70 * (rows / 10_000) ** 0.38))
    names = [_numbered(index, len(_INDUSTRIES), len(_PLACES)) for index in range(clients)]
    # One client in three pays late, and less regularly.
    late = rng.random(clients) < 0.33
    # The first clients are the largest, so revenue is concentrated.
    client_weight = 1 / np.arange(1, clients + 1) ** 0.5
    client_of = np.concatenate(
        [
            np.arange(min(clients, projects)),
            rng.choice(clients, max(0, projects - clients), p=_shares(client_weight)),
        ]
    )
    first_month = rng.integers(-12, MONTHS - 4, projects)
    last_month = first_month + rng.integers(10, 29, projects)
    # A framework contract that never ends, so every month has something to bill.
    first_month[0], last_month[0] = 0, MONTHS
    weight = rng.lognormal(0, 0.6, projects) * client_weight[client_of]
    weight[0] = np.median(weight)
    managers = _people(max(3, projects // 9), 0)
    administrators = _people(max(2, projects // 18), len(managers))
    return Firm(
        clients=[f"{_INDUSTRIES[kind][0]} {_PLACES[place]}{suffix}" for kind, place, suffix in names],
        industry=[_INDUSTRIES[kind][1] for kind, _, _ in names],
        term=rng.choice(np.array([30, 30, 45, 60]), clients),
        delay=np.where(late, rng.uniform(45, 85, clients), rng.uniform(18, 34, clients)),
        acceptance=rng.uniform(6, 22, clients),
        rejection=rng.uniform(0.01, 0.06, clients),
        rework=rng.uniform(0.05, 0.20, clients),
        projects=[f"OT-{1000 + index} {_WORKS[index * 7 % len(_WORKS)]}" for index in range(projects)],
        client_of=client_of,
        # A manager works for a few clients, an administrator for fewer.
        manager_of=(client_of * 3 + rng.integers(0, 3, projects)) % len(managers),
        administrator_of=client_of % len(administrators),
        managers=managers,
        administrators=administrators,
        first_month=first_month,
        last_month=last_month,
        weight=weight,
        size=rng.lognormal(0, 0.3, projects),
        margin=rng.uniform(0.10, 0.30, projects),
    )


def _shares(weight: Floats) -> Floats:
    return np.asarray(weight / weight.sum())


def _numbered(index: int, kinds: int, places: int) -> tuple[int, int, str]:
    """Kind, place and suffix of a name; every index has another name."""
    turn, within = divmod(index, kinds * places)
    row, kind = divmod(within, kinds)
    return kind, (row + kind * 2) % places, f" {turn + 1}" if turn else ""


def _people(count: int, start: int) -> list[str]:
    """Distinct names: a second surname is added once all pairs of names are used."""
    names = []
    for index in range(start, start + count):
        turn, within = divmod(index, len(_FIRST_NAMES) * len(_LAST_NAMES))
        first = _FIRST_NAMES[within % len(_FIRST_NAMES)]
        last = _LAST_NAMES[within % len(_LAST_NAMES)]
        names.append(
            f"{first} {last}" if turn == 0 else f"{first} {last} {_LAST_NAMES[turn % len(_LAST_NAMES)]}"
        )
    return names


def project_rows(firm: Firm, history_start: np.datetime64, billed: Ints) -> dict[str, Any]:
    """Columns of table `projects`.

    Args:
        firm: The firm.
        history_start: First month of the history.
        billed: Sum of the certificates of each project, CLP.
    """
    count = len(firm.projects)
    end = np.minimum(firm.last_month, MONTHS + 24)
    running = firm.last_month >= MONTHS - 1
    return {
        "project_id": np.arange(1, count + 1),
        "proyecto": firm.projects,
        "cliente": [firm.clients[client] for client in firm.client_of],
        "gestor": [firm.administrators[person] for person in firm.administrator_of],
        "jefe_proyecto": [firm.managers[person] for person in firm.manager_of],
        "fecha_inicio": (history_start + firm.first_month).astype("datetime64[D]").astype(str).tolist(),
        "fecha_fin_prevista": (history_start + end).astype("datetime64[D]").astype(str).tolist(),
        "monto_contrato": np.maximum(billed * 11 // 10, 50_000_000),
        "moneda": ["CLP"] * count,
        "estado_proyecto": np.where(running, "en ejecución", "terminado").tolist(),
        "tipo_cliente": ["privado" if client % 4 else "público" for client in firm.client_of],
        "industria_cliente": [firm.industry[client] for client in firm.client_of],
    }
