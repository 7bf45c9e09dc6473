"""Values of a certificate as pages show them, and the address of its page."""

from datetime import date

from kpi_pipeline.cache.reading.listing.certificates import value_of
from kpi_pipeline.cache.reading.listing.sorting import Row
from kpi_pipeline.model.labels import Kind
from serving.listing.detail import certificate_path
from serving.pages.addresses import CERTIFICATES_PATH, PageAddress
from serving.pages.context import PageContext


def value_text(context: PageContext, kind: Kind, value: str | int | float | date, currency: str) -> str:
    """A value of a certificate as it is shown."""
    formats = context.formats
    if isinstance(value, date):
        return formats.day(value).replace(" ", "\N{NO-BREAK SPACE}")
    if kind is Kind.MONEY:
        return formats.money(int(value), currency).full
    if kind is Kind.DAYS:
        return formats.count(value) if isinstance(value, int) else formats.days(float(value))
    return context.writer.text(kind, value, currency)


def detail_url(row: Row, listed: PageAddress) -> str:
    """The address of the page of a certificate, in the language and of the day of a list."""
    project, number = (str(value_of(row, name)) for name in ("project", "number"))
    path = certificate_path(CERTIFICATES_PATH, project, number)
    return PageAddress(path, listed.language, listed.as_of).of(())
