"""How far published figures agree with their recomputation, and what follows where they do not."""

from dataclasses import dataclass, field
from math import exp, floor, lgamma, log, log1p
from typing import Any, Final, Self

import orjson
from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as validated

from kpi_pipeline.model.scopes import WHOLE_FIRM

_CONFIG: Final = ConfigDict(extra="forbid")

KEPT_DISAGREEMENTS: Final = 20
"""So many disagreements of a product are kept, each with both figures."""

CONFIDENCE: Final = 0.95
"""Of the share that agrees at least, as a sample of figures shows it."""


_BLUR: Final = 1e-6
"""By so much a number that should be whole may be below it."""


@validated(frozen=True, slots=True, config=_CONFIG)
class Disagreement:
    """A figure that is published otherwise than it is recomputed.

    Attributes:
        product: Where it is published.
        generation: The generation that holds it.
        filter: Of which variant, as of `Filter.as_dict`.
        figure: Which one, as the path within the answer, such as `kpis.dso[0].value`.
        published: The published figure as JSON.
        recomputed: The other one, likewise.
        scope: The id of the scope whose readers get it.
    """

    product: str
    generation: str
    filter: dict[str, list[str]]
    figure: str
    published: str
    recomputed: str
    scope: str = WHOLE_FIRM

    def as_text(self) -> str:
        """The disagreement with both figures, for engineers."""
        terms = ", ".join(f"{name} = {' | '.join(values)}" for name, values in self.filter.items())
        within = "" if self.scope == WHOLE_FIRM else f" in the scope {self.scope}"
        return (
            f"{self.product}{within}, {terms or 'all certificates'}: {self.figure} is published as "
            f"{self.published} and recomputed as {self.recomputed}"
        )


@validated(frozen=True, slots=True, config=_CONFIG)
class Agreement:
    """What an audit found of the live generation of a product. Times are seconds since the epoch.

    Attributes:
        product: The product.
        generation: Its generation.
        checked_at: When it was audited.
        variants: How many variants were recomputed, those of scopes among them.
        figures: How many figures they have.
        disagreeing: How many of these differ.
        too_large: How many variants were chosen and left out, for they have too many certificates.
        first: The first that differ.
    """

    product: str
    generation: str
    checked_at: float
    variants: int
    figures: int
    disagreeing: int
    too_large: int
    first: tuple[Disagreement, ...] = ()

    @property
    def agreeing(self) -> int:
        """How many figures agree."""
        return self.figures - self.disagreeing

    def to_json(self) -> bytes:
        """The agreement as a JSON object, for `from_json`."""
        return orjson.dumps(self)

    @classmethod
    def from_json(cls, text: bytes) -> "Agreement | None":
        """Read an agreement; None where the text is none of this version."""
        try:
            return _AGREEMENT.validate_json(text)
        except ValidationError:
            return None


@validated(frozen=True, slots=True, config=_CONFIG)
class Hold:
    """A product of which no new generation goes live, since an audit found that its figures disagree.

    Attributes:
        product: The product.
        generation: The generation that was audited.
        since: When, in seconds since the epoch.
        disagreeing: How many figures differed.
        first: The first of them.
    """

    product: str
    generation: str
    since: float
    disagreeing: int
    first: tuple[Disagreement, ...]

    @classmethod
    def of(cls, agreement: Agreement) -> Self:
        """What an audit that found disagreements leads to."""
        found = agreement
        return cls(found.product, found.generation, found.checked_at, found.disagreeing, found.first)

    def to_json(self) -> bytes:
        """The hold as a JSON object, for `from_json`."""
        return orjson.dumps(self)

    @classmethod
    def from_json(cls, product: str, text: bytes) -> "Hold":
        """Read a hold; one that another version has written still holds, without its figures."""
        try:
            return _HOLD.validate_json(text)
        except ValidationError:
            return cls(product, "", 0.0, 0, ())

    def as_text(self) -> str:
        """Why nothing goes live, for engineers."""
        first = f": {self.first[0].as_text()}" if self.first else ""
        return (
            f"an audit found {self.disagreeing} published figures of {self.product} that differ from their "
            f"recomputation{first}. Nothing newer goes live until the next audit agrees, or somebody runs "
            f"`kpi agreement --release {self.product}`"
        )


_AGREEMENT: Final = TypeAdapter(Agreement)
_HOLD: Final = TypeAdapter(Hold)


@dataclass(frozen=True, slots=True)
class Agreements:
    """What the last audits found, and what is held.

    Attributes:
        by_product: Of each product that was audited.
        holds: Of each product of which no new generation goes live.
    """

    by_product: dict[str, Agreement] = field(default_factory=dict)
    holds: dict[str, Hold] = field(default_factory=dict)

    @property
    def figures(self) -> int:
        """How many figures were recomputed, of all products together."""
        return sum(one.figures for one in self.by_product.values())

    @property
    def agreeing(self) -> int:
        """How many of them agree."""
        return sum(one.agreeing for one in self.by_product.values())

    @property
    def checked_at(self) -> float | None:
        """When the product was audited whose audit is the oldest, in seconds since the epoch."""
        return min((one.checked_at for one in self.by_product.values()), default=None)

    @property
    def least_share(self) -> float | None:
        """Of `least_share`, of all products together."""
        return least_share(self.agreeing, self.figures)

    def as_dict(self) -> dict[str, Any]:
        """The agreements as plain JSON values; times are seconds since the epoch."""
        return {
            product: {
                **orjson.loads(one.to_json()),
                "agreeing": one.agreeing,
                "least_share": least_share(one.agreeing, one.figures),
                "held": product in self.holds,
            }
            for product, one in self.by_product.items()
        }


def least_share(agreeing: int, checked: int) -> float | None:
    """The share of all figures that agree at least, as a sample shows it with `CONFIDENCE`.

    It is the lower bound of Clopper and Pearson: a sample that agrees whole does not show that everything
    does. Of n figures that all agree it is about 1 - 3/n, so that a further nine takes ten times as many.

    Args:
        agreeing: How many figures agree.
        checked: Of how many.

    Returns:
        None where none was checked.
    """
    if checked <= 0:
        return None
    wrong = checked - agreeing
    if wrong >= checked:
        return 0.0
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        # The more figures are wrong, the less likely is a sample with so few of them.
        low, high = (middle, high) if _at_most(wrong, checked, middle) > 1 - CONFIDENCE else (low, middle)
    return 1.0 - high


def share_text(share: float) -> str:
    """A share in percent with the digits that its nines need, rounded down: `99.97`.

    Args:
        share: From 0 to 1.
    """
    digits = share_digits(share)
    return f"{floor(share * 100 * 10**digits + _BLUR) / 10**digits:.{digits}f}"


def share_digits(share: float) -> int:
    """Digits behind the decimal point of a share in percent that show its nines and one digit more."""
    return 2 if share >= 1 else min(max(floor(-log(1 - share, 10) + _BLUR) - 1, 0), 6)


def _at_most(wrong: int, checked: int, share: float) -> float:
    """How likely at most so many of so many figures are wrong where a share of all is."""
    if share >= 1:
        return 0.0
    if share <= 0:
        return 1.0
    every = lgamma(checked + 1)
    return sum(
        exp(
            every
            - lgamma(one + 1)
            - lgamma(checked - one + 1)
            + one * log(share)
            + (checked - one) * log1p(-share)
        )
        for one in range(wrong + 1)
    )
