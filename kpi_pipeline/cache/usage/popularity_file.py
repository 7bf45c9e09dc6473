"""What readers request, on disk: to be brought back when Redis has lost it."""

import logging
from pathlib import Path
from typing import Final

import orjson
import redis

from kpi_pipeline.atomic_files import replacing
from kpi_pipeline.cache.keys import wanted_key
from kpi_pipeline.cache.usage.popularity import KEPT, Popularity

_LOG: Final = logging.getLogger(__name__)


class PopularityFile:
    """Keeps how often filters are requested. Errors of Redis and of the file system propagate.

    Args:
        client: A client of the user `pipeline`.
        folder: Where the files are, one for each product.
    """

    def __init__(self, client: redis.Redis, folder: Path) -> None:
        self._popularity = Popularity(client)
        self._folder = folder

    def store(self, product: str) -> int:
        """Write the popularity of a product's filters, and return of how many.

        What the file holds and Redis has lost stays: the server may have been flushed a moment ago.
        """
        scores = self._read(product)
        for item, score in self._popularity.scores(wanted_key(product)).items():
            scores[item] = max(score, scores.get(item, score))
        heaviest = sorted(scores.items(), key=lambda scored: -scored[1])[:KEPT]
        path = self._path(product)
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as part:
            part.write_bytes(orjson.dumps([[item.decode(), score] for item, score in heaviest]))
        return len(heaviest)

    def restore(self, product: str) -> int:
        """Bring back what Redis has lost of a product, and return how many filters the file holds."""
        scores = self._read(product)
        self._popularity.merge(wanted_key(product), scores)
        return len(scores)

    def _read(self, product: str) -> dict[bytes, float]:
        path = self._path(product)
        try:
            return {item.encode(): float(score) for item, score in orjson.loads(path.read_bytes())}
        except FileNotFoundError:
            return {}
        except (ValueError, TypeError, AttributeError) as error:
            _LOG.warning("%s is cut or changed, and counts for nothing: %s", path, error)
            return {}

    def _path(self, product: str) -> Path:
        return self._folder / f"{product}.json"
