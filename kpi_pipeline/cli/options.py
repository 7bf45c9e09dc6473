"""Options that several commands share."""

from typing import Annotated

import typer

from kpi_pipeline.model.dimensions import PRODUCTS


def check_product(product: str | None) -> str | None:
    """Reject an unknown product as wrong usage.

    Raises:
        BadParameter: If the product is unknown; lists the products.
    """
    if product is not None and product not in PRODUCTS:
        raise typer.BadParameter(f"unknown product {product!r}: use one of {', '.join(PRODUCTS)}")
    return product


def _check_products(products: list[str] | None) -> list[str]:
    for product in products or ():
        check_product(product)
    return list(dict.fromkeys(products or ()))


Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]

Products = Annotated[
    list[str] | None,
    typer.Option(
        "--product",
        callback=_check_products,
        help=f"One of {', '.join(PRODUCTS)}. Repeat the option for several; default: all.",
    ),
]
