"""What every part of a page is written with: the catalogue, the filter, the address and the language."""

from collections.abc import Mapping
from dataclasses import dataclass

from kpi_pipeline.model.labels import Language
from serving.catalogue import Catalogue
from serving.pages.addresses import PageAddress
from serving.pages.formats import Formats
from serving.pages.selection import Counts, Selection, parameters_of
from serving.pages.writing import Writer


@dataclass(frozen=True, slots=True)
class PageContext:
    """One page as one reader requested it.

    Attributes:
        catalogue: What the data hold.
        selection: The chosen values by dimension.
        address: Of the page.
        writer: Writes values in the reader's language.
        counts: From `filters.form.option_counts`.
    """

    catalogue: Catalogue
    selection: Selection
    address: PageAddress
    writer: Writer
    counts: Counts

    @property
    def language(self) -> Language:
        """The reader's language."""
        return self.writer.language

    @property
    def formats(self) -> Formats:
        """How numbers and dates are written in it."""
        return self.writer.formats

    @property
    def texts(self) -> Mapping[str, str]:
        """The texts of pages in it, by name."""
        return self.writer.texts

    def url(self, selection: Selection) -> str:
        """The address of the page for another filter."""
        return self.address.of(parameters_of(self.catalogue, selection))
