"""The files with which pages draw charts stay in the cache as long as figures do."""

from collections.abc import Callable

from kpi_pipeline.cache.static_files import Content
from kpi_pipeline.compute.charts.page_files import PageFile, page_files
from kpi_pipeline.resources.cache import CacheResource


def keep_page_files(cache: CacheResource, expires_at: float) -> list[str]:
    """Publish those that are missing or not what they should be, and let the others live on.

    Args:
        cache: Where they are kept.
        expires_at: How long they are needed at least, in seconds since the epoch.

    Returns:
        Names of those that were written.
    """
    files = cache.static_files()
    return [
        file.name for file in page_files() if files.keep(file.name, file.origin, _content(file), expires_at)
    ]


def _content(file: PageFile) -> Callable[[], Content]:
    return lambda: Content(file.mimetype, file.make())
