"""Nadeau and Bengio's corrected t: folds that share training units tell less than as many independent ones."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64
from scipy.stats import t as student

from hiptbench.errors import MetricError
from hiptbench.statistics.comparison import DECIMALS
from hiptbench.statistics.draws import CONFIDENCE

_EQUAL = 10.0**-DECIMALS
_ONE_FOLD = "one fold says nothing of how the difference varies with the training part; take the paired bootstrap"
_ALL_ZERO = "the two have the same value in every fold"
_ALL_EQUAL = "the difference is the same in every fold, so that its variance, zero, says nothing"


@dataclass(frozen=True)
class Ratio:
    """How much the folds' dependence adds to the variance of the mean.

    Attributes:
        value: Added to 1 / folds.
        label: Where it comes from, in words.
    """

    value: float
    label: str

    @classmethod
    def of_repeated_splits(cls, n_test: Sequence[int], n_train: Sequence[int]) -> "Ratio":
        """Return evaluated over trained units, each a mean over repeated, that is Monte-Carlo, splits.

        Args:
            n_test: Units evaluated in each fold.
            n_train: Units really trained on in each fold: those drawn, where a fraction is.

        Raises:
            MetricError: If there are not as many of both, or a fold has none.
        """
        if len(n_test) != len(n_train) or min((*n_test, *n_train), default=0) < 1:
            raise MetricError(
                f"Evaluated units {list(n_test)} and trained units {list(n_train)} must be one positive count a fold."
            )
        test, train = float(np.mean(n_test)), float(np.mean(n_train))
        label = f"n_test / n_train = {test:.1f} / {train:.1f}, the units evaluated and trained on, means over folds"
        return cls(test / train, label)

    @classmethod
    def of_partition(cls, folds: int) -> "Ratio":
        """Return 1 / (folds - 1), the ratio of the tested to the trained part in a partition, all of it trained on.

        Args:
            folds: Number of folds.

        Raises:
            MetricError: If there are fewer than two.
        """
        if folds < 2:
            raise MetricError(f"{folds} folds are no partition into a tested and a trained part.")
        label = (
            f"1 / (K - 1) with K = {folds}, the ratio at fraction 1, a heuristic: the correction is for repeated splits"
        )
        return cls(1 / (folds - 1), label)


@dataclass(frozen=True)
class CorrectedT:
    """The comparison of two methods over folds.

    Attributes:
        effect: Mean over folds of the first method's metric less the second's.
        low: Lower end of the 95 % interval; None where there is no variance to take it from.
        high: Its upper end.
        t: Effect over its corrected standard error; None as above.
        df: Degrees of freedom: folds less one.
        p: Two-sided; None as above.
        ratio: What the variance was corrected with.
        note: Why there is no test, or what to know of it; empty if there is nothing.
    """

    effect: float
    low: float | None
    high: float | None
    t: float | None
    df: int
    p: float | None
    ratio: Ratio
    note: str = ""


def corrected_t(first: Float64[np.ndarray, " _"], second: Float64[np.ndarray, " _"], ratio: Ratio) -> CorrectedT:
    """Compare the metrics of two methods over folds; what varies is both the training and the tested part.

    The variance of the mean of K differences is (1/K + ratio) times their sample variance, on K - 1 degrees of freedom.

    Args:
        first: Metric of one method in each fold, a mean over its seeds.
        second: That of the other, in the same folds.
        ratio: See ``Ratio``.

    Returns:
        The comparison. One fold has an effect and no test, and so have differences that are all equal and not zero;
        the note says why.

    Raises:
        MetricError: If the folds are not as many, there is none, or a value is not finite.

    Source: Nadeau and Bengio, Machine Learning 52 (2003) 239-281.
    """
    if len(first) != len(second) or not len(first):
        raise MetricError(f"There are {len(first)} and {len(second)} folds; give both methods' value in each fold.")
    differences = first - second
    broken = np.flatnonzero(~np.isfinite(differences))
    if len(broken):
        raise MetricError(f"Folds {', '.join(map(str, broken))} lack a finite value of either method.")
    effect, df = float(differences.mean()), len(first) - 1
    if not df:
        return CorrectedT(effect, None, None, None, df, None, ratio, _ONE_FOLD)
    if np.ptp(differences) > _EQUAL:
        return _tested(effect, float(differences.var(ddof=1)), df, ratio)
    if abs(effect) > _EQUAL:
        return CorrectedT(effect, None, None, None, df, None, ratio, _ALL_EQUAL)
    return CorrectedT(0.0, 0.0, 0.0, 0.0, df, 1.0, ratio, _ALL_ZERO)


def _tested(effect: float, variance: float, df: int, ratio: Ratio) -> CorrectedT:
    se = ((1 / (df + 1) + ratio.value) * variance) ** 0.5
    half, t = float(student.ppf((1 + CONFIDENCE) / 2, df)) * se, effect / se
    return CorrectedT(effect, effect - half, effect + half, t, df, float(2 * student.sf(abs(t), df)), ratio)
