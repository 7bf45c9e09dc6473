"""Write every generated page and picture into `docs`."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from docs.generate import (
    alert_reference,
    command_reference,
    fault_results,
    kpi_reference,
    mapping_reference,
    page_reference,
    pictures,
    problem_reference,
    redis_users,
    role_reference,
    settings_reference,
)

DOCS: Final = Path(__file__).parents[1]

GENERATED: Final[Mapping[str, Callable[[], str]]] = {
    "reference/alerts.md": alert_reference.page,
    "reference/commands.md": command_reference.page,
    "reference/kpis.md": kpi_reference.page,
    "reference/mapping.md": mapping_reference.page,
    "reference/pages.md": page_reference.page,
    "reference/problems.md": problem_reference.page,
    "reference/roles.md": role_reference.page,
    "reference/settings.md": settings_reference.page,
    "reliability.md": fault_results.page,
    "pictures/assets.svg": pictures.assets,
    "pictures/data-flow.svg": pictures.data_flow,
    "pictures/layers.svg": pictures.layers,
    "pictures/states.svg": pictures.states,
    "pictures/wings.svg": pictures.wings,
    "../deploy/redis-users.acl": redis_users.users,
}
"""By path inside `docs`."""


def main() -> None:
    """Write all of them."""
    for path, make in GENERATED.items():
        target = (DOCS / path).resolve()
        target.parent.mkdir(exist_ok=True)
        target.write_text(make(), encoding="utf-8")
        sys.stdout.write(f"{target.relative_to(DOCS.parent)}\n")


if __name__ == "__main__":
    main()
