"""Friedman's test of methods over tasks, with the critical difference of their mean ranks."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64
from scipy.stats import chi2, friedmanchisquare, studentized_range

from hiptbench.errors import MetricError
from hiptbench.statistics.comparison import ALPHA
from hiptbench.statistics.ranks import ranks_within


@dataclass(frozen=True)
class Friedman:
    """Whether any method differs from any over tasks; for few tasks a weak question.

    Attributes:
        tasks: Number of tasks.
        methods: Number of methods.
        mean_ranks: Mean rank of each method; 1 is the best.
        statistic: Friedman's chi-squared, corrected for ties.
        p: By the chi-squared distribution, which is an approximation for few tasks.
        smallest_p: What p would be if all tasks ranked the methods alike: it cannot be smaller.
        smallest_sign_p: What the two-sided p of a sign test of two methods would be if one won every task.
        critical_difference: Nemenyi's: mean ranks that are further apart differ at .05.
    """

    tasks: int
    methods: int
    mean_ranks: tuple[float, ...]
    statistic: float
    p: float
    smallest_p: float
    smallest_sign_p: float
    critical_difference: float

    def caption(self) -> str:
        """Return what a figure of the mean ranks must say below it."""
        return (
            f"Friedman over N = {self.tasks} tasks and k = {self.methods} methods: p {self.p:.3g}, of which the "
            f"smallest attainable is {self.smallest_p:.2g}; two methods that differ on every task would reach "
            f"{self.smallest_sign_p:.2g} in a sign test. Critical difference (Nemenyi, .05): "
            f"{self.critical_difference:.2f} ranks."
        )


def friedman(metrics: Float64[np.ndarray, "tasks methods"]) -> Friedman:
    """Test whether methods differ over tasks.

    Args:
        metrics: Metric of each method on each task, higher is better; methods that all tasks have.

    Raises:
        MetricError: If there are fewer than two tasks or three methods, or a metric is not finite.

    Source: Demsar, Journal of Machine Learning Research 7 (2006) 1-30.
    """
    n, k = metrics.shape
    if n < 2 or k < 3:
        raise MetricError(
            f"Friedman's test takes two tasks and three methods at least, not {n} and {k}. Compare with one reference."
        )
    if not np.isfinite(metrics).all():
        raise MetricError("A method has no finite metric on some task. Take the methods that are complete on all.")
    ranks = ranks_within(metrics)
    tied = not np.ptp(ranks)  # where no task tells any methods apart, nothing is divided by nothing
    statistic, p = (0.0, 1.0) if tied else friedmanchisquare(*ranks.T)
    critical = studentized_range.ppf(1 - ALPHA, k, np.inf) / np.sqrt(2) * np.sqrt(k * (k + 1) / (6 * n))
    return Friedman(
        tasks=n,
        methods=k,
        mean_ranks=tuple(ranks.mean(axis=0).tolist()),
        statistic=float(statistic),
        p=float(p),
        smallest_p=float(chi2.sf(n * (k - 1), k - 1)),
        smallest_sign_p=2.0 ** (1 - n),
        critical_difference=float(critical),
    )
