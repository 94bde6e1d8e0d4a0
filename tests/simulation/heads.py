"""The heads that are simulated: linear, and fitted in a millisecond; and what they predict, as the package has it."""

from collections.abc import Iterable, Sequence

import numpy as np

from hiptbench.metrics import auc, c_index
from hiptbench.predictions import Prediction, Predictions
from hiptbench.targets import Labels, Survival

from .cohorts import Cohort

NEWTON_STEPS = 8
RIDGE = 1e-3


def fit(cohort: Cohort, copy: int) -> np.ndarray:
    """Return the weights of the head that is fitted to one copy of the features."""
    features = cohort.features[copy]
    if cohort.kind == "survival":
        return fit_exponential(features, cohort.time, cohort.labels)
    return fit_lda(features, cohort.labels)


def predict(cohort: Cohort, copy: int, weights: np.ndarray) -> Predictions:
    """Return units, truth and prediction; a unit's name begins with its patient's."""
    scores = cohort.features[copy] @ weights
    units = tuple(f"{patient}.{number}" for number, patient in enumerate(cohort.patients.tolist()))
    if cohort.kind == "survival":
        return units, Survival(cohort.time, cohort.labels == 1), Prediction(risk=scores)
    positive = 1 / (1 + np.exp(-scores))
    return units, Labels(cohort.labels, ("0", "1")), Prediction(probabilities=np.column_stack([1 - positive, positive]))


def patients_of(folds: Iterable[Predictions]) -> dict[str, str]:
    """Return the patient of each unit."""
    return {unit: unit.partition(".")[0] for units, _, _ in folds for unit in units}


def per_fold(folds: Sequence[Predictions]) -> np.ndarray:
    """Return the metric of each fold."""
    return np.array([_metric(fold) for fold in folds])


def _metric(fold: Predictions) -> float:
    _, target, prediction = fold
    if isinstance(target, Survival):
        assert prediction.risk is not None
        return c_index(target.time, target.event, prediction.risk)
    assert prediction.probabilities is not None
    return auc(target.values, prediction.probabilities)


def fit_lda(features: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the weights of Fisher's linear discriminant, in closed form."""
    means = [features[labels == label].mean(axis=0) for label in (0, 1)]
    centred = features - np.where(labels[:, None] == 1, means[1], means[0])
    within = centred.T @ centred / len(features)
    weights: np.ndarray = np.linalg.solve(within + RIDGE * np.eye(len(within)), means[1] - means[0])
    return weights


def fit_exponential(features: np.ndarray, time: np.ndarray, event: np.ndarray) -> np.ndarray:
    """Return the weights of exponential survival regression, by Newton's steps from zero."""
    design = np.column_stack([np.ones(len(features)), features])
    weights = np.zeros(design.shape[1])
    weights[0] = np.log(event.sum() / time.sum())
    for _ in range(NEWTON_STEPS):
        expected = time * np.exp(design @ weights)
        hessian = (design * expected[:, None]).T @ design + RIDGE * np.eye(len(weights))
        weights += np.linalg.solve(hessian, design.T @ (event - expected) - RIDGE * weights)
    return weights[1:]
