"""What readers should know of the readings of the source: earlier figures restored, or pages that differ."""

from collections.abc import Sequence

from kpi_pipeline.cache.live_readings import LiveReadings
from serving.catalogue import Page
from serving.pages.writing import Writer


def reading_notices(readings: LiveReadings, product: str, pages: Sequence[Page], writer: Writer) -> list[str]:
    """Sentences for a page whose figures are of an earlier reading, or that others differ from; else none.

    Args:
        readings: Of all products.
        product: That of the page.
        pages: All pages, to name those that differ.
        writer: Writes in the language of the page.
    """
    own, texts = readings.by_product.get(product), writer.texts
    if own is None:
        return []
    notices, moments = [], _moments(readings, writer)
    if own.rolled_back_at is not None:
        at = writer.formats.moment(own.rolled_back_at)
        notices.append(texts["rolled_back_notice"].format(read=moments[own.digest], at=at))
    if readings.mixed:
        others = [
            texts["mixed_others"].format(pages=labels, moment=moments[reading.digest])
            for reading, products in readings.groups().items()
            if reading.digest != own.digest and (labels := _labels(products, pages, writer))
        ]
        notices.append(texts["mixed_notice"].format(own=moments[own.digest], others=" ".join(others)))
    return notices


def _moments(readings: LiveReadings, writer: Writer) -> dict[str, str]:
    """When each reading was first taken, to the second where the minute does not tell two apart."""
    read_at = {reading.digest: reading.read_at for reading in readings.groups()}
    moments = {digest: writer.formats.moment(moment) for digest, moment in read_at.items()}
    if len(set(moments.values())) == len(moments):
        return moments
    return {digest: writer.formats.moment(moment, seconds=True) for digest, moment in read_at.items()}


def _labels(products: Sequence[str], pages: Sequence[Page], writer: Writer) -> str:
    return writer.formats.together([writer.label(page) for page in pages if page.product in products])
