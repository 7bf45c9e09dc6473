"""The charts: each a Vega-Lite specification with named data, made once, and columns for every variant."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from typing import Any, Final

import altair as alt
import orjson


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart.

    A specification names its data source and no colour: those belong to the theme of the page. It draws
    amounts in whole units of their currency, while columns hold minor units: whoever joins them divides.

    Attributes:
        name: Its key in payloads, and the name of its data source.
        title_es: Title in Spanish.
        title_en: Title in English.
        columns: Data columns of a variant, in order.
    """

    name: str
    title_es: str
    title_en: str
    columns: tuple[str, ...]


CHARTS: Final[dict[str, Chart]] = {
    chart.name: chart
    for chart in (
        Chart(
            "monthly_trend", "Tendencia mensual", "Monthly trend", ("month", "currency", "series", "amount")
        ),
        Chart(
            "ageing",
            "Antigüedad de lo no pagado",
            "Ageing of unpaid items",
            ("bucket", "currency", "amount", "count"),
        ),
        Chart(
            "states",
            "Certificados por estado",
            "Certificates by state",
            ("state", "currency", "amount", "count"),
        ),
    )
}
"""Every chart, by its name."""

_MONEY: Final = alt.Axis(
    # In millions beyond them, as the books are kept: a thousand millions has a name of its own in no
    # language of ours.
    labelExpr="abs(datum.value) < 1e9 ? format(datum.value, '~s') : format(datum.value / 1e6, ',.0f') + ' M'",
    title=None,
)
_BY_CURRENCY: Final = alt.Row("currency:N", title=None)


@cache
def specification(name: str) -> Mapping[str, Any]:
    """The Vega-Lite specification of a chart, its data left to be given under the chart's name.

    Raises:
        KeyError: If there is no such chart.
    """
    chart = CHARTS[name]
    base = alt.Chart(alt.NamedData(name=chart.name), width=480, height=220)
    spec: Mapping[str, Any] = _DRAWN[name](base).to_dict()
    return spec


def specification_digest(name: str) -> str:
    """The content hash by which a chart's specification is addressed: 32 hexadecimal characters."""
    text = orjson.dumps(specification(name), option=orjson.OPT_SORT_KEYS)
    return blake2b(text, digest_size=16).hexdigest()


def _monthly_trend(base: alt.Chart) -> alt.Chart:
    drawn: alt.Chart = base.mark_line(point=True).encode(
        x=alt.X("month:O", title=None),
        y=alt.Y("amount:Q", axis=_MONEY),
        color=alt.Color("series:N", title=None),
        row=_BY_CURRENCY,
        tooltip=["month:O", "series:N", "amount:Q", "currency:N"],
    )
    return drawn


def _bars(base: alt.Chart, category: str) -> alt.Chart:
    # `sort=None` keeps the order of the data: buckets by age, states by stage.
    drawn: alt.Chart = base.mark_bar().encode(
        x=alt.X(f"{category}:N", sort=None, title=None, axis=alt.Axis(labelAngle=0)),
        y=alt.Y("amount:Q", axis=_MONEY),
        row=_BY_CURRENCY,
        tooltip=[f"{category}:N", "amount:Q", "count:Q", "currency:N"],
    )
    return drawn


_DRAWN: Final[dict[str, Callable[[alt.Chart], alt.Chart]]] = {
    "monthly_trend": _monthly_trend,
    "ageing": lambda base: _bars(base, "bucket"),
    "states": lambda base: _bars(base, "state"),
}
