"""The reference of roles and what each may do, generated from their declarations."""

from docs.generate.markdown import generated_from, prose, table
from kpi_pipeline.model.access import (
    NEED_SCOPE,
    OF_THE_WHOLE,
    PERMISSION_LABELS,
    PERMISSIONS,
    PRODUCT_PERMISSIONS,
    Permission,
    Role,
)
from kpi_pipeline.model.pages import PAGES


def page() -> str:
    """The page, in Markdown."""
    rows = [
        (
            f"`{permission}`",
            prose(PERMISSION_LABELS[permission].en),
            *("yes" if permission in PERMISSIONS[role] else "" for role in Role),
        )
        for permission in Permission
    ]
    of_costs = [product for product, needed in PRODUCT_PERMISSIONS.items() if needed is Permission.FINANCIALS]
    pages = [page.label.en for page in PAGES if page.product in of_costs]
    return (
        f"# Roles\n\n{generated_from('kpi_pipeline/model/access.py')}\n\n"
        "Where [access is controlled](../security.md), each person and each token has one role.\n\n"
        + table(("Permission", "Meaning", *(f"`{role}`" for role in Role)), rows)
        + f"\nCosts are in the products {', '.join(f'`{product}`' for product in of_costs)}, that is on the "
        f"pages {', '.join(pages)}. Who lacks `financials` does not see these pages.\n\n"
        f"{_named(NEED_SCOPE)} sees nothing without a [scope](../security.md#scopes). Within one nobody has "
        f"{_named(OF_THE_WHOLE)}.\n"
    )


def _named(some: frozenset[Role] | frozenset[Permission]) -> str:
    """Roles or permissions, in the order of the table."""
    return ", ".join(f"`{one}`" for one in (*Role, *Permission) if one in some)
