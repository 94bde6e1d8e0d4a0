"""Kaplan-Meier curves of units of high and of low risk, cut at a median fixed per fold."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64

from hiptbench.assessment.inputs import check_some, checked_risk, pool, size
from hiptbench.assessment.kaplan_meier import KaplanMeier, kaplan_meier
from hiptbench.assessment.measures import Measure
from hiptbench.errors import MetricError
from hiptbench.predictions import Prediction
from hiptbench.targets import Survival

TRAINING_MEDIAN = "median risk of each fold's training units"
OWN_MEDIAN = "median risk of each fold's evaluated units; the training units' risks are not known"
_YEAR, _MOST_COUNTS = 12, 6


@dataclass(frozen=True, eq=False)
class RiskGroup:
    """One of the two groups.

    Attributes:
        curve: Its Kaplan-Meier estimate each month from 0 to the last whole month of its follow-up.
        count_times: Months, whole years, at which units at risk were counted; the same in both groups.
        at_risk: Its units followed until then at least.
        n: Number of units.
        events: Number of events.
    """

    curve: KaplanMeier
    count_times: Int64[np.ndarray, " c"]
    at_risk: Int64[np.ndarray, " c"]
    n: int
    events: int


@dataclass(frozen=True)
class RiskGroups:
    """Two groups of the units of a partition.

    Attributes:
        high: Units with a risk above their fold's cut; None if there is none.
        low: The others; None if there is none.
        cut: What each fold was cut at, in words.
        log_rank: P-value of the log-rank test, descriptive, or why there is none.
    """

    high: RiskGroup | None
    low: RiskGroup | None
    cut: str
    log_rank: Measure


def kaplan_meier_groups(
    folds: Sequence[tuple[float | None, Survival, Float64[np.ndarray, " _"]]],
) -> RiskGroups:
    """Cut each fold at a median risk and return the Kaplan-Meier curves of both sides, pooled over the folds.

    Risks of different models are not comparable, so that each fold has its own cut. The honest one is the median
    predicted risk of the fold's training units. A results store does not keep their risks; without them (None) a fold
    is cut at the median of its evaluated units, which uses all of them for the cut, and ``cut`` says so. The folds are
    to be those of a partition, so that each unit is there once.

    Args:
        folds: The median predicted risk of the fold's training units or None, truth of the evaluated units, and their
            risks; higher means an earlier event. A risk equal to the cut counts as low.

    Returns:
        The groups; one that is empty is None, and the test's reason says so.

    Raises:
        HeadError: If there is not one risk a unit, or one is NaN.
        MetricError: If there is no fold, a time or a cut is not finite, or only some folds have a training median.
    """
    check_some(folds)
    cut = _cut([threshold for threshold, _, _ in folds])
    for _, target, risk in folds:
        checked_risk(target, Prediction(risk=risk))
    above = np.concatenate([_above(risk, threshold) for threshold, _, risk in folds])
    pooled = pool([target for _, target, _ in folds])
    counted = _count_times(pooled)
    high, low = (_group(pooled, members, counted) for members in (above, ~above))
    return RiskGroups(high, low, cut, _log_rank(pooled, above))


def _cut(thresholds: Sequence[float | None]) -> str:
    known = [threshold for threshold in thresholds if threshold is not None]
    if known and len(known) < len(thresholds):
        raise MetricError(
            f"{len(known)} of {len(thresholds)} folds have a training median. Give it for all folds or for none."
        )
    if not np.isfinite(known).all():
        raise MetricError(f"The folds' training medians are {known}. Give finite numbers, or None.")
    return TRAINING_MEDIAN if known else OWN_MEDIAN


def _above(risk: Float64[np.ndarray, " n"], threshold: float | None) -> Bool[np.ndarray, " n"]:
    if not len(risk):
        return np.zeros(0, dtype=bool)
    return risk > (np.median(risk) if threshold is None else threshold)


def _count_times(pooled: Survival) -> Int64[np.ndarray, " c"]:
    last = float(pooled.time.max(initial=0))
    years = max(1, math.ceil(last / (_YEAR * (_MOST_COUNTS - 1))))
    return np.arange(0, math.floor(last) + 1, _YEAR * years)


def _group(pooled: Survival, members: Bool[np.ndarray, " n"], counted: Int64[np.ndarray, " c"]) -> RiskGroup | None:
    if not members.any():
        return None
    target = pooled.take(np.flatnonzero(members).tolist())
    return RiskGroup(
        curve=kaplan_meier(target).at(np.arange(math.floor(target.time.max()) + 1.0)),
        count_times=counted,
        at_risk=(target.time[:, None] >= counted).sum(axis=0),
        n=len(target),
        events=int(target.event.sum()),
    )


def _log_rank(pooled: Survival, above: Bool[np.ndarray, " n"]) -> Measure:
    from sksurv.compare import compare_survival
    from sksurv.util import Surv

    if above.all() or not above.any():
        return Measure("log_rank", why=f"every unit is of {'high' if above.any() else 'low'} risk ({size(pooled)})")
    if not _any_compares(pooled, above):
        return Measure("log_rank", why=f"no event while units of both groups are at risk ({size(pooled)})")
    p_value = compare_survival(Surv.from_arrays(pooled.event, pooled.time), above)[1]
    return Measure("log_rank", float(p_value), note="descriptive")


def _any_compares(pooled: Survival, above: Bool[np.ndarray, " n"]) -> bool:
    """Whether an event time has units of both groups at risk, and one that is not hit: else the variance is 0."""
    for moment in np.unique(pooled.time[pooled.event]):
        at_risk = pooled.time >= moment
        hit = pooled.event & (pooled.time == moment)
        if 0 < above[at_risk].sum() < at_risk.sum() and hit.sum() < at_risk.sum():
            return True
    return False
