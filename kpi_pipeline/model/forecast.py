"""The cash-flow forecast: what it means, and the numbers on which it rests.

It covers what is receivable on as_of, nothing that is issued later. Returned certificates and those in
revision take no part. Every certificate is expected to be paid as its client has paid so far, in two steps:

1. By the product-limit (Kaplan-Meier) estimate of the days from issue to payment; certificates still unpaid
   are censored at their age. A client with few payments is estimated from all clients together; where these
   have no payments either, nothing is estimated and the amount is unknown.
2. By landmarks, which are days of earlier months: certificates of the client that had about the same age on
   such a day, accepted like this one or not, and what share of them was paid in each month after it. Only the
   latest landmarks count, so that a client's change of habit shows, and paydays and batches show as they are.
   The estimate of the first step stands beside them as so many further certificates.

With U the share that stays unpaid until the end of a month, A - A * U is expected of an amount A by then,
rounded without the sign; a month's expectation is its difference from the month before. With q the fall of U
in a month, its variance is (abs(A) // u)**2 * q * (1 - q), in u = `VARIANCE_UNIT` minor units squared.
Expectations and variances are additive: those of a set of certificates are sums.

The next 30 days are forecast besides, whatever months they are in, in the same way: by the same curve, and by
the 30 days after each landmark. With U the share that stays unpaid at their end, A - A * U is expected. U is
kept between the shares that stay unpaid until the ends of the months around that day, by either rule: a
certificate is no likelier to be paid by an earlier day than by a later one.

The back-test makes the forecasts of past month ends again, from what was known then, and compares them with
what came. Two things follow from it, of each currency:

- Bands, of months and of the next days alike. A band is the expectation +- a factor times the error's scale;
  the factor is the quantile of the errors of the latest forecasts of as many months ahead, or of the next
  days, by their scale (split conformal prediction). The whole has its own factors, every filter those of
  single clients.
- The rule that is shown. The naive rule repeats the run-off of the latest three month ends for all that is
  receivable: it knows neither clients nor ages. Where its error is smaller, it is shown instead; where too
  few forecasts can be compared, none is.
"""

from enum import StrEnum
from typing import Final

from kpi_pipeline.model.components import NEXT_DAYS


class ForecastRule(StrEnum):
    """Which forecast is shown."""

    MODEL = "model"
    NAIVE = "naive"
    NONE = "none"


class ForecastReason(StrEnum):
    """Why it is."""

    MODEL_NOT_WORSE = "model_not_worse"
    MODEL_WORSE = "model_worse"
    TOO_LITTLE_HISTORY = "too_little_history"


NEXT_DAYS_NAME: Final = f"next_{NEXT_DAYS}_days"
"""The next days among the months of the forecast, in addresses and answers."""

NEXT_DAYS_SPANISH: Final = f"proximos_{NEXT_DAYS}_dias"
"""The same in Spanish, which addresses may have as well."""

SURVIVAL_SCALE: Final = 10**9
"""What stands for certainty: a share that is still unpaid is kept as so many parts of it."""

FEWEST_PAYMENTS: Final = 20
"""A client with fewer payments than this is estimated from all clients together."""

LANDMARKS: Final = 12
"""Landmarks, one a month, after which the payments of each month ahead are looked at: the latest."""

NEAREST_AGES_DAYS: Final = 15
"""Certificates are of about the same age if these differ by no more days than this, or by no larger part."""

NEAREST_AGES_PART: Final = 5
"""The age divided by this is the part."""

PRIOR_WEIGHT: Final = 10
"""As how many further certificates the estimate of the first step stands beside those seen at landmarks."""

NAIVE_LANDMARKS: Final = 3
"""Month ends whose run-off the naive rule repeats: the latest after which the month ahead is over."""

VARIANCE_UNIT: Final = 100
"""Minor units in which amounts are squared: small enough for bills of a few dollars, large enough for sums of
variances to fit 64 bits."""

BANDS: Final = (50, 90)
"""Per cent of months that each band is to hold."""

EXPECTED_SCALE: Final = 0.2
"""Part of the expectation that the scale of an error holds beside the variance: clients pay together."""

KNOWN_SCALE: Final = 0.01
"""Part of the whole receivable amount that it holds: a forecast that is certain can be wrong."""

COUNTED_PART: Final = 100
"""A forecast of a month counts if at least the receivable amount divided by this was expected or came. Months
in which next to nothing could come are right every time, and make bands seem better than they are."""

CALIBRATION_MONTHS: Final = 12
"""The latest complete months, by whose forecast errors bands are calibrated."""

FEWEST_ORIGINS: Final = 9
"""Past forecasts that a 90% band takes, as nine of ten must lie within; with fewer none is shown."""

TESTED_MONTHS: Final = 12
"""The latest complete months in which rules are compared."""

FACTOR_DECIMALS: Final = 2
"""Decimals of factors; more would be noise. A correction of one old amount then rarely moves the forecast of
other clients, so that their figures stay."""
