"""What is usual of clients and expected of their certificates, as pages of certificates show it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from kpi_pipeline.compute.evaluation_days import AS_OF
from kpi_pipeline.compute.forecasting.basis import ForecastBasis
from kpi_pipeline.compute.forecasting.forecast import forecast_months
from kpi_pipeline.compute.months import month_text
from kpi_pipeline.model.components import HORIZONS
from kpi_pipeline.model.forecast import SURVIVAL_SCALE, ForecastRule
from kpi_pipeline.model.work_lists import Waiting, WorkListName

_AGES = 2**20
"""More than any age in days."""

_BASES = {basis.value: place for place, basis in enumerate(Waiting)}


@dataclass(frozen=True, slots=True)
class ClientOutlooks:
    """What is usual of clients and expected of their certificates.

    Attributes:
        months: The months of the forecast.
        clients: Names by number.
        rules: By currency, `rule` and `reason` of the forecast that is shown, and `shares`: the chances of
            payment by the end of each of `HORIZONS` where they are the same for all certificates with an
            estimate, else None.
        usual: By client and stage, the median days and of how many certificates; '' stands for all clients.
        keys: 64 bits each: client, acceptance and age of those for which there is an estimate, in order.
        shares: 32 bits each: by key, the chance of payment by the end of each of `HORIZONS`, in parts of
            `SURVIVAL_SCALE`.
        wait_keys: 64 bits each: client and age of what is to be collected, in order.
        waits: 64 bits each: by such a key, the days that payments took longer than the age, together; how
            many payments these are; and whose, as a place in `Waiting`.
    """

    months: list[str]
    clients: list[str]
    rules: Mapping[str, Mapping[str, Any]]
    usual: Mapping[str, Mapping[str, tuple[float, int]]]
    keys: bytes
    shares: bytes
    wait_keys: bytes
    waits: bytes


def client_outlooks(
    outlooks: pa.Table,
    stage_medians: pa.Table,
    work_lists: pa.Table,
    bases: Mapping[str, ForecastBasis],
    as_of: date,
) -> ClientOutlooks:
    """Bring together what roll-ups say of clients.

    Args:
        outlooks: Rows in `forecast.OUTLOOK_SCHEMA`.
        stage_medians: Rows in `tables.STAGE_MEDIANS_SCHEMA`.
        work_lists: Rows in `tables.WORK_LISTS_SCHEMA`.
        bases: By currency, on what the forecast rests.
        as_of: The business date.
    """
    known = outlooks.filter(pa.array(outlooks["survival_now"].to_numpy() > 0))
    collected = _collected(work_lists)
    names = pa.chunked_array([*known["client"].chunks, *collected["client"].chunks], pa.string())
    encoded = names.combine_chunks().dictionary_encode()
    codes = encoded.indices.to_numpy().astype(np.int64)
    client, late = codes[: known.num_rows], codes[known.num_rows :]
    accepted = known["is_accepted"].to_numpy().astype(np.int64)
    keys = (client * 2 + accepted) * _AGES + known["age_days"].to_numpy()
    order = np.argsort(keys)
    wait_keys, first = np.unique(late * _AGES + collected["age_days"].to_numpy(), return_index=True)
    unpaid = np.stack([known[f"survival_{horizon}"].to_numpy() for horizon in HORIZONS], axis=-1)
    return ClientOutlooks(
        [month_text(number) for number in forecast_months(as_of)],
        encoded.dictionary.to_pylist(),
        {code: _rule(basis) for code, basis in sorted(bases.items())},
        _usual(stage_medians),
        keys[order].astype("<i8").tobytes(),
        (SURVIVAL_SCALE - unpaid[order]).astype("<u4").tobytes(),
        wait_keys.astype("<i8").tobytes(),
        _waits(collected, first).astype("<i8").tobytes(),
    )


def usual_alone(stage_medians: pa.Table) -> ClientOutlooks:
    """What is usual of clients on a day of the past, of which nothing is expected any more."""
    return ClientOutlooks([], [], {}, _usual(stage_medians), b"", b"", b"", b"")


def _collected(work_lists: pa.Table) -> pa.Table:
    """What is to be collected on the business date."""
    is_collected = pc.equal(work_lists["work_list"], WorkListName.COLLECT_TODAY.value)
    return work_lists.filter(pc.and_(is_collected, pc.equal(work_lists["place"], AS_OF)))


def _waits(collected: pa.Table, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Of some rows, how much longer their clients are expected to take, and whose payments say so."""
    found = collected.take(pa.array(rows))
    bases = [_BASES[why.rpartition("_")[2]] for why in found["why"].to_pylist()]
    columns = (found["further_days"].to_numpy(), found["longer_payments"].to_numpy(), bases)
    return np.stack([np.asarray(column, np.int64) for column in columns], axis=-1)


def _usual(stage_medians: pa.Table) -> dict[str, dict[str, tuple[float, int]]]:
    usual: dict[str, dict[str, tuple[float, int]]] = {}
    for row in stage_medians.to_pylist():
        usual.setdefault(row["client"], {})[row["stage"]] = (row["days"], row["count"])
    return usual


def _rule(basis: ForecastBasis) -> dict[str, Any]:
    shares = None
    if basis.rule is ForecastRule.NAIVE:
        shares = (SURVIVAL_SCALE - basis.naive_unpaid).tolist()
    if basis.rule is ForecastRule.NONE:
        shares = []
    return {"rule": basis.rule, "reason": basis.reason, "shares": shares}
