"""The manifest: which generation of each product is live, and until when it may be used."""

import builtins
import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import date
from enum import StrEnum
from math import isfinite
from typing import Any, Final, Self

import orjson


class MissReason(StrEnum):
    """The reasons of a miss."""

    NOT_PRECOMPUTED = "not_precomputed"
    """The live generation does not hold the variant: nobody asked for it in time, or there was no room."""

    CORRUPT = "corrupt"
    """The variant is stored and makes no sense."""

    VANISHED = "vanished"
    """The variant was published and is gone."""

    EXPIRED = "expired"
    """The whole generation is too old to be shown."""

    UNREACHABLE = "unreachable"
    """Redis could not be read and the process did not hold the variant."""


KEPT_GENERATIONS: Final = 2
"""How many replaced generations stay, to roll back to."""

_NAME: Final = re.compile(r"[A-Za-z0-9._-]+")
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_PREVIOUS: Final = b',"previous":'


class CorruptManifest(ValueError):
    """A manifest entry is not one that this version writes."""


class AnswerState(StrEnum):
    """How an answer stands to the present; that of a month end, `historic`, does not age."""

    FRESH = "fresh"
    STALE = "stale"
    MISSING = "missing"
    EXPIRED = "expired"
    HISTORIC = "historic"


@dataclass(frozen=True, slots=True)
class ManifestEntry:
    """The live generation of one product. Times are seconds since the epoch.

    Attributes:
        product: What is published.
        generation: Its name, of `keys.new_generation`.
        fence: The right under which it was computed; a lower one never replaces it.
        as_of: The business date it is measured against.
        computed_at: When the source was read from which it was computed.
        verified_at: When the source was last read and gave the same figures; `computed_at` at first.
        fresh_until: Before this it is fresh.
        stale_until: Before this it may still be shown; from then on it is expired.
        inputs: Digest of all that its figures come from: equal inputs give equal figures.
        basis: Digest of what its answers rest on beside their figures; on another none is taken over.
        watermark: How far the source had come, in the source's own words; None where it has none.
        run_id: The run that made it.
        schema_version: `model.dimensions.SCHEMA_VERSION` under which it was made.
        variants: How many answers it holds, the catalogue not counted.
        bytes: Stored size of its answers and catalogue.
        previous: Generations it replaced that are still kept, newest first.
    """

    product: str
    generation: str
    fence: int
    as_of: date
    computed_at: float
    verified_at: float
    fresh_until: float
    stale_until: float
    inputs: str
    basis: str
    watermark: str | None
    run_id: str
    schema_version: int
    variants: int
    bytes: int
    previous: tuple[str, ...] = ()

    def state_at(self, now: float) -> AnswerState:
        """Fresh before `fresh_until`, stale before `stale_until`, expired from then on.

        Args:
            now: Seconds since the epoch.
        """
        if now < self.fresh_until:
            return AnswerState.FRESH
        return AnswerState.STALE if now < self.stale_until else AnswerState.EXPIRED

    def to_json(self) -> builtins.bytes:
        """The entry as a JSON object, for `from_json`."""
        return self.open_json() + _PREVIOUS + orjson.dumps(self.previous) + b"}"

    def open_json(self) -> builtins.bytes:
        """The entry's JSON object up to `previous`, which only the server can know at a flip."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        del values["previous"]
        return orjson.dumps(values)[:-1]

    @classmethod
    def from_json(cls, text: builtins.bytes) -> Self:
        """Read an entry.

        Raises:
            CorruptManifest: If the text is no entry, lacks a field, has one too many or an odd value.
        """
        try:
            values = orjson.loads(text)
        except orjson.JSONDecodeError as error:
            raise CorruptManifest("a manifest entry is no JSON: publish the product again") from error
        if not isinstance(values, dict) or set(values) != {field.name for field in fields(cls)}:
            raise CorruptManifest("a manifest entry has the wrong fields: publish the product again")
        odd = [name for name, holds in _RULES.items() if not holds(values[name])]
        if odd:
            raise CorruptManifest(f"a manifest entry has an odd {odd[0]}: publish the product again")
        times = [values[name] for name in ("computed_at", "verified_at", "fresh_until", "stale_until")]
        if times != sorted(times):
            raise CorruptManifest("a manifest entry's times are out of order: publish the product again")
        if values["generation"] in values["previous"]:
            raise CorruptManifest("a manifest entry replaces itself: publish the product again")
        as_of, previous = date.fromisoformat(values["as_of"]), tuple(values["previous"])
        return cls(**{**values, "as_of": as_of, "previous": previous})


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and _NAME.fullmatch(value) is not None


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_date(value: Any) -> bool:
    return isinstance(value, str) and _DATE.fullmatch(value) is not None and _is_calendar_day(value)


def _is_calendar_day(value: str) -> bool:
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


def _is_time(value: Any) -> bool:
    return type(value) in (int, float) and isfinite(value)  # a bool is no time


def _is_count(value: Any) -> bool:
    return type(value) is int and value >= 0


def _is_kept(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) <= KEPT_GENERATIONS
        and all(_is_name(name) for name in value)
        and len(set(value)) == len(value)
    )


_RULES: Final[dict[str, Callable[[Any], bool]]] = {
    "product": _is_name,
    "generation": _is_name,
    "fence": _is_count,
    "as_of": _is_date,
    "computed_at": _is_time,
    "verified_at": _is_time,
    "fresh_until": _is_time,
    "stale_until": _is_time,
    "inputs": _is_text,
    "basis": _is_text,
    "watermark": lambda value: value is None or _is_text(value),
    "run_id": _is_text,
    "schema_version": _is_count,
    "variants": _is_count,
    "bytes": _is_count,
    "previous": _is_kept,
}
