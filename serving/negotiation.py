"""What the client would rather have: which compression, which language."""

import re
from functools import lru_cache
from typing import Final, Literal

Encoding = Literal["zstd", "gzip", "identity"]
Language = Literal["es", "en"]

ENCODINGS: Final[tuple[Encoding, ...]] = ("zstd", "gzip", "identity")
"""Compressions that payloads are stored in, best first."""

LANGUAGES: Final[tuple[Language, ...]] = ("es", "en")
"""Languages of the pages, the default first."""

_WEIGHT: Final = re.compile(r"\s*q\s*=\s*(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)\s*", re.ASCII | re.IGNORECASE)


def _weights(header: str) -> dict[str, float]:
    """Read a weighted list (RFC 9110, section 12.4.2): token to its weight, 0 to 1."""
    weights: dict[str, float] = {}
    for item in header.split(","):
        token, semicolon, parameter = item.partition(";")
        if not (token := token.strip().casefold()):
            continue
        if not semicolon:
            weights[token] = 1.0
        else:
            weight = _WEIGHT.fullmatch(parameter)
            weights[token] = float(weight[1]) if weight else 0.0  # unreadable is no consent
    return weights


@lru_cache(maxsize=512)
def choose_encoding(header: str) -> Encoding:
    """The stored compression a client accepts with the greatest weight, the best of equals.

    `identity` when it accepts none of them: an answer it may refuse beats no answer (RFC 9110,
    section 12.5.3).

    Args:
        header: The Accept-Encoding header; empty when there is none.
    """
    weights = _weights(header)
    anything = weights.get("*", 0.0)
    # max() keeps the first of equals, and ENCODINGS is ordered by preference.
    best = max(ENCODINGS[:-1], key=lambda encoding: weights.get(encoding, anything))
    weight = weights.get(best, anything)
    if weight == 0.0 or weight < weights.get("identity", 0.0):
        return "identity"
    return best


@lru_cache(maxsize=512)
def prefers_page(header: str) -> bool:
    """Whether a client would rather have a page than JSON; one that takes anything gets JSON.

    Args:
        header: The Accept header; empty when there is none.
    """
    weights = _weights(header)
    anything = weights.get("*/*", 0.0)
    return weights.get("text/html", anything) > weights.get("application/json", anything)


@lru_cache(maxsize=512)
def choose_language(requested: str, header: str) -> Language:
    """The language of a page.

    Args:
        requested: The `lang` parameter; it wins when it names a language of ours.
        header: The Accept-Language header; regional tags (es-CL, en-GB) count for their language.
    """
    for language in LANGUAGES:
        if requested.casefold() == language:
            return language
    weights: dict[str, float] = {}
    for tag, weight in _weights(header).items():
        language_of_tag = tag.partition("-")[0]
        weights[language_of_tag] = max(weight, weights.get(language_of_tag, 0.0))
    return max(LANGUAGES, key=lambda language: weights.get(language, 0.0))
