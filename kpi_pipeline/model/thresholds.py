"""The thresholds on which definitions rest: one table, set in one place."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from babel.numbers import get_currency_precision

OTHER_CURRENCIES: Final = "*"
"""Key of what holds for every currency that is not named."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Days, shares and amounts that definitions refer to.

    Attributes:
        critical_days: An open certificate is critical when sent more than this many days ago.
        payment_term_days: Days after sending on which a certificate without an expected payment date
            falls due.
        fast_days: A certificate paid sooner than this many days after issue is collected fast.
        loss_days: A certificate unpaid this many days after issue counts as lost in the roll rates.
        dso_target_days: The DSO aimed at.
        dso_benchmark_days: The DSO of the industry.
        stable_share: A change of less than this part of the previous value is no trend.
        amount_cuts: By currency code, or `*`, the three amounts in whole units where the bands of a
            certificate's amount change; the first is that of a high amount.
        targets: By currency code, the monthly target of approved billing in whole units; the annual one
            is twelve times that.
    """

    critical_days: int = 60
    payment_term_days: int = 30
    fast_days: int = 25
    loss_days: int = 365
    dso_target_days: int = 35
    dso_benchmark_days: int = 45
    stable_share: float = 0.05
    amount_cuts: Mapping[str, tuple[int, int, int]] = field(
        default_factory=lambda: {
            "CLP": (1_000_000, 5_000_000, 10_000_000),
            OTHER_CURRENCIES: (1_000, 5_000, 10_000),
        }
    )
    targets: Mapping[str, int] = field(default_factory=dict)

    def cuts(self, currency: str) -> tuple[int, int, int]:
        """The cuts of a currency's amount bands, in its minor units."""
        given = self.amount_cuts.get(currency) or self.amount_cuts[OTHER_CURRENCIES]
        scale = 10 ** get_currency_precision(currency)
        low, middle, high = (cut * scale for cut in given)
        return low, middle, high

    def monthly_target(self, currency: str) -> int | None:
        """The monthly target of approved billing, in minor units; None where none is set."""
        target = self.targets.get(currency)
        return None if target is None else target * 10 ** get_currency_precision(currency)
