"""D-calibration: whether predicted survival probabilities at the units' own event times are uniform."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from hiptbench.assessment.curves import step_around
from hiptbench.assessment.inputs import checked_curves, pool, size
from hiptbench.assessment.measures import NotEvaluable
from hiptbench.predictions import Prediction
from hiptbench.targets import Survival

MOST_BINS = 10
LEAST_EXPECTED = 5


@dataclass(frozen=True, eq=False)
class DCalibration:
    """The result of the test.

    Attributes:
        p_value: Of the chi-square test with one degree of freedom less than bins.
        statistic: Its value.
        counts: Units in each bin of equal width of the survival probability, from 0 to 1; parts of units where they
            are spread.
        expected: Units expected in each bin.
        n: Number of units.
        events: Number of events, of which those beyond their curve's end count as followed until then.
        beyond: Units that are still followed at their curve's end.
    """

    p_value: float
    statistic: float
    counts: Float64[np.ndarray, " b"]
    expected: float
    n: int
    events: int
    beyond: int


def d_calibration(folds: Sequence[tuple[Survival, Prediction]]) -> DCalibration | NotEvaluable:
    """Test whether predicted survival probabilities at the units' own event times are uniform on [0, 1].

    The folds of a partition are pooled, so that each unit is there once. A unit that is censored where its curve is S
    is spread evenly over [0, S], as in the paper. An event is spread evenly over the step of the curve in which it
    lies: that is the point itself when steps are fine, and where they are coarse, as of discrete-time hazards, a
    calibrated model is not rejected for its grid. A curve is never extrapolated: a unit followed beyond its end counts
    as censored there, whatever happens later. There are ten bins, fewer where a curve has fewer times or fewer than
    five units would be expected in each.

    Spread units make the counts more even than chance would, so the test is conservative: with four units in five
    censored it rejects next to nothing but gross miscalibration.

    Args:
        folds: Truth and prediction of each fold's evaluated units.

    Returns:
        The test, or the reason why it could not be made.

    Raises:
        HeadError: If a prediction is for another kind or number of units, or holds NaN.
        MetricError: If there is no fold, a time is not finite, or curves are none.

    Source: Haider, Hoehn, Davis and Greiner, JMLR 21 (2020) 1-63; spreading over steps as in Czado, Gneiting and Held,
    Biometrics 65 (2009) 1254-1261.
    """
    curves = checked_curves(folds)
    if isinstance(curves, NotEvaluable):
        return curves
    pooled = pool([fold.target for fold in curves])
    steps = min(len(fold.times) for fold in curves)
    bins = min(MOST_BINS, steps, len(pooled) // LEAST_EXPECTED)
    if bins < 2 or not pooled.event.any():
        return NotEvaluable(_why(pooled, steps))
    ranges = [step_around(fold.survival, fold.times, fold.target.time, fold.target.event) for fold in curves]
    lower, upper = np.hstack(ranges)
    beyond = sum(int((fold.target.time > fold.times[-1]).sum()) for fold in curves)
    return _tested(spread(lower, upper, bins), pooled, beyond)


def spread(
    lower: Float64[np.ndarray, " n"], upper: Float64[np.ndarray, " n"], bins: int
) -> Float64[np.ndarray, " bins"]:
    """Return how many units lie in each bin of [0, 1] when each is spread evenly over its range.

    Args:
        lower: Lower end of each unit's range.
        upper: Upper end; where it is the lower end the unit lies there, at an edge in the bin above.
        bins: Number of bins, of equal width.

    Returns:
        Counts that sum to n.
    """
    edges = np.linspace(0, 1, bins + 1)
    width = upper - lower
    overlap = np.minimum(upper[:, None], edges[1:]) - np.maximum(lower[:, None], edges[:-1])
    parts = np.divide(overlap.clip(min=0), width[:, None], out=np.zeros_like(overlap), where=width[:, None] > 0)
    points = np.flatnonzero(width == 0)
    parts[points, np.searchsorted(edges[1:-1], upper[points], side="right")] = 1
    counts: np.ndarray = parts.sum(axis=0)
    return counts


def _why(pooled: Survival, steps: int) -> str:
    if steps < 2:
        return f"not evaluable: curves of one time say too little for two bins ({size(pooled)})"
    if not pooled.event.any():
        return f"not evaluable: no event is left ({size(pooled)})"
    return f"not evaluable: two bins of {LEAST_EXPECTED} expected units need {2 * LEAST_EXPECTED} ({size(pooled)})"


def _tested(counts: Float64[np.ndarray, " b"], pooled: Survival, beyond: int) -> DCalibration:
    from scipy.stats import chisquare

    test = chisquare(counts)
    return DCalibration(
        p_value=float(test.pvalue),
        statistic=float(test.statistic),
        counts=counts,
        expected=len(pooled) / len(counts),
        n=len(pooled),
        events=int(pooled.event.sum()),
        beyond=beyond,
    )
