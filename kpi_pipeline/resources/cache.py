"""The cache as assets see it."""

from dagster import ConfigurableResource

from kpi_pipeline.cache.connection import connect, redis_url
from kpi_pipeline.cache.ledger import Ledger
from kpi_pipeline.cache.publisher import Publisher
from kpi_pipeline.cache.requests import Requests
from kpi_pipeline.settings import Settings


class CacheResource(ConfigurableResource[None]):
    """The writing side of the cache, at the address that settings give."""

    def publisher(self) -> Publisher:
        """Publishes generations."""
        return Publisher(connect(redis_url(Settings())))

    def requests(self) -> Requests:
        """The stream of requests from serving."""
        return Requests(connect(redis_url(Settings())))

    def ledger(self) -> Ledger:
        """Variants that readers asked for beyond those always computed."""
        return Ledger(connect(redis_url(Settings())))

    def time_to_live(self, product: str) -> int:
        """Seconds for which a generation of a product stays fresh."""
        return Settings().ttl[product]

    def stale_grace(self) -> int:
        """Seconds for which a generation may be served after it ceased to be fresh."""
        return Settings().stale_grace
