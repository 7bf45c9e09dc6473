"""Ten clients: enough that a reader has to search among them."""

from typing import Any, Final

CLIENTS: Final = [
    "Constructora Árbol & Cía.", "Energía Alto Ñuble", "Energía Río Claro", "Minera Ñandú", "Minera Sur",
    "Portuaria Norte", "Sanitaria Este", "Sanitaria Oeste", "Vial Centro", "Vial Costa",
]  # fmt: skip


def with_clients(catalogue: dict[str, Any]) -> dict[str, Any]:
    """A catalogue that knows of them."""
    (clients,) = [dimension for dimension in catalogue["dimensions"] if dimension["name"] == "client"]
    clients["values"] = [{"value": name, "count": 3} for name in CLIENTS]
    return catalogue
