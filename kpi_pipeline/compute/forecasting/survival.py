"""Product-limit (Kaplan-Meier) estimates of how long debts stay unpaid, of many groups at once."""

import numpy as np
import numpy.typing as npt

from kpi_pipeline.model.forecast import FEWEST_PAYMENTS, SURVIVAL_SCALE

Ints = npt.NDArray[np.int64]

_SPAN = 2**20
"""More than any number of days: a group and a day make one number that sorts by both."""


class SurvivalCurves:
    """The share of each group's debts that is unpaid after so many days, in parts of `SURVIVAL_SCALE`.

    A debt that is unpaid at the end of a day was at risk of being paid on that day. The share falls on each
    day with payments to share * (at risk - paid) // at risk, in whole parts.

    Args:
        group: Number of the group of each observation, from 0.
        days: Days until payment, or for which it has been unpaid.
        paid: How many debts were paid after so many days.
        unpaid: How many have been unpaid for so many days.
    """

    def __init__(self, group: Ints, days: Ints, paid: Ints, unpaid: Ints) -> None:
        keys, at = np.unique(group * _SPAN + days, return_inverse=True)
        paid_then, ended_then = np.zeros(len(keys), np.int64), np.zeros(len(keys), np.int64)
        np.add.at(paid_then, at, paid)
        np.add.at(ended_then, at, paid + unpaid)
        # At risk is whatever ends on the day or later, within the group.
        left = np.append(np.cumsum(ended_then[::-1])[::-1], 0)
        at_risk = left[:-1] - left[np.searchsorted(keys, (keys // _SPAN + 1) * _SPAN)]
        falls = paid_then > 0
        self._keys = keys[falls]
        self._groups = self._keys // _SPAN
        self._payments = np.append(0, np.cumsum(paid_then[falls]))
        self._shares = _shares(self._groups, paid_then[falls], at_risk[falls])

    def share(self, group: Ints, days: Ints) -> Ints:
        """The share of a group's debts that is unpaid at the end of a day."""
        at = np.searchsorted(self._keys, group * _SPAN + days, side="right") - 1
        if not len(self._keys):
            return np.full(at.shape, SURVIVAL_SCALE, np.int64)
        return np.where((at >= 0) & (self._groups[at] == group), self._shares[at], SURVIVAL_SCALE)

    def payments(self, group: Ints) -> Ints:
        """Payments from which a group's curve is made."""
        first, end = (np.searchsorted(self._groups, group, side=side) for side in ("left", "right"))
        return np.asarray(self._payments[end] - self._payments[first])

    def applying(self, own: Ints, everyone: Ints, days: Ints) -> tuple[Ints, Ints]:
        """The curve that applies to each debt.

        Args:
            own: The debt's own group.
            everyone: The group to fall back to.
            days: For how long the debt has been unpaid.

        Returns:
            The group that applies: its own if that has `FEWEST_PAYMENTS` and ever left a debt unpaid for
            so long; and the share unpaid by now, 0 where no curve covers such a debt.
        """
        now = self.share(own, days)
        suffices = (self.payments(own) >= FEWEST_PAYMENTS) & (now > 0)
        group = np.where(suffices, own, everyone)
        fallback = np.where(self.payments(everyone) > 0, self.share(everyone, days), 0)
        return group, np.where(suffices, now, fallback)


def _shares(groups: Ints, paid: Ints, at_risk: Ints) -> Ints:
    # Python's integers: the products may need more than 64 bits.
    shares, before, share = [], -1, SURVIVAL_SCALE
    for group, gone, risk in zip(groups.tolist(), paid.tolist(), at_risk.tolist(), strict=True):
        share = (share if group == before else SURVIVAL_SCALE) * (risk - gone) // risk
        shares.append(share)
        before = group
    return np.array(shares, np.int64)
