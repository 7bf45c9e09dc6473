"""A filter's selection by the values of one dimension, ranked."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from kpi_pipeline.audit.recomputation.certificate_states import CertificateState
from kpi_pipeline.audit.recomputation.days import Window
from kpi_pipeline.audit.recomputation.measures import FLOWS, STOCKS, cost_amounts
from kpi_pipeline.audit.recomputation.quotients import in_order
from kpi_pipeline.audit.recomputation.variant import Variant

Sums = dict[str, int]
Ranked = list[tuple[str, Sums]]


def by_value(variant: Variant, dimension: str, code: str, names: Sequence[str]) -> dict[str, Sums]:
    """Sums of a currency by value, of what there is any of.

    Args:
        variant: What the filter chooses.
        dimension: By which dimension.
        code: The currency.
        names: What is summed of certificates and costs.
    """
    found: dict[str, Sums] = {}

    def add(value: str, amounts: Mapping[str, int]) -> None:
        sums = found.setdefault(value, dict.fromkeys(names, 0))
        for name in names:
            sums[name] += int(amounts.get(name, 0))

    measures = {**FLOWS, **STOCKS}
    of = [name for name in names if name in measures]
    oracle = variant.oracle
    window = Window(None, oracle.as_of) if variant.is_cohort else oracle.windows[0]
    for one in variant.certificate_states:
        if one.currency == code:
            add(one.values[dimension], {name: measures[name](one, window) for name in of})
    if len(of) < len(names):
        for cost in variant.every_cost:
            if cost["currency"] == code:
                add(cost[dimension], cost_amounts(cost, window))
    return {value: sums for value, sums in found.items() if any(sums.values())}


def ranked(found: Mapping[str, Sums], *measures: Callable[[Sums], int]) -> Ranked:
    """The largest first; of equals, as people look for them."""

    def order(value: str) -> tuple[int, ...]:
        return tuple(-measure(found[value]) for measure in measures)

    return [(value, found[value]) for value in sorted(in_order(found), key=order)]


def with_others(rows: Ranked, top: int) -> Ranked:
    """The first rows, then all others together, if there are any."""
    if len(rows) <= top:
        return rows
    return [*rows[:top], ("", total(rows[top:]))]


def total(rows: Iterable[tuple[str, Sums]]) -> Sums:
    """All rows together."""
    found: Sums = {}
    for _, sums in rows:
        for name, amount in sums.items():
            found[name] = found.get(name, 0) + amount
    return found


def largest(rows: Mapping[str, Sums], name: str) -> tuple[str, int]:
    """The value with the largest sum, the first of equals."""
    value, sums = ranked(rows, lambda sums: sums[name])[0]
    return value, sums[name]


def broken(variant: Variant, code: str, key: Callable[[CertificateState], str | None]) -> dict[str, Sums]:
    """Certificates of a currency by a key that some have: how many, and the amounts claimed."""
    found: dict[str, Sums] = {}
    for one in variant.certificate_states:
        if one.currency == code and (name := key(one)) is not None:
            sums = found.setdefault(name, {"amount": 0, "count": 0})
            sums["amount"] += one.proposed
            sums["count"] += one.is_counted
    return found
