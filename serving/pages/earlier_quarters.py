"""The quarters that a page of a quarter sets its flows beside: the one before, that of the year before."""

from collections.abc import Sequence
from dataclasses import dataclass

from kpi_pipeline.cache.codec import Payload
from kpi_pipeline.model.compare import months_of, quarters_compared
from kpi_pipeline.model.dimensions import MONTH
from kpi_pipeline.model.filters import Filter
from serving.cache_access import Connection
from serving.catalogue import Catalogue
from serving.lookup_result import LookupResult


@dataclass(frozen=True, slots=True)
class EarlierQuarter:
    """A quarter under the rest of the filter, in the generation of a result.

    Attributes:
        quarter: Its name, `YYYY-Qn`.
        payload: Its figures; None where the generation does not hold them.
    """

    quarter: str
    payload: Payload | None


def earlier_quarters(connection: Connection, result: LookupResult) -> tuple[EarlierQuarter, ...]:
    """What the cards of a result compare its flows with. Nothing is requested of the pipeline.

    Returns:
        The quarter before and that of the year before, of those that hold months: one read of the cache each.
        None where the figures are of no quarter, or of the past, which keeps single months.

    Raises:
        NothingPublished: As `Catalogues.any`, and likewise CacheUnavailable and CorruptPayload.
    """
    months = result.answer.values(MONTH.name)
    if not months or result.requested_as_of is not None:
        return ()
    product, _ = connection.catalogues.any()
    catalogue = connection.catalogues.of(product)
    _, *earlier = quarters_of(months, catalogue) or ("",)
    rest, held = result.answer.without(MONTH.name).as_dict(), _held(catalogue)
    filters = [(one, Filter.of({**rest, MONTH.name: months_of(one, held)})) for one in earlier]
    return tuple(
        EarlierQuarter(quarter, connection.reader.sibling(result.entry, asked)) for quarter, asked in filters
    )


def quarters_of(months: Sequence[str], catalogue: Catalogue) -> tuple[str, ...]:
    """The quarter that chosen months are, the one before it and that of the year before, if these hold any.

    Args:
        months: The chosen months.
        catalogue: Which months there are.

    Returns:
        None where the months are no quarter.
    """
    return quarters_compared(months, _held(catalogue)) if months else ()


def _held(catalogue: Catalogue) -> list[str]:
    return [month.value for one in catalogue.dimensions if one.name == MONTH.name for month in one.values]
