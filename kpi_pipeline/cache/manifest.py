"""The manifest: which generation of each product is live, and until when it may be used."""

import builtins
import hashlib
from datetime import date
from enum import StrEnum
from typing import Annotated, Final, Self, cast

import orjson
import redis
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, model_validator
from pydantic.dataclasses import dataclass

from kpi_pipeline.cache.freshness import AnswerState, state_at
from kpi_pipeline.cache.keys import manifest_key, month_end_field, scope_of, variant_key
from kpi_pipeline.model.dimensions import SCHEMA_VERSION
from kpi_pipeline.model.filters import Filter
from kpi_pipeline.model.scopes import WHOLE_FIRM


class MissReason(StrEnum):
    """Why a lookup was not answered with its own figures."""

    NOT_PRECOMPUTED = "not_precomputed"
    """The live generation does not hold the variant: no reader requested it before, or there was no room."""

    CORRUPT = "corrupt"
    """The variant is stored and cannot be read."""

    VANISHED = "vanished"
    """The variant was published and is gone."""

    EXPIRED = "expired"
    """The whole generation is too old to be shown."""

    UNREACHABLE = "unreachable"
    """Redis could not be read and the process did not hold the variant."""


KEPT_READINGS: Final = 2
"""How many readings, other than the live one, each product keeps a replaced generation of to roll back to.

The generation replaced last is kept besides, whatever its reading: it stands in for a damaged answer.
"""

_PREVIOUS: Final = b',"previous":'
_DIGEST: Final = b',"digest":"'

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+$")]
Count = Annotated[int, Field(ge=0)]


class CorruptManifest(ValueError):
    """A stored text is no manifest entry of this version."""


