"""ROC curves averaged over folds, with a band."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64

from hiptbench.assessment.inputs import check_some
from hiptbench.assessment.measures import NotEvaluable
from hiptbench.errors import MetricError
from hiptbench.metrics import accuracy

GRID_POINTS = 101


@dataclass(frozen=True, eq=False)
class MeanRoc:
    """The ROC curve of one class against the rest, averaged vertically over folds.

    Vertical averaging takes the mean of the folds' true positive rates at equal false positive rates. At a jump the
    upper end is taken, so the value at 0 is what is found without a false positive; drawings start at (0, 0).

    Attributes:
        of_class: Index of the class.
        fpr: False positive rates: 101 from 0 to 1.
        tpr: Mean true positive rate at each.
        sd: Standard deviation over folds, with n - 1; None with one fold.
        low: 2.5 % quantile over folds, interpolated; None with one fold.
        high: 97.5 % quantile.
        folds: Number of folds.
    """

    of_class: int
    fpr: Float64[np.ndarray, " p"]
    tpr: Float64[np.ndarray, " p"]
    sd: Float64[np.ndarray, " p"] | None
    low: Float64[np.ndarray, " p"] | None
    high: Float64[np.ndarray, " p"] | None
    folds: int


def mean_roc(
    folds: Sequence[tuple[Int64[np.ndarray, " _"], Float64[np.ndarray, "_ k"]]],
) -> tuple[MeanRoc | NotEvaluable, ...]:
    """Return the mean ROC curve of class 1 with two classes, of each class against the rest with more.

    The band is the spread of the folds' curves, which share training units; it is no interval of the mean.

    Args:
        folds: Class index and class probabilities of each fold's evaluated units.

    Returns:
        One entry a class, a reason in its place where a fold has no unit of the class or none of the rest.

    Raises:
        MetricError: If there is no fold, arrays are not labels and probabilities, or folds differ in their classes.
    """
    check_some(folds)
    for labels, probabilities in folds:
        accuracy(labels, probabilities)  # refuses what is no label or no probability
    numbers = {probabilities.shape[1] for _, probabilities in folds}
    if len(numbers) > 1:
        raise MetricError(f"Folds have different numbers of classes: {sorted(numbers)}. Give folds of one task.")
    n_classes = numbers.pop()
    return tuple(_of_class(index, folds) for index in ([1] if n_classes == 2 else range(n_classes)))


def _of_class(
    index: int, folds: Sequence[tuple[Int64[np.ndarray, " _"], Float64[np.ndarray, "_ k"]]]
) -> MeanRoc | NotEvaluable:
    for number, (labels, _) in enumerate(folds):
        if len(np.unique(labels == index)) < 2:
            missing = "no unit" if not (labels == index).any() else "only units"
            return NotEvaluable(f"fold {number} of {len(folds)} (from 0) has {missing} of class {index}")
    grid = np.arange(GRID_POINTS) / (GRID_POINTS - 1)  # rounded as the rates are, so that a jump at 3/10 is met
    rates = np.array([_true_positive_rates(labels == index, shares[:, index], grid) for labels, shares in folds])
    several = len(folds) > 1
    low, high = np.quantile(rates, [0.025, 0.975], axis=0) if several else (None, None)
    sd = rates.std(axis=0, ddof=1) if several else None
    return MeanRoc(index, grid, rates.mean(axis=0), sd, low, high, len(folds))


def _true_positive_rates(
    positive: Bool[np.ndarray, " n"], score: Float64[np.ndarray, " n"], grid: Float64[np.ndarray, " p"]
) -> Float64[np.ndarray, " p"]:
    """Return the ROC curve at a grid of false positive rates: linear between points, the upper end at a jump."""
    from sklearn.metrics import roc_curve

    fpr, tpr, _ = roc_curve(positive, score)
    rates: np.ndarray = np.interp(grid, fpr, tpr)  # of several points at one rate it takes the last
    return rates
