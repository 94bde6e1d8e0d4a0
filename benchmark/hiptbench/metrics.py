"""Metrics of one fold: pure functions from arrays to a number, with the docstring as the specification.

A metric that is not defined on its arrays raises; it never returns NaN, nor 0.5 in place of a value.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Int

from hiptbench.errors import MetricError, UnknownNameError

PROBABILITY_TOLERANCE = 1e-6
"""How far a probability may leave [0, 1] and a row's sum may miss 1: room for a float32 softmax."""

TIED_RISK_TOLERANCE = 1e-8
"""Risks at most this far apart are tied: scikit-survival's default, and so the published c-indices'."""


@dataclass(frozen=True)
class Metric:
    """What a metric's name stands for.

    Attributes:
        name: The name in tables and results, and of the function in this module.
        kind: The kind of task it belongs to.
        definition: One sentence, with the rule for ties.
        direction: Which values are better.
    """

    name: str
    kind: Literal["classification", "survival"]
    definition: str
    direction: str = "higher is better"


_AUC = Metric(
    "auc",
    "classification",
    "Area under the ROC curve of the class-1 probability with two classes, unweighted mean of the "
    "one-vs-rest areas with more; a tie between a unit of the class and one of the rest counts one half.",
)
_ACCURACY = Metric(
    "accuracy",
    "classification",
    "Share of units whose most probable class is their label; a tie goes to the lowest class index.",
)
_BALANCED_ACCURACY = Metric(
    "balanced_accuracy",
    "classification",
    "Unweighted mean over the classes of the share of a class's units whose most probable class it is; "
    "a tie goes to the lowest class index.",
)
_C_INDEX = Metric(
    "c_index",
    "survival",
    "Harrell's concordance, the share of comparable pairs in which the unit with the earlier event has the "
    "higher risk; risks within 1e-8 are tied and count one half, two events at one time are not comparable, "
    "and an event comes before a censoring at the same time.",
)
METRICS: Mapping[str, Metric] = MappingProxyType(
    {metric.name: metric for metric in (_AUC, _ACCURACY, _BALANCED_ACCURACY, _C_INDEX)}
)


def definition_of(name: str) -> str:
    """Return the one-sentence definition of a metric.

    Args:
        name: A key of ``METRICS``.

    Returns:
        The sentence, as leaderboards and reports print it.

    Raises:
        UnknownNameError: If there is no such metric.
    """
    if name not in METRICS:
        raise UnknownNameError("metric", name, METRICS)
    return METRICS[name].definition


def auc(labels: Int[np.ndarray, " n"], probabilities: Float[np.ndarray, "n k"]) -> float:
    """Return the area under the ROC curve; with three classes or more, macro one-vs-rest.

    For one class against the rest it is the chance that a unit of the class has a higher probability of it
    than a unit of the rest, ties counting one half: U / (n1 n2) of the Mann-Whitney test. With k = 2 this is
    taken of class 1; with k >= 3 it is the unweighted mean over the k classes. Probabilities are tied when
    they are equal, without a tolerance.

    Args:
        labels: Class index of each unit, 0 to k - 1.
        probabilities: Probability of each class, rows summing to 1 within 1e-6; k >= 2.

    Returns:
        A number in [0, 1]; higher is better, 0.5 is chance.

    Raises:
        MetricError: If the arrays are not labels and probabilities, or if one of the k classes has no unit.

    Source: Hanley and McNeil, Radiology 143 (1982) 29-36; computed by scikit-learn's ``roc_auc_score``.
    HIPT's published values follow the same definition, with two classes and with three.
    """
    from sklearn.metrics import roc_auc_score

    _check_classification(labels, probabilities)
    n_classes = probabilities.shape[1]
    _class_counts("auc", labels, n_classes)
    scored = [1] if n_classes == 2 else range(n_classes)
    return float(np.mean([roc_auc_score(labels == index, probabilities[:, index]) for index in scored]))


def accuracy(labels: Int[np.ndarray, " n"], probabilities: Float[np.ndarray, "n k"]) -> float:
    """Return the share of units whose most probable class is their label.

    Args:
        labels: Class index of each unit, 0 to k - 1; a class may be absent.
        probabilities: Probability of each class, rows summing to 1 within 1e-6; k >= 2. Of equally probable
            classes the one with the lowest index is predicted.

    Returns:
        A number in [0, 1]; higher is better.

    Raises:
        MetricError: If the arrays are not labels and probabilities, or are empty.
    """
    _check_classification(labels, probabilities)
    if len(labels) == 0:
        raise MetricError("accuracy is not defined on 0 units. Evaluate on at least one.")
    return float(np.mean(probabilities.argmax(axis=1) == labels))


def balanced_accuracy(labels: Int[np.ndarray, " n"], probabilities: Float[np.ndarray, "n k"]) -> float:
    """Return the unweighted mean over the k classes of their recall.

    The recall of a class is the share of its units whose most probable class it is. The mean is not adjusted
    for chance, which is 1 / k.

    Args:
        labels: Class index of each unit, 0 to k - 1.
        probabilities: Probability of each class, rows summing to 1 within 1e-6; k >= 2. Of equally probable
            classes the one with the lowest index is predicted.

    Returns:
        A number in [0, 1]; higher is better.

    Raises:
        MetricError: If the arrays are not labels and probabilities, or if one of the k classes has no unit.
    """
    _check_classification(labels, probabilities)
    n_classes = probabilities.shape[1]
    counts = _class_counts("balanced_accuracy", labels, n_classes)
    hits = np.bincount(labels[probabilities.argmax(axis=1) == labels], minlength=n_classes)
    return float(np.mean(hits / counts))


