"""Calibration of survival curves at one horizon: predicted against Kaplan-Meier, in groups of like predictions."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from hiptbench.assessment.inputs import FoldCurves, checked_curves, pool
from hiptbench.assessment.kaplan_meier import kaplan_meier
from hiptbench.assessment.measures import NotEvaluable
from hiptbench.errors import MetricError
from hiptbench.predictions import Prediction
from hiptbench.targets import Survival

MOST_GROUPS = 5
UNITS_PER_GROUP = 20


@dataclass(frozen=True)
class CalibrationGroup:
    """Units with like predictions at the horizon.

    Attributes:
        predicted: Mean predicted S(horizon).
        observed: Kaplan-Meier S(horizon); None where the group's follow-up ends before and some survived it.
        low: Lower end of its 95 % interval, log-minus-log; None as ``observed``.
        high: Upper end.
        n: Number of units.
        events: Events by the horizon.
        followed: Months until the group's last unit is seen.
    """

    predicted: float
    observed: float | None
    low: float | None
    high: float | None
    n: int
    events: int
    followed: float


def survival_calibration(
    folds: Sequence[tuple[Survival, Prediction]], *, horizon: float
) -> tuple[CalibrationGroup, ...] | NotEvaluable:
    """Return mean predicted S(horizon) against its Kaplan-Meier estimate, in quantile groups of the prediction.

    The folds of a partition are pooled, so that each unit is there once; predictions of one value stay together. There
    are at most five groups, of at least 20 units on average. Between two of its times a curve falls evenly: read as
    steps, one of few times, as of discrete-time hazards, would predict at the horizon what it did many months before.

    Args:
        folds: Truth and prediction of each fold's evaluated units.
        horizon: Months, above 0.

    Returns:
        The groups from the lowest to the highest prediction, or the reason why there are none.

    Raises:
        HeadError: If a prediction is for another kind or number of units, or holds NaN.
        MetricError: If there is no fold, the horizon is not positive, a time is not finite, or curves are none.

    Source: Kvamme and Borgan, Lifetime Data Analysis 27 (2021) 710-736, for the constant density between two times.
    """
    if not horizon > 0:
        raise MetricError(f"The horizon is {horizon} months. Give a time above 0.")
    curves = checked_curves(folds)
    if isinstance(curves, NotEvaluable):
        return curves
    if why := _too_short(curves, horizon):
        return NotEvaluable(why)
    predicted = np.concatenate([_read(fold, horizon) for fold in curves])
    pooled, groups = pool([fold.target for fold in curves]), _groups(predicted)
    return tuple(_group(pooled, predicted, np.flatnonzero(groups == one), horizon) for one in np.unique(groups))


def _too_short(curves: Sequence[FoldCurves], horizon: float) -> str | None:
    if not any(len(fold.target) for fold in curves):
        return "no unit was evaluated"
    ends = [float(fold.times[-1]) for fold in curves]
    if min(ends) >= horizon:
        return None
    return f"the curves of fold {np.argmin(ends)} end at {min(ends):.1f} months, before the horizon of {horizon:.1f}"


def _read(fold: FoldCurves, horizon: float) -> Float64[np.ndarray, " n"]:
    times = np.append(0.0, fold.times)
    whole = np.column_stack([np.ones(len(fold.survival)), fold.survival])
    return np.array([np.interp(horizon, times, curve) for curve in whole], dtype=np.float64)


def _groups(predicted: Float64[np.ndarray, " n"]) -> Int64[np.ndarray, " n"]:
    number = min(MOST_GROUPS, max(1, len(predicted) // UNITS_PER_GROUP))
    inner = np.quantile(predicted, np.arange(1, number) / number)
    return np.searchsorted(inner, predicted, side="left")


def _group(
    pooled: Survival, predicted: Float64[np.ndarray, " n"], members: Int64[np.ndarray, " m"], horizon: float
) -> CalibrationGroup:
    target = pooled.take(members.tolist())
    curve = kaplan_meier(target)
    at = curve.at(np.array([horizon])) if curve.knows(horizon) else None
    return CalibrationGroup(
        predicted=float(predicted[members].mean()),
        observed=float(at.survival[0]) if at else None,
        low=float(at.low[0]) if at else None,
        high=float(at.high[0]) if at else None,
        n=len(target),
        events=int((target.event & (target.time <= horizon)).sum()),
        followed=float(target.time.max()),
    )
