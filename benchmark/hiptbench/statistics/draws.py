"""What a bootstrap gives: the metric of every method in every draw, and the intervals and differences in it."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from hiptbench.errors import MetricError, UnknownNameError
from hiptbench.statistics.comparison import DECIMALS

ESTIMAND = "what these fitted models reach on new patients like the tested ones; training was not repeated"
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Interval:
    """What lies between the 2.5 and 97.5 % percentiles of the draws; of a metric or a difference its 95 % interval.

    Attributes:
        low: Lower end.
        high: Upper end.
        draws: Draws of patients that it was computed from.
        redrawn: Draws that left a fold without a class, or without a comparable pair, and were drawn again.
    """

    low: float
    high: float
    draws: int
    redrawn: int

    @property
    def redrawn_share(self) -> float:
        """Share of all draws that were drawn again."""
        return self.redrawn / (self.draws + self.redrawn)

    def __str__(self) -> str:
        again = f" ({self.redrawn_share:.1%} of draws redrawn)" if self.redrawn else ""
        return f"{self.low:.3f} to {self.high:.3f}{again}"


@dataclass(frozen=True)
class BootstrapDifference:
    """The paired bootstrap of two methods.

    Attributes:
        effect: Metric of the first less that of the second.
        interval: Its interval, of the same draws for both.
        p: Two-sided: twice the share of draws on the rarer side of zero, zero included, counting one draw more.
        note: What to know before reading it; empty if there is nothing.
    """

    effect: float
    interval: Interval
    p: float
    note: str = ""

    @property
    def low(self) -> float:
        """Lower end of the interval."""
        return self.interval.low

    @property
    def high(self) -> float:
        """Upper end of the interval."""
        return self.interval.high


@dataclass(frozen=True, eq=False)
class Draws:
    """The metric, a mean over seeds and folds, of every method in every draw of patients.

    Attributes:
        methods: Names of the methods, one a row.
        patients: The patients that were drawn from, sorted.
        estimates: The metric on the patients themselves.
        values: The metric in each draw; one draw is of the same patients for every method.
        redrawn: Draws that left a fold without a metric and were drawn again.
    """

    methods: tuple[str, ...]
    patients: tuple[str, ...]
    estimates: Float64[np.ndarray, " methods"]
    values: Float64[np.ndarray, "methods draws"]
    redrawn: int

    def interval(self, method: str) -> Interval:
        """Return the interval of a method.

        Raises:
            UnknownNameError: If it was not drawn for.
        """
        return percentile_interval(self.values[self._row(method)], self.redrawn)

    def difference(self, first: str, second: str) -> BootstrapDifference:
        """Return the first method's metric less the second's, with its interval and test.

        Raises:
            UnknownNameError: If either was not drawn for.
        """
        a, b = self._row(first), self._row(second)
        effect = float(self.estimates[a] - self.estimates[b])
        return paired_difference(effect, self.values[a] - self.values[b], self.redrawn)

    def _row(self, method: str) -> int:
        if method not in self.methods:
            raise UnknownNameError("method in these draws", method, self.methods)
        return self.methods.index(method)


def percentile_interval(values: Float64[np.ndarray, " draws"], redrawn: int) -> Interval:
    """Return the interval between the percentiles that leave 2.5 % of the draws on either side.

    Args:
        values: One value a draw.
        redrawn: Draws that were drawn again.

    Raises:
        MetricError: If there are too few draws to have such percentiles.
    """
    fewest = round(2 / (1 - CONFIDENCE))
    if len(values) < fewest:
        raise MetricError(f"{len(values)} draws have no 95 % interval. Ask for {fewest} at least, better for 2000.")
    low, high = np.quantile(values, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Interval(float(low), float(high), len(values), redrawn)


def paired_difference(effect: float, values: Float64[np.ndarray, " draws"], redrawn: int) -> BootstrapDifference:
    """Return an effect with its interval and test, from the differences in each draw.

    The test inverts the interval: p is below .05 when the interval leaves zero out, but for the one draw that is
    counted more, so that p is never zero. Values that differ from zero by rounding only are zero.

    Args:
        effect: The difference on the patients themselves.
        values: The difference in each draw.
        redrawn: Draws that were drawn again.

    Source: Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapter 13; the one draw more: Davison and
    Hinkley, Bootstrap Methods and their Application (1997), chapter 4.
    """
    values = np.round(values, DECIMALS)
    rarer = min(np.count_nonzero(values <= 0), np.count_nonzero(values >= 0))
    p = min(1.0, 2 * (rarer + 1) / (len(values) + 1))
    note = "" if values.any() else "the two have the same value in every draw"
    return BootstrapDifference(effect, percentile_interval(values, redrawn), float(p), note)
