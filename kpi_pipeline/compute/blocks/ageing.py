"""Ageing: open items by days since issue and by days past their due date."""

from typing import Final

import numpy as np

from kpi_pipeline.compute.blocks.chart_data import shown
from kpi_pipeline.compute.blocks.json_values import Data, bounds, named, quotients
from kpi_pipeline.compute.cube.encoding import Ints
from kpi_pipeline.compute.cube.slices import Slice
from kpi_pipeline.model.components import AGEING_BUCKETS, DUE_BUCKETS

_BUCKETS: Final = tuple(label for label, _, _ in AGEING_BUCKETS)


def ageing(slice_: Slice) -> list[list[Data]]:
    """The buckets of each currency, by issue and by due date, each with its share of the amount."""
    variant, currency = shown(slice_)
    by_issue = _buckets(slice_, "ageing", _BUCKETS, variant, currency)
    by_due = _buckets(slice_, "due", DUE_BUCKETS, variant, currency)
    found = [
        {"currency": code, "by_issue": issue, "by_due": due}
        for code, issue, due in zip(named(slice_.currencies, currency), by_issue, by_due, strict=True)
    ]
    return [found[start:end] for start, end in bounds(len(slice_.filters), variant)]


def _buckets(
    slice_: Slice, stem: str, labels: tuple[str, ...], variant: Ints, currency: Ints
) -> list[list[Data]]:
    amount, count = (
        np.stack([slice_.total(f"{stem}_{label}_{what}")[variant, currency] for label in labels], axis=1)
        for what in ("amount", "count")
    )
    share = quotients(amount.ravel(), np.repeat(amount.sum(axis=1), len(labels)))
    found = [
        {"bucket": label, "amount": open_amount, "count": open_count, "share": part}
        for label, open_amount, open_count, part in zip(
            labels * len(variant), amount.ravel().tolist(), count.ravel().tolist(), share, strict=True
        )
    ]
    return [found[start : start + len(labels)] for start in range(0, len(found), len(labels))]
