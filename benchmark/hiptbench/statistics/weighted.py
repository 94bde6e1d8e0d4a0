"""AUC and c-index of weighted units, for thousands of weightings at once: what a bootstrap asks for.

With whole numbers as weights they are the metrics of ``hiptbench.metrics`` on units repeated so often.
"""

import numpy as np
from jaxtyping import Bool, Float, Float64, Int

from hiptbench.metrics import TIED_RISK_TOLERANCE


def weighted_auc(
    labels: Int[np.ndarray, " n"], probabilities: Float[np.ndarray, "n k"], weights: Float64[np.ndarray, "draws n"]
) -> Float64[np.ndarray, " draws"]:
    """Return the area under the ROC curve of each weighting; with three classes or more, macro one-vs-rest.

    Args:
        labels: Class index of each unit.
        probabilities: Probability of each class.
        weights: Weight of each unit in each draw, none negative.

    Returns:
        One value a draw; NaN where a class has no weight.
    """
    scored = [1] if probabilities.shape[1] == 2 else range(probabilities.shape[1])
    areas = [_one_vs_rest(labels == index, probabilities[:, index], weights) for index in scored]
    mean: np.ndarray = np.mean(areas, axis=0)
    return mean


def weighted_c_index(
    time: Float[np.ndarray, " n"],
    event: Bool[np.ndarray, " n"],
    risk: Float[np.ndarray, " n"],
    weights: Float64[np.ndarray, "draws n"],
) -> Float64[np.ndarray, " draws"]:
    """Return Harrell's concordance index of each weighting; a pair weighs the product of its units' weights.

    Args:
        time: Time to the event or to censoring.
        event: Whether the event was seen.
        risk: Predicted risk; higher means a shorter time.
        weights: Weight of each unit in each draw, none negative.

    Returns:
        One value a draw; NaN where no comparable pair has weight.
    """
    earlier, first = time[event, None], weights[:, event]  # only a unit with an event comes first in a pair
    comparable = ((earlier < time) | ((earlier == time) & ~event)).astype(np.float64)
    difference = risk.astype(np.float64)[event, None] - risk
    won = np.where(abs(difference) <= TIED_RISK_TOLERANCE, 0.5, difference > 0)
    pairs, concordant = (((first @ matrix) * weights).sum(axis=1) for matrix in (comparable, comparable * won))
    return _ratio(concordant, pairs)


def _one_vs_rest(
    positive: Bool[np.ndarray, " n"], scores: Float[np.ndarray, " n"], weights: Float64[np.ndarray, "draws n"]
) -> Float64[np.ndarray, " draws"]:
    """Return the weighted share of pairs in which the positive unit has the higher score, ties counting one half."""
    of_class, of_rest = weights[:, positive], weights[:, ~positive]
    higher, lower = scores[positive, None], scores[~positive]
    won = (higher > lower) + 0.5 * (higher == lower)
    pairs = of_class.sum(axis=1) * of_rest.sum(axis=1)
    concordant = ((of_class @ won) * of_rest).sum(axis=1)
    return _ratio(concordant, pairs)


def _ratio(part: Float64[np.ndarray, " n"], whole: Float64[np.ndarray, " n"]) -> Float64[np.ndarray, " n"]:
    """Return the quotient, NaN where it is divided by nothing."""
    ratio: np.ndarray = np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0)
    return ratio