@dataclass(frozen=True, slots=True, config=ConfigDict(strict=True, extra="forbid", allow_inf_nan=False))
class ManifestEntry:
    """The live generation of one product; validated whenever it is made. Times are seconds since the epoch.

    Attributes:
        product: What is published.
        generation: Its name, of `keys.new_generation`.
        fence: The order of source readings: an entry with a lower fence never replaces this one.
        as_of: The business date that ageing and overdue are measured against.
        computed_at: When the source was read from which it was computed.
        verified_at: When the source was last read and gave the same figures; `computed_at` at first.
        fresh_until: Before this it is fresh.
        stale_until: Before this it may still be shown; from then on it is expired.
        reading: Digest of what the source held, as of the business date: figures of different products agree
            with each other only where it is equal.
        first_read_at: When the source was first read and held that.
        rollup: Digest of all that its roll-up comes from; None where the source showed too little to tell.
        demand: Digest of what readers request beyond what is always precomputed, and of the budget.
        rolled_back_at: When an administrator made it live again; None for what the pipeline published.
        rolled_back_from: Digest of the reading that it replaced then: while the source holds that, it stays.
        inputs: Digest of all that its figures come from: equal inputs give equal figures.
        basis: Digest of what its answers depend on besides their figures; an answer is reused only on an
            equal basis.
        source: Digest of the source's address and mapping: month ends of another one are not kept beside it.
        watermark: How far the source had come, in the source's own terms; None where it has none.
        run_id: The run that made it.
        schema_version: `model.dimensions.SCHEMA_VERSION` under which it was made.
        variants: How many answers it holds, the catalogue not counted.
        blocks: How many further keys it holds: the list of certificates and its index.
        bytes: Stored size of all that it holds.
        previous: Generations it replaced that are still kept, newest first.
    """

    product: Name
    generation: Name
    fence: Count
    as_of: date
    computed_at: float
    verified_at: float
    fresh_until: float
    stale_until: float
    reading: Annotated[str, Field(min_length=1)]
    first_read_at: float
    rollup: str | None
    demand: str
    rolled_back_at: float | None
    rolled_back_from: str | None
    inputs: str
    basis: str
    source: str
    watermark: str | None
    run_id: str
    schema_version: Count
    variants: Count
    blocks: Count
    bytes: Count
    previous: Annotated[tuple[Name, ...], Field(max_length=KEPT_READINGS + 1)]

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        times = [self.computed_at, self.verified_at, self.fresh_until, self.stale_until]
        if times != sorted(times):
            raise ValueError("the times are out of order")
        if len({self.generation, *self.previous}) <= len(self.previous):
            raise ValueError("a generation replaces itself")
        return self

    @property
    def keys(self) -> int:
        """How many keys it holds, the catalogue among them."""
        return self.variants + self.blocks + 1

    @property
    def scope(self) -> str:
        """Whose readers it is for."""
        return scope_of(self.generation)

    def variant(self, requested: Filter) -> str:
        """What the answer to a filter is named by in it."""
        return variant_key(self.product, requested, self.scope)

    def state_at(self, now: float) -> AnswerState:
        """Of `freshness.state_at`: fresh before `fresh_until`, stale before `stale_until`, then expired.

        Args:
            now: Seconds since the epoch.
        """
        return state_at(now, self.verified_at, self.fresh_until, self.stale_until)

    def has_inputs(self, inputs: str) -> bool:
        """Whether this version would make the same generation of some inputs."""
        return self.inputs == inputs and self.schema_version == SCHEMA_VERSION

    def to_json(self) -> builtins.bytes:
        """The entry as a JSON object that ends with a digest of what is before it, for `from_json`."""
        return _with_digest(orjson.dumps(self)[:-1])

    def open_json(self) -> builtins.bytes:
        """The entry's JSON object up to `previous`, which only the server can know at a flip.

        `scripts.FLIP` adds that and the digest.
        """
        return orjson.dumps(self).rpartition(_PREVIOUS)[0]

    @classmethod
    def from_json(cls, text: builtins.bytes) -> "ManifestEntry":
        """Read an entry.

        Raises:
            CorruptManifest: If the text is not as it was written, is no entry, lacks a field, or has one too
                many or of an invalid value.
        """
        body = text.rpartition(_DIGEST)[0]
        if _with_digest(body) != text:
            raise CorruptManifest("a manifest entry is corrupt (its digest): publish the product again")
        try:
            return _ENTRY.validate_json(body + b"}")
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False, include_input=False)[0]
            where = ".".join(map(str, first["loc"])) or "the whole"
            raise CorruptManifest(
                f"a manifest entry is corrupt ({where}: {first['msg']}): publish the product again"
            ) from error


_ENTRY: Final = TypeAdapter(ManifestEntry)


def live_entry(client: redis.Redis, product: str, scope: str = WHOLE_FIRM) -> ManifestEntry | None:
    """The live entry of a product for a scope; None when there is none, or none that can be read."""
    text = cast("bytes | None", client.hget(manifest_key(scope), product))
    try:
        return None if text is None else ManifestEntry.from_json(text)
    except CorruptManifest:
        return None


def _with_digest(body: bytes) -> bytes:
    """A JSON object without its last brace, closed by its digest: SHA-1, which Redis's scripts know too."""
    return b'%s%s%s"}' % (body, _DIGEST, hashlib.sha1(body, usedforsecurity=False).hexdigest().encode())


def version_of(text: bytes) -> int | None:
    """The `schema_version` of an entry that may be of another version, also of one without digests.

    Returns:
        None where the text is no entry at all, or has been changed.
    """
    body, digest, _ = text.rpartition(_DIGEST)
    if digest and _with_digest(body) != text:
        return None
    try:
        entry = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    version = entry.get("schema_version") if isinstance(entry, dict) else None
    return version if isinstance(version, int) else None


def month_end_entry(field: str, text: bytes) -> ManifestEntry:
    """Read an entry of the history.

    Args:
        field: Its field of `HISTORY_KEY`.
        text: The field's value.

    Raises:
        CorruptManifest: If it is no entry, or that of another product or month.
    """
    entry = ManifestEntry.from_json(text)
    if month_end_field(entry.product, entry.as_of) != field:
        raise CorruptManifest("an entry of the history is of another month end: run `kpi backfill` for it")
    return entry
