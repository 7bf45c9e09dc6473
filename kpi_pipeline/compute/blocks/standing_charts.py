"""Charts of how things stand: unpaid items by age, certificates by state, days by stage."""

from typing import Final

import numpy as np

from kpi_pipeline.compute.blocks.chart_data import Columns, Said, charted, said_by_currency, shown
from kpi_pipeline.compute.blocks.json_values import Data, named, quotients
from kpi_pipeline.compute.blocks.stages import stages
from kpi_pipeline.compute.cube.encoding import Ints
from kpi_pipeline.compute.cube.slices import Slice
from kpi_pipeline.model.certificates import State
from kpi_pipeline.model.charts.words import STAGES
from kpi_pipeline.model.components import AGEING_BUCKETS

_BUCKETS: Final = tuple(label for label, _, _ in AGEING_BUCKETS)
_STATES: Final = tuple(state.value for state in State)


def ageing_chart(slice_: Slice) -> list[Data]:
    """Open items by days since issue."""
    variant, currency, amount, count = _by_label(slice_, "ageing", _BUCKETS)
    whole = amount.sum(axis=1)
    share = quotients(amount.ravel(), np.repeat(whole, len(_BUCKETS)))
    largest = amount.argmax(axis=1)
    said: list[Said | None] = []
    for at, (total, place, oldest, aged) in enumerate(
        zip(whole.tolist(), largest.tolist(), amount[:, -1].tolist(), count[:, -1].tolist(), strict=True)
    ):
        shares = share[at * len(_BUCKETS) : (at + 1) * len(_BUCKETS)]
        if total > 0 and oldest > 0:
            said.append(("oldest", {"share": shares[-1], "amount": oldest}))
        elif total > 0 and not aged:
            said.append(("none_oldest", {"bucket": _BUCKETS[place], "share": shares[place]}))
        else:
            said.append(None)
    rows = np.repeat(variant, len(_BUCKETS))
    columns: Columns = {
        "bucket": list(_BUCKETS) * len(variant),
        "currency": named(slice_.currencies, np.repeat(currency, len(_BUCKETS))),
        "amount": amount.ravel().tolist(),
        "count": count.ravel().tolist(),
        "share": share,
    }
    says = said_by_currency(slice_, variant, currency, said)
    return charted(slice_, rows, columns, ((amount != 0) | (count != 0)).ravel(), says)


def states_chart(slice_: Slice) -> list[Data]:
    """Proposed amounts by state on as_of."""
    variant, currency, amount, count = _by_label(slice_, "state", _STATES)
    whole, largest = amount.sum(axis=1), amount.argmax(axis=1)
    most = amount[np.arange(len(largest)), largest]
    said: list[Said | None] = [
        ("largest", {"state": _STATES[place], "amount": greatest, "share": share}) if total > 0 else None
        for total, place, greatest, share in zip(
            whole.tolist(), largest.tolist(), most.tolist(), quotients(most, whole), strict=True
        )
    ]
    columns: Columns = {
        "state": list(_STATES) * len(variant),
        "currency": named(slice_.currencies, np.repeat(currency, len(_STATES))),
        "amount": amount.ravel().tolist(),
        "count": count.ravel().tolist(),
    }
    says = said_by_currency(slice_, variant, currency, said)
    drawn = ((amount != 0) | (count != 0)).ravel()
    return charted(slice_, np.repeat(variant, len(_STATES)), columns, drawn, says)


def stages_chart(slice_: Slice) -> list[Data]:
    """The mean days of the stages one after another; a stage that nothing has passed takes none."""
    found = []
    for block in stages(slice_):
        start, end, starts, ends = 0.0, 0.0, [], []
        days = [one["days"] for one in block["stages"]]
        counts = [one["count"] for one in block["stages"]]
        for mean in days:
            start, end = end, end + (mean or 0.0)
            starts.append(start)
            ends.append(end)
        says: list[Data] = []
        if end > 0:
            slowest = block["bottleneck"]
            values = {"stage": slowest, "days": days[STAGES.index(slowest)], "total": end}
            says.append({"sentence": "bottleneck", "values": values})
        columns: Columns = {
            "stage": list(STAGES),
            "start": starts,
            "end": ends,
            "days": days,
            "count": counts,
        }
        found.append({"columns": columns, "empty": not any(counts), "says": says})
    return found


def _by_label(slice_: Slice, stem: str, labels: tuple[str, ...]) -> tuple[Ints, Ints, Ints, Ints]:
    """Each variant and currency shown, and its amounts and counts by label, [rows, labels]."""
    variant, currency = shown(slice_)
    amount, count = (
        np.stack([slice_.total(f"{stem}_{label}_{what}")[variant, currency] for label in labels], axis=1)
        for what in ("amount", "count")
    )
    return variant, currency, amount, count
