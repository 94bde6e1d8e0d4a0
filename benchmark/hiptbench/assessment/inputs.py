"""What assessments start from: arrays that nothing may be computed from are refused, folds are pooled."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from hiptbench.assessment.curves import check_curves
from hiptbench.assessment.measures import RISK_ONLY, NotEvaluable
from hiptbench.errors import MetricError
from hiptbench.metrics import accuracy, comparable_pairs
from hiptbench.predictions import Prediction
from hiptbench.targets import Labels, Survival


def checked_probabilities(target: Labels, prediction: Prediction) -> Float64[np.ndarray, "n k"]:
    """Return the class probabilities of a prediction.

    Args:
        target: What was true.
        prediction: What was predicted for the same units.

    Raises:
        HeadError: If the prediction is for another kind or number of units, or holds NaN.
        MetricError: If the columns are not the classes, a row is not probabilities, or a label no class.
    """
    prediction.check(_positions(target), "classification")
    assert prediction.probabilities is not None
    if prediction.probabilities.shape[1] != len(target.classes):
        raise MetricError(
            f"probabilities have {prediction.probabilities.shape[1]} columns, and there are {len(target.classes)} "
            f"classes: {', '.join(target.classes)}. Give one column per class."
        )
    if len(target):
        accuracy(target.values, prediction.probabilities)  # refuses what is no label or no probability
    return prediction.probabilities


def checked_risk(target: Survival, prediction: Prediction) -> Float64[np.ndarray, " n"]:
    """Return the risks of a prediction.

    Args:
        target: What was true.
        prediction: What was predicted for the same units.

    Raises:
        HeadError: If the prediction is for another kind or number of units, or holds NaN.
        MetricError: If a time is not finite.
    """
    prediction.check(_positions(target), "survival")
    comparable_pairs(target.time, target.event)  # refuses times that are not finite
    assert prediction.risk is not None
    return prediction.risk


@dataclass(frozen=True, eq=False)
class FoldCurves:
    """Truth and survival curves of one fold's evaluated units.

    Attributes:
        target: What was true.
        survival: Predicted S(t) at ``times``.
        times: Months, rising.
    """

    target: Survival
    survival: Float64[np.ndarray, "n t"]
    times: Float64[np.ndarray, " t"]


def checked_curves(folds: Sequence[tuple[Survival, Prediction]]) -> list[FoldCurves] | NotEvaluable:
    """Return the survival curves of folds, or the reason why there are none.

    Args:
        folds: Truth and prediction of each fold's evaluated units.

    Raises:
        HeadError: If a prediction is for another kind or number of units, or holds NaN.
        MetricError: If there is no fold, a time is not finite, or curves are none.
    """
    check_some(folds)
    found = []
    for target, prediction in folds:
        checked_risk(target, prediction)
        if prediction.survival is None or prediction.times is None:
            return NotEvaluable(RISK_ONLY)
        check_curves(prediction.survival, prediction.times)
        found.append(FoldCurves(target, prediction.survival, prediction.times))
    return found


def pool(targets: Sequence[Survival]) -> Survival:
    """Return the units of all folds, one after the other."""
    return Survival(np.concatenate([one.time for one in targets]), np.concatenate([one.event for one in targets]))


def check_some(folds: Sequence[object]) -> None:
    """Refuse an empty list of folds.

    Raises:
        MetricError: If there is none.
    """
    if not folds:
        raise MetricError("No fold was given. Give the predictions of at least one.")


def size(target: Survival) -> str:
    """Return how many units and events there are, in words."""
    return f"n = {len(target)} with {int(target.event.sum())} events"


def _positions(target: Labels | Survival) -> list[str]:
    """Return names for units that have none here: their positions."""
    return [str(position) for position in range(len(target))]
