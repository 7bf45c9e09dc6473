"""The cash-flow forecast: what it means, and the numbers on which it rests.

Every receivable certificate is expected to be paid as its client has paid so far: by the product-limit
(Kaplan-Meier) estimate of the days from issue to payment; certificates still unpaid are censored at their
age. A certificate of some age is expected to be paid by the distribution beyond that age. A client with few
payments is estimated from all clients together; where these have no payments either, nothing is estimated and
the amount is unknown. Returned certificates and those in revision take no part.

With S the share still unpaid, a the age of a certificate of amount A and a + d its age at the end of a month,
A * (S(a) - S(a + d)) // S(a) is expected by then, rounded without the sign; a month's expectation is its
difference from the month before. With q the fall of S in a month, its variance is
(abs(A) // u)**2 * q * (S(a) - q) // S(a)**2, in u = `VARIANCE_UNIT` minor units squared.

Expectations and variances are additive: those of a set of certificates are sums. The bands are wider than the
variance alone implies, by the errors of forecasts of earlier months: clients pay in batches.
"""

from typing import Final

SURVIVAL_SCALE: Final = 10**12
"""What stands for certainty: a share that is still unpaid is kept as so many parts of it."""

FEWEST_PAYMENTS: Final = 20
"""A client with fewer payments than this is estimated from all clients together."""

VARIANCE_UNIT: Final = 100
"""Minor units in which amounts are squared: small enough for bills of a few dollars, large enough for sums of
variances to fit 64 bits."""

BANDS: Final[dict[int, float]] = {50: 0.6744897501960817, 90: 1.6448536269514722}
"""Per cent of months that a band is to hold, and the standard deviations that this takes."""

DISPERSION_MONTHS: Final = 12
"""The latest complete months, by whose forecast errors bands are widened."""

DISPERSION_DECIMALS: Final = 2
"""Decimals of the dispersion; more would be noise. A correction of one old amount then rarely moves the
forecast of other clients, so that their figures stay."""
