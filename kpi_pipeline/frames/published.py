"""What was published of one filter, and how it becomes a frame."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from kpi_pipeline.model.ageing import AGEING_BUCKETS
from kpi_pipeline.model.labels import STAGES, Kind
from kpi_pipeline.model.states import State

_DTYPES: Final[Mapping[str, pd.api.extensions.ExtensionDtype]] = {
    **dict.fromkeys((Kind.MONEY, Kind.SHARE, Kind.DAYS, Kind.READING), pd.Float64Dtype()),
    Kind.COUNT: pd.Int64Dtype(),
    Kind.TEXT: pd.StringDtype(),
}
"""Of the kinds whose values are plain numbers and texts; all others are months, days or categories."""

_ORDERS: Final[Mapping[str, tuple[str, ...]]] = {
    Kind.STATE: tuple(state.value for state in State),
    Kind.BUCKET: tuple(label for label, _, _ in AGEING_BUCKETS),
    Kind.STAGE: STAGES,
}
_UNITS: Final[Mapping[str, str]] = {
    Kind.MONEY: "currency",
    Kind.SHARE: "share",
    Kind.DAYS: "days",
    Kind.COUNT: "count",
    Kind.READING: "unit",
}


def require(name: str, known: Iterable[str], what: str) -> None:
    """Raise ValueError for an unknown name; the message lists those that there are."""
    if name not in known:
        raise ValueError(f"unknown {what} {name!r}; use one of: {', '.join(sorted(known))}")


@dataclass(frozen=True, slots=True)
class Published:
    """What a source answers, with what is needed to read it.

    Attributes:
        data: The figures.
        catalogue: What they mean.
        state: How they stand to the present.
        generation: Which publication they come from.
        as_of: Its business date, ISO 8601.
        computed_at: When its data were read, ISO 8601.
        readings: Of `LiveReadings.meta`: an earlier reading of the source that was gone back to, and readings
            that differ between products.
        requested: The filter asked for.
        answered: The filter that the figures answer.
        product: Of which product they are.
        source: Where they were read, without user and password.
    """

    data: Mapping[str, Any]
    catalogue: Mapping[str, Any]
    state: str
    generation: str
    as_of: str
    computed_at: str
    readings: Mapping[str, Any]
    requested: Mapping[str, list[str]]
    answered: Mapping[str, list[str]]
    product: str
    source: str

    def frame(self, rows: list[dict[str, Any]], kinds: Mapping[str, str]) -> pd.DataFrame:
        """Rows as a frame: each column has the dtype of its kind, amounts are in whole units."""
        frame = pd.DataFrame(rows, columns=list(kinds), dtype=object)
        decimals = {entry["code"]: entry["decimals"] for entry in self.catalogue["currencies"]}
        if "currency" in frame:
            minor_units = frame["currency"].map({"": 1, **{code: 10**d for code, d in decimals.items()}})
            minor_units = minor_units.astype("Float64")
        for column, kind in kinds.items():
            frame[column] = _typed(frame[column], kind)
            if kind == Kind.MONEY:
                frame[column] /= minor_units
            elif kind == Kind.READING:
                frame[column] /= minor_units.where(frame["unit"] == "money", 1.0)
        frame.attrs = {
            "source": self.source,
            "product": self.product,
            "generation": self.generation,
            "as_of": self.as_of,
            "computed_at": self.computed_at,
            "state": self.state,
            **{name: self.readings[name] for name in ("rolled_back", "mixed_readings")},
            "requested": dict(self.requested),
            "filter": dict(self.answered),
            "units": {column: _UNITS[kind] for column, kind in kinds.items() if kind in _UNITS},
            "decimals": decimals,
        }
        return frame


def _typed(values: "pd.Series[Any]", kind: str) -> "pd.Series[Any]":
    """Values in the dtype of their kind."""
    if kind == Kind.MONTH:
        return values.astype(pd.PeriodDtype("M"))
    if kind == Kind.DAY:
        return pd.to_datetime(values).dt.as_unit("us")
    if kind in _DTYPES:
        return values.astype(_DTYPES[kind])
    if kind == Kind.CURRENCY:
        values = values.replace("", None)
    order = list(_ORDERS.get(kind, ()))
    categories = order or list(dict.fromkeys(values.dropna()))
    return values.astype(pd.CategoricalDtype(categories, ordered=bool(order)))