def c_index(time: Float[np.ndarray, " n"], event: Bool[np.ndarray, " n"], risk: Float[np.ndarray, " n"]) -> float:
    """Return Harrell's concordance index.

    It is the share of comparable pairs (see ``comparable_pairs``) in which the unit with the earlier event
    has the higher risk. A pair whose risks differ by at most 1e-8 is tied and counts one half. The tolerance
    is absolute: risks that all lie within it are all tied, so give a log-hazard, not its exponential.

    lifelines' ``concordance_index(time, -risk, event)`` has the same comparable pairs and differs in one
    rule: it ties risks only when they are equal. The two agree whenever no two unequal risks lie within 1e-8.

    Args:
        time: Time to the event or to censoring, in any one unit.
        event: True where the event was seen, False where the time is censored.
        risk: Predicted risk; higher means a shorter time. Not a survival probability, not a predicted time.

    Returns:
        A number in [0, 1]; higher is better, 0.5 is chance.

    Raises:
        MetricError: If shapes differ, an event is not a bool, a value is NaN or infinite, or no pair is
            comparable.

    Source: Harrell, Lee and Mark, Statistics in Medicine 15 (1996) 361-387; computed by scikit-survival's
    ``concordance_index_censored``, as HIPT's published values were.
    """
    from sksurv.metrics import concordance_index_censored

    _check_one_per_unit(time=time, event=event, risk=risk)
    _check_finite("risk", risk)
    if comparable_pairs(time, event) == 0:
        raise MetricError(
            f"c_index is not defined: no pair is comparable among n = {len(time)} units with {event.sum()} "
            "events. Evaluate on units of which at least one has its event before another unit's time."
        )
    exact = risk.astype(np.float64)  # a narrower type would round the tolerance too
    return float(concordance_index_censored(event, time, exact, tied_tol=TIED_RISK_TOLERANCE)[0])


def comparable_pairs(time: Float[np.ndarray, " n"], event: Bool[np.ndarray, " n"]) -> int:
    """Return the number of comparable pairs: the denominator of ``c_index``.

    A pair is comparable if the earlier time is an event, or if the times are equal and exactly one is an
    event, which then counts as the earlier. Two events at one time are not comparable, nor are two censored
    units. Times are equal without a tolerance. ``c_index`` x ``comparable_pairs`` is thus a multiple of one
    half, and an integer if no comparable pair has tied risks.

    Args:
        time: Time to the event or to censoring, in any one unit.
        event: True where the event was seen, False where the time is censored.

    Returns:
        A count, from 0 to n (n - 1) / 2.

    Raises:
        MetricError: If shapes differ, an event is not a bool, or a time is NaN or infinite.

    Source: the pairs that scikit-survival's ``concordance_index_censored`` counts.
    """
    _check_one_per_unit(time=time, event=event)
    if event.dtype != np.bool_:
        raise MetricError(
            f"event has dtype {event.dtype}, not bool. Give True where the event was seen, False where not."
        )
    _check_finite("time", time)
    seen = time[event]
    later = len(time) - np.searchsorted(np.sort(time), seen, side="right")
    censored = np.sort(time[~event])
    tied = np.searchsorted(censored, seen, side="right") - np.searchsorted(censored, seen, side="left")
    return int(later.sum() + tied.sum())


def _check_classification(labels: Int[np.ndarray, " n"], probabilities: Float[np.ndarray, "n k"]) -> None:
    if probabilities.ndim != 2 or probabilities.shape[1] < 2:
        raise MetricError(
            f"probabilities have shape {probabilities.shape}, not [n, k] with k >= 2. "
            "Give one column per class, two for a binary task."
        )
    _check_one_per_unit(labels=labels, probabilities=probabilities[:, 0])
    _check_finite("probabilities", probabilities)
    highest = probabilities.shape[1] - 1
    _refuse("labels", labels, (labels < 0) | (labels > highest), f"not a class index from 0 to {highest}")
    outside = (probabilities < -PROBABILITY_TOLERANCE) | (probabilities > 1 + PROBABILITY_TOLERANCE)
    _refuse("probabilities", probabilities, outside, "outside [0, 1]; give probabilities, not logits")
    sums = probabilities.sum(axis=1, dtype=np.float64)
    off = np.abs(sums - 1) > PROBABILITY_TOLERANCE
    _refuse("sum over classes of probabilities", sums, off, "not 1 within 1e-06; normalise each row")


def _class_counts(metric: str, labels: Int[np.ndarray, " n"], n_classes: int) -> Int[np.ndarray, " k"]:
    counts = np.bincount(labels, minlength=n_classes)
    absent = ", ".join(map(str, np.flatnonzero(counts == 0)))
    if absent:
        listing = ", ".join(f"{index}: {count}" for index, count in enumerate(counts))
        raise MetricError(
            f"{metric} is not defined: no unit has class {absent} (units per class: {listing}). "
            "Evaluate on units of every class."
        )
    return counts


def _check_one_per_unit(**vectors: np.ndarray) -> None:
    shapes = {name: values.shape for name, values in vectors.items()}
    if len(set(shapes.values())) > 1 or any(len(shape) != 1 for shape in shapes.values()):
        listing = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
        raise MetricError(f"Shapes must be one and the same [n], got {listing}. Give one value per unit.")


def _check_finite(name: str, values: Float[np.ndarray, "..."]) -> None:
    _refuse(name, values, ~np.isfinite(values), "not finite; mend what made it: no metric leaves units out")


def _refuse(name: str, values: np.ndarray, broken: Bool[np.ndarray, "..."], why: str) -> None:
    """Raise for the first broken value, by its index."""
    if broken.any():
        index = tuple(np.argwhere(broken)[0].tolist())
        place = ", ".join(map(str, index))
        raise MetricError(f"{name}[{place}] is {values[index].item()!r}, {why}.")
