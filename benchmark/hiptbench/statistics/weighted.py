"""AUC and c-index of weighted units, for thousands of weightings and several methods at once, as a bootstrap has them.

With whole numbers as weights they are the metrics of ``hiptbench.metrics`` on units repeated so often. Both are linear
in the matrix of the pairs that are won, so that its mean over a method's seeds is weighted once.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float, Float64, Int

from hiptbench.metrics import TIED_RISK_TOLERANCE


def weighted_aucs(
    labels: Int[np.ndarray, " n"],
    methods: Sequence[Sequence[Float[np.ndarray, "n k"]]],
    weights: Float64[np.ndarray, "draws n"],
) -> Float64[np.ndarray, "methods draws"]:
    """Return the area under the ROC curve of each weighting; with three classes or more, macro one-vs-rest.

    Args:
        labels: Class index of each unit.
        methods: Of each method the class probabilities that each of its seeds gives.
        weights: Weight of each unit in each draw, none negative.

    Returns:
        One value a method and draw, a mean over seeds; NaN where a class has no weight.
    """
    n_classes = methods[0][0].shape[1]
    areas = [
        _one_vs_rest(labels == index, [[seed[:, index] for seed in seeds] for seeds in methods], weights)
        for index in ([1] if n_classes == 2 else range(n_classes))
    ]
    mean: np.ndarray = np.mean(areas, axis=0)
    return mean


def weighted_c_indices(
    time: Float[np.ndarray, " n"],
    event: Bool[np.ndarray, " n"],
    methods: Sequence[Sequence[Float[np.ndarray, " n"]]],
    weights: Float64[np.ndarray, "draws n"],
) -> Float64[np.ndarray, "methods draws"]:
    """Return Harrell's concordance index of each weighting; a pair weighs the product of its units' weights.

    Args:
        time: Time to the event or to censoring.
        event: Whether the event was seen.
        methods: Of each method the risks that each of its seeds gives; higher means a shorter time.
        weights: Weight of each unit in each draw, none negative.

    Returns:
        One value a method and draw, a mean over seeds; NaN where no comparable pair has weight.
    """
    earlier, first = time[event, None], weights[:, event]  # only a unit with an event comes first in a pair
    comparable = ((earlier < time) | ((earlier == time) & ~event)).astype(np.float64)
    pairs = _weigh(first, comparable, weights)
    won = (comparable * np.mean([_higher_risk(seed, event) for seed in seeds], axis=0) for seeds in methods)
    return np.array([_ratio(_weigh(first, matrix, weights), pairs) for matrix in won])


def _higher_risk(risk: Float[np.ndarray, " n"], event: Bool[np.ndarray, " n"]) -> Float64[np.ndarray, "events n"]:
    """Return whether the unit with the event has the higher risk, ties counting one half."""
    difference = risk.astype(np.float64)[event, None] - risk
    return np.where(abs(difference) <= TIED_RISK_TOLERANCE, 0.5, difference > 0)


def _one_vs_rest(
    positive: Bool[np.ndarray, " n"],
    methods: Sequence[Sequence[Float[np.ndarray, " n"]]],
    weights: Float64[np.ndarray, "draws n"],
) -> Float64[np.ndarray, "methods draws"]:
    """Return the weighted share of pairs in which the positive unit has the higher score."""
    of_class, of_rest = weights[:, positive], weights[:, ~positive]
    pairs = of_class.sum(axis=1) * of_rest.sum(axis=1)
    won = (np.mean([_higher_score(seed, positive) for seed in seeds], axis=0) for seeds in methods)
    return np.array([_ratio(_weigh(of_class, matrix, of_rest), pairs) for matrix in won])


def _higher_score(
    scores: Float[np.ndarray, " n"], positive: Bool[np.ndarray, " n"]
) -> Float64[np.ndarray, "positives negatives"]:
    """Return whether the positive unit has the higher score, ties counting one half."""
    higher, lower = scores[positive, None], scores[~positive]
    won: np.ndarray = (higher > lower) + 0.5 * (higher == lower)
    return won


def _weigh(
    rows: Float64[np.ndarray, "draws a"], matrix: Float64[np.ndarray, "a b"], columns: Float64[np.ndarray, "draws b"]
) -> Float64[np.ndarray, " draws"]:
    """Return of each draw the sum of the pairs in a matrix, each times the weights of both of its units."""
    total: np.ndarray = ((rows @ matrix) * columns).sum(axis=1)
    return total


def _ratio(part: Float64[np.ndarray, " n"], whole: Float64[np.ndarray, " n"]) -> Float64[np.ndarray, " n"]:
    """Return the quotient, NaN where it is divided by nothing."""
    ratio: np.ndarray = np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0)
    return ratio
