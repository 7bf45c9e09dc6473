"""The cash-flow forecast: what it means, and the numbers on which it rests.

Every receivable certificate is expected to be paid as its client has paid so far: by the product-limit
(Kaplan-Meier) estimate of the days from issue to payment, in which what is still unpaid counts for as long
as it has waited. A certificate that has waited for some days is taken on from there. A client with few
payments is taken for one of all clients; where not even those tell anything, nothing is estimated and the
amount is unknown. Rejected certificates and those in revision take no part.

With S the share still unpaid, a the age of a certificate of amount A and a + d its age at the end of a month,
A * (S(a) - S(a + d)) // S(a) is expected by then, reckoned without the sign, and what a month is expected to
bring is what that adds to the month before. With q the fall of S in a month, its variance is
(abs(A) // u)**2 * q * (S(a) - q) // S(a)**2, in u = `VARIANCE_UNIT` minor units squared.

Expectations and variances add up, so that those of any certificates together are sums. Bands widen the spread
that the curves give by as much as forecasts of earlier months have missed: clients pay in batches, not one by
one.
"""

from typing import Final

SURVIVAL_SCALE: Final = 10**12
"""What stands for certainty: a share that is still unpaid is kept as so many parts of it."""

FEWEST_PAYMENTS: Final = 20
"""A client with fewer payments than these is estimated by all clients together."""

VARIANCE_UNIT: Final = 100
"""Minor units in which amounts are squared: small enough for bills of a few dollars, large enough for sums of
variances to fit 64 bits."""

BANDS: Final[dict[int, float]] = {50: 0.6744897501960817, 90: 1.6448536269514722}
"""Per cent of months that a band is to hold, and the standard deviations that this takes."""

DISPERSION_MONTHS: Final = 12
"""Months, the latest that are over, by whose misses bands are widened."""

DISPERSION_DECIMALS: Final = 2
"""Decimals of the dispersion: what lies beyond is chance. A correction of one old amount then rarely moves
the forecast of everybody else, and so leaves their figures as they are."""
