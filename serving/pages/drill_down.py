"""Addresses of the page that is shown, narrowed by a value: where a name or a mark of it leads."""

from serving.catalogue import Catalogue
from serving.pages.addresses import PageAddress
from serving.pages.selection import Selection, parameters_of


class DrillDown:
    """The filters that a page shows, each with one value more.

    Args:
        catalogue: Which values there are.
        selection: The filter of the page.
        address: Of the page.
    """

    def __init__(self, catalogue: Catalogue, selection: Selection, address: PageAddress) -> None:
        self._catalogue = catalogue
        # Month ends keep single values only.
        self._kept = {} if address.as_of is not None else selection
        self._address = address
        self._values = {
            dimension.name: {value.value for value in dimension.values} for dimension in catalogue.dimensions
        }
        # A page names a value several times.
        self._urls: dict[tuple[str, tuple[str, ...]], str] = {}

    def to(self, dimension: str, *values: str) -> str:
        """The address of the page under one or several values of a dimension.

        Args:
            dimension: Its name.
            values: As the data have them; those that the catalogue does not have are left out.

        Returns:
            Empty where no value is left, or where the page shows nothing else already.
        """
        key = dimension, values
        if key not in self._urls:
            self._urls[key] = self._url(dimension, values)
        return self._urls[key]

    def _url(self, dimension: str, values: tuple[str, ...]) -> str:
        chosen = [value for value in values if value in self._values.get(dimension, ())]
        too_many = self._address.as_of is not None and len(chosen) > 1
        if not chosen or too_many or set(self._kept.get(dimension, ())) == set(chosen):
            return ""
        return self._address.of(parameters_of(self._catalogue, {**self._kept, dimension: chosen}))
