"""Addresses of the page that is shown, narrowed to one value: where a name or a mark of it leads."""

from typing import Final

from serving.catalogue import Catalogue
from serving.pages.addresses import PageAddress
from serving.pages.filters.parts import Selection, parameters_of

_NOTHING: Final = ""


class DrillDown:
    """The filters that a page shows, each with one value more.

    Args:
        catalogue: Which values there are.
        selection: The filter that is asked for.
        address: Of the page.
    """

    def __init__(self, catalogue: Catalogue, selection: Selection, address: PageAddress) -> None:
        self._catalogue = catalogue
        # Month ends keep single values only.
        self._kept = {} if address.as_of is not None else selection
        self._address = address
        self._values = {one.name: {held.value for held in one.values} for one in catalogue.dimensions}
        # A page names a value several times.
        self._found: dict[tuple[str, str], str] = {}

    def to(self, dimension: str, value: str) -> str:
        """The address that leaves one value of a dimension; empty where the catalogue has none such, or
        nothing else is shown already.

        Args:
            dimension: Its name.
            value: As the data have it.
        """
        if (dimension, value) not in self._found:
            self._found[dimension, value] = self._look(dimension, value)
        return self._found[dimension, value]

    def _look(self, dimension: str, value: str) -> str:
        if value not in self._values.get(dimension, ()) or list(self._kept.get(dimension, ())) == [value]:
            return _NOTHING
        return self._address.of(parameters_of(self._catalogue, {**self._kept, dimension: [value]}))
