"""Links from other pages to the page that sets values side by side."""

from collections.abc import Sequence
from typing import Final

from kpi_pipeline.model.compare import COMPARED_DIMENSIONS, FEWEST_COMPARED
from kpi_pipeline.model.dimensions import MONTH
from serving.compare.parameters import CompareRequest, taken_by
from serving.pages.addresses import COMPARE_PATH, PageAddress
from serving.pages.context import PageContext
from serving.pages.earlier_quarters import quarters_of
from serving.pages.page_data import filter_label
from serving.pages.selection import Selection, parameters_of
from serving.pages.writing import NamedLink, Writer

_YEAR_LENGTH: Final = len("2024")


def compare_link(dimension: str, value: str, context: PageContext) -> NamedLink:
    """Where a value can be compared with others; without one, the page on which all is chosen."""
    request = CompareRequest(dimension, (value,)) if dimension else CompareRequest()
    address = context.address
    url = PageAddress(COMPARE_PATH, address.language, address.as_of).of(request.parameters())
    return NamedLink(url, context.texts["compare"])


def filter_comparison(context: PageContext) -> str:
    """The address on which the first single value of a filter is compared under the rest of it.

    Month ends keep single values only: of these, nothing else stays.
    """
    is_past = context.address.as_of is not None
    if not is_past and (periods := _quarters(context)):
        return _address(context, MONTH.name, periods)
    single = ((name, values[0]) for name, values in context.selection.items() if len(values) == 1)
    first = next((one for one in single if one[0] in COMPARED_DIMENSIONS), None)
    return _address(context, "", ()) if first is None else _address(context, first[0], (first[1],))


def quarter_comparison(context: PageContext) -> NamedLink | None:
    """Where the quarter of a filter is compared with the one before and that of the year before.

    Returns:
        None where the filter names no quarter, or neither of these holds certificates.
    """
    quarter, *others = _quarters(context) or ("",)
    if len(others) < FEWEST_COMPARED - 1:
        return None
    labels = [value_label(MONTH.name, one, context.writer) for one in others]
    text = context.texts["compare_quarter_with"].format(values=context.formats.together(labels))
    return NamedLink(_address(context, MONTH.name, (quarter, *others)), text)


def value_label(dimension: str, value: str, writer: Writer) -> str:
    """A value as people read it: a quarter and a year too."""
    if dimension == MONTH.name:
        if len(value) == _YEAR_LENGTH:
            return value
        if "Q" in value:
            return writer.quarter(value)
    kind = next((one.kind for one in writer.catalogue.dimensions if one.name == dimension), "name")
    return writer.text(kind, value, "")


def _quarters(context: PageContext) -> tuple[str, ...]:
    return quarters_of(context.selection.get(MONTH.name, ()), context.catalogue)


def _address(context: PageContext, dimension: str, values: tuple[str, ...]) -> str:
    """The page for some values under the part of the filter that leaves them free."""
    taken = taken_by(dimension)
    as_of = context.address.as_of
    kept: Selection = {} if as_of is not None else context.selection
    rest: Selection = {name: chosen for name, chosen in kept.items() if name not in taken}
    address = PageAddress(
        COMPARE_PATH, context.address.language, as_of, tuple(CompareRequest(dimension, values).parameters())
    )
    return address.of(parameters_of(context.catalogue, rest))


def compared_label(labels: Sequence[str], selection: Selection, context: PageContext) -> str:
    """What is compared and under which filter, as a text: `Compare: ACME and Globex (State: Paid)`."""
    text = context.texts["compare_title"].format(values=context.formats.together(labels))
    return f"{text} ({filter_label(context.catalogue, selection, context.writer)})" if selection else text
