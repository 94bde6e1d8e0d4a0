"""What is true of fitted models: their metric on many fresh units."""

import numpy as np
from scipy.stats import rankdata

from .cohorts import Cohort

BLOCK = 200


def area(labels: np.ndarray, scores: np.ndarray) -> float:
    """Return the area under the ROC curve, by ranks."""
    positive = int(labels.sum())
    wins = rankdata(scores)[labels == 1].sum() - positive * (positive + 1) / 2
    return float(wins / (positive * (len(labels) - positive)))


def concordance(time: np.ndarray, event: np.ndarray, risk: np.ndarray) -> float:
    """Return Harrell's concordance of pairs within blocks of 200 units: all 2 * 10^8 pairs would tell little more."""
    times, events, risks = (values[: len(values) // BLOCK * BLOCK].reshape(-1, BLOCK) for values in (time, event, risk))
    comparable = (times[:, :, None] < times[:, None, :]) & (events[:, :, None] == 1)
    won = risks[:, :, None] > risks[:, None, :]
    return float((comparable & won).sum() / comparable.sum())


def metric(cohort: Cohort, scores: np.ndarray) -> float:
    """Return the AUC of labels, or the concordance of times."""
    if cohort.kind == "survival":
        return concordance(cohort.time, cohort.labels, scores)
    return area(cohort.labels, scores)
