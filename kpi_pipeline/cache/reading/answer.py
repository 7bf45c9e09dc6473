"""What a lookup gets, and what it raises where nothing is published."""

from dataclasses import dataclass

from kpi_pipeline.cache.codec import Payload
from kpi_pipeline.cache.freshness import AnswerState
from kpi_pipeline.cache.manifest import ManifestEntry, MissReason
from kpi_pipeline.model.filters import Filter


class NothingPublished(LookupError):
    """Redis holds no generation of a product that this version can read.

    Attributes:
        product: What was requested.
    """

    def __init__(self, product: str, what: str = "no generation of it is live") -> None:
        super().__init__(f"{product} cannot be answered: {what}; publish it with `kpi warm`")
        self.product = product


@dataclass(frozen=True, slots=True)
class Answer:
    """The cache's answer to one lookup.

    Attributes:
        state: Its state relative to the present. `missing`: the variant is not precomputed.
        payload: The data; None when expired, or when missing and no wider variant is there.
        entry: The generation it comes from.
        answered: The filter that the payload answers: the one requested, or the nearest wider one
            that exists when the state is `missing`.
        reachable: Whether Redis could be reached when last tried.
        miss: Why the generation does not answer the request; None when it does.
            When its own answer is corrupt or gone, that of a replaced generation is given as `stale`.
    """

    state: AnswerState
    payload: Payload | None
    entry: ManifestEntry | None
    answered: Filter
    reachable: bool
    miss: MissReason | None = None
