"""The portfolio on as_of: by age, by state and by stage, as blocks and as charts."""

from typing import Final

import numpy as np

from kpi_pipeline.compute.blocks.chart_data import (
    Columns,
    Sentence,
    charts_by_variant,
    present_currencies,
    sentences_by_variant,
)
from kpi_pipeline.compute.cube.encoding import Ints
from kpi_pipeline.compute.cube.slices import Slice
from kpi_pipeline.compute.json_values import Data, by_variant, names_at, parts, quotients, rows_of
from kpi_pipeline.model.ageing import AGEING_BUCKETS, DUE_BUCKETS
from kpi_pipeline.model.labels import STAGES
from kpi_pipeline.model.states import FIGURE_STATES

_BUCKETS: Final = tuple(label for label, _, _ in AGEING_BUCKETS)
_STATES: Final = tuple(state.value for state in FIGURE_STATES)
_DAYS: Final = dict(zip(STAGES, ("sending_days", "acceptance_days", "settling_days"), strict=True))


def ageing(slice_: Slice) -> list[list[Data]]:
    """The buckets of each currency, by issue and by due date, each with its share of the amount."""
    variant, currency = present_currencies(slice_)
    rows = rows_of(
        {
            "currency": names_at(slice_.currencies, currency),
            "by_issue": _buckets(slice_, "ageing", _BUCKETS, variant, currency),
            "by_due": _buckets(slice_, "due", DUE_BUCKETS, variant, currency),
        }
    )
    return by_variant(len(slice_.filters), variant, rows)


def stages(slice_: Slice) -> list[Data]:
    """The mean days of each stage and of how many certificates; the one with the largest mean.

    Where stages take equally long, the bottleneck is the first; where no certificate has passed a stage,
    there is none.
    """
    counts = [slice_.total(f"{days}_count").sum(axis=1) for days in _DAYS.values()]
    means = [
        quotients(slice_.total(days).sum(axis=1), count)
        for days, count in zip(_DAYS.values(), counts, strict=True)
    ]
    blocks = []
    for days, passed in zip(
        zip(*means, strict=True), zip(*(count.tolist() for count in counts), strict=True), strict=True
    ):
        known = [mean for mean in days if mean is not None]
        blocks.append(
            {
                "stages": [
                    {"stage": stage, "days": mean, "count": count}
                    for stage, mean, count in zip(STAGES, days, passed, strict=True)
                ],
                "bottleneck": STAGES[days.index(max(known))] if known else None,
            }
        )
    return blocks


def ageing_chart(slice_: Slice) -> list[Data]:
    """Receivables by days since issue."""
    variant, currency = present_currencies(slice_)
    amount, count = _by_label(slice_, "ageing", _BUCKETS, variant, currency)
    total = amount.sum(axis=1)
    share = parts(amount.ravel(), np.repeat(total, len(_BUCKETS)))
    largest = amount.argmax(axis=1)
    sentences: list[Sentence | None] = []
    for at, (whole, place, oldest, aged) in enumerate(
        zip(total.tolist(), largest.tolist(), amount[:, -1].tolist(), count[:, -1].tolist(), strict=True)
    ):
        shares = share[at * len(_BUCKETS) : (at + 1) * len(_BUCKETS)]
        if whole > 0 and oldest > 0 and shares[-1] is not None:
            sentences.append(("oldest", {"share": shares[-1], "amount": oldest}))
        elif whole > 0 and not aged and shares[place] is not None:
            sentences.append(("none_oldest", {"bucket": _BUCKETS[place], "share": shares[place]}))
        else:
            sentences.append(None)
    columns: Columns = {
        "bucket": list(_BUCKETS) * len(variant),
        "currency": names_at(slice_.currencies, np.repeat(currency, len(_BUCKETS))),
        "amount": amount.ravel().tolist(),
        "count": count.ravel().tolist(),
        "share": share,
    }
    drawn = ((amount != 0) | (count != 0)).ravel()
    of_variant = sentences_by_variant(slice_, variant, currency, sentences)
    return charts_by_variant(slice_, np.repeat(variant, len(_BUCKETS)), columns, drawn, of_variant)


def states_chart(slice_: Slice) -> list[Data]:
    """Proposed amounts by state on as_of; of paid ones, those whose payment is in the window."""
    variant, currency = present_currencies(slice_)
    amount, count = _by_label(slice_, "state", _STATES, variant, currency)
    total, largest = amount.sum(axis=1), amount.argmax(axis=1)
    most = amount[np.arange(len(largest)), largest]
    sentences: list[Sentence | None] = [
        ("largest", {"state": _STATES[place], "amount": greatest, "share": share}) if whole > 0 else None
        for whole, place, greatest, share in zip(
            total.tolist(), largest.tolist(), most.tolist(), quotients(most, total), strict=True
        )
    ]
    columns: Columns = {
        "state": list(_STATES) * len(variant),
        "currency": names_at(slice_.currencies, np.repeat(currency, len(_STATES))),
        "amount": amount.ravel().tolist(),
        "count": count.ravel().tolist(),
    }
    drawn = ((amount != 0) | (count != 0)).ravel()
    of_variant = sentences_by_variant(slice_, variant, currency, sentences)
    return charts_by_variant(slice_, np.repeat(variant, len(_STATES)), columns, drawn, of_variant)


def stages_chart(slice_: Slice) -> list[Data]:
    """The mean days of the stages one after another; a stage that no certificate has passed takes none."""
    charts = []
    for block in stages(slice_):
        days, counts = ([stage[name] for stage in block["stages"]] for name in ("days", "count"))
        ends = np.cumsum([mean or 0.0 for mean in days]).tolist()
        says: list[Data] = []
        if (total := ends[-1]) > 0:
            slowest = block["bottleneck"]
            values = {"stage": slowest, "days": days[STAGES.index(slowest)], "total": total}
            says.append({"sentence": "bottleneck", "values": values})
        columns: Columns = {
            "stage": list(STAGES),
            "start": [0.0, *ends[:-1]],
            "end": ends,
            "days": days,
            "count": counts,
        }
        charts.append({"columns": columns, "empty": not any(counts), "says": says})
    return charts


def _buckets(
    slice_: Slice, stem: str, labels: tuple[str, ...], variant: Ints, currency: Ints
) -> list[list[Data]]:
    amount, count = _by_label(slice_, stem, labels, variant, currency)
    rows = rows_of(
        {
            "bucket": list(labels) * len(variant),
            "amount": amount.ravel().tolist(),
            "count": count.ravel().tolist(),
            "share": parts(amount.ravel(), np.repeat(amount.sum(axis=1), len(labels))),
        }
    )
    return [rows[start : start + len(labels)] for start in range(0, len(rows), len(labels))]


def _by_label(
    slice_: Slice, stem: str, labels: tuple[str, ...], variant: Ints, currency: Ints
) -> tuple[Ints, Ints]:
    """Amounts and counts by label of some variants and currencies, [rows, labels]."""
    amount, count = (
        np.stack([slice_.total(f"{stem}_{label}_{what}")[variant, currency] for label in labels], axis=1)
        for what in ("amount", "count")
    )
    return amount, count
