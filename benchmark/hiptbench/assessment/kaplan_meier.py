"""The Kaplan-Meier estimate of a group of units, with its interval."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from hiptbench.errors import MetricError
from hiptbench.targets import Survival


@dataclass(frozen=True, eq=False)
class KaplanMeier:
    """An estimated survival curve with its pointwise 95 % log-minus-log interval.

    The interval has no width where no event has been seen yet, or no unit is left: it says nothing there.

    Attributes:
        times: Months, rising.
        survival: Estimated S(t).
        low: Lower end.
        high: Upper end.
    """

    times: Float64[np.ndarray, " t"]
    survival: Float64[np.ndarray, " t"]
    low: Float64[np.ndarray, " t"]
    high: Float64[np.ndarray, " t"]

    def knows(self, time: float) -> bool:
        """Whether the curve is known at a time: up to its last one, and beyond if nobody survived it."""
        return bool(time <= self.times[-1] or self.survival[-1] == 0)

    def at(self, times: Float64[np.ndarray, " m"]) -> "KaplanMeier":
        """Return the curve at other times, read as right-continuous steps that start at 1.

        Args:
            times: Months, rising; the curve knows all of them.

        Raises:
            MetricError: If the curve does not know a time.
        """
        if len(times) and not self.knows(float(times[-1])):
            raise MetricError(f"The curve ends at {self.times[-1]:g} months and is not known at {times[-1]:g}.")
        at = np.searchsorted(self.times, times, side="right")
        read = (np.append(1.0, values)[at] for values in (self.survival, self.low, self.high))
        return KaplanMeier(times, *read)


def kaplan_meier(target: Survival) -> KaplanMeier:
    """Return the Kaplan-Meier estimate at the distinct times of some units.

    Args:
        target: One unit at least.

    Source: Kaplan and Meier, JASA 53 (1958) 457-481; computed by scikit-survival's ``kaplan_meier_estimator``.
    """
    from sksurv.nonparametric import kaplan_meier_estimator

    times, survival, (low, high) = kaplan_meier_estimator(target.event, target.time, conf_type="log-log")
    return KaplanMeier(times, survival, low, high)
