"""Assessment of one fold of a survival task, restricted to the training fold's follow-up where it must be.

scikit-survival refuses test times beyond the training follow-up, which every cross-validation has. No unit is dropped
for that: at the truncation time a unit that is still followed counts as followed until then.
"""

import numpy as np
from jaxtyping import Float64

from hiptbench.assessment.curves import check_curves, step_at
from hiptbench.assessment.inputs import checked_risk, size
from hiptbench.assessment.measures import RISK_ONLY, Measure
from hiptbench.metrics import TIED_RISK_TOLERANCE, c_index, comparable_pairs
from hiptbench.predictions import Prediction
from hiptbench.targets import Survival


def assess_survival(train: Survival, test: Survival, prediction: Prediction) -> list[Measure]:
    """Return every measure of a fold: Harrell's c, Uno's c, cumulative/dynamic AUC and integrated Brier score.

    Args:
        train: Truth of the units that the head was fitted on, which the censoring distribution is estimated from.
        test: Truth of the evaluated units.
        prediction: Risks, and survival curves if the head gives them, of the evaluated units.

    Returns:
        The measures in this order, each with a value or the reason why it has none; what a value is restricted to is
        in its note.

    Raises:
        HeadError: If the prediction is for another kind or number of units, or holds NaN.
        MetricError: If a time is not finite, or the survival curves are none.
    """
    risk = checked_risk(test, prediction)
    comparable_pairs(train.time, train.event)  # refuses times that are not finite
    measures = [_harrell(test, risk)]
    if not train.event.any():
        why = f"the training fold has no event ({size(train)}), so no censoring distribution was estimated"
        return measures + [Measure(name, why=why) for name in ("c_index_ipcw", "td_auc", "integrated_brier")]
    followed = _until(test, truncation_time(train))
    return [
        *measures,
        _uno(train, test, followed, risk),
        _dynamic_auc(train, followed, risk),
        _integrated_brier(train, followed, prediction),
    ]


def truncation_time(train: Survival) -> float:
    """Return tau: the largest training time, in months.

    At every earlier time the Kaplan-Meier estimate of the training fold's censoring distribution is positive, for at
    least the unit with this time is still followed; at tau itself it is 0 where that unit is censored.
    """
    return float(train.time.max())


def _until(test: Survival, tau: float) -> Survival:
    """Return units as they would be known at tau: events before it, all others followed until then or censored."""
    return Survival(np.minimum(test.time, tau), test.event & (test.time < tau))


def _harrell(test: Survival, risk: Float64[np.ndarray, " n"]) -> Measure:
    if not comparable_pairs(test.time, test.event):
        return Measure("c_index", why=f"no pair of units is comparable ({size(test)})")
    return Measure("c_index", c_index(test.time, test.event, risk), note=_all_tied(risk))


def _uno(train: Survival, test: Survival, followed: Survival, risk: Float64[np.ndarray, " n"]) -> Measure:
    from sksurv.metrics import concordance_index_ipcw

    tau = truncation_time(train)
    if not comparable_pairs(followed.time, followed.event):
        return Measure(
            "c_index_ipcw", why=f"no pair of units is comparable before tau = {tau:.1f} months ({size(test)})"
        )
    value = concordance_index_ipcw(_table(train), _table(test), risk, tau=tau, tied_tol=TIED_RISK_TOLERANCE)[0]
    late = int(test.event.sum() - followed.event.sum())
    left_out = f"{late} of {int(test.event.sum())} events are not before it" if late else None
    heaviest = f"the heaviest event has {_heaviest(train, followed):.0%} of the weight"
    return Measure(
        "c_index_ipcw", float(value), note=_joined(f"tau = {tau:.1f} months", left_out, heaviest, _all_tied(risk))
    )


def _heaviest(train: Survival, followed: Survival) -> float:
    """Return the largest share of one event in the weight of all comparable pairs."""
    from sksurv.nonparametric import CensoringDistributionEstimator

    weights = CensoringDistributionEstimator().fit(_table(train)).predict_ipcw(_table(followed)) ** 2
    later = (followed.time > followed.time[:, None]) | ((followed.time == followed.time[:, None]) & ~followed.event)
    of_event = weights * later.sum(axis=1)
    return float(of_event.max() / of_event.sum())


def _dynamic_auc(train: Survival, followed: Survival, risk: Float64[np.ndarray, " n"]) -> Measure:
    from sksurv.metrics import cumulative_dynamic_auc

    times = np.unique(followed.time[followed.event])
    times = times[times < followed.time.max(initial=0)]
    if not len(times):
        why = f"no event before {truncation_time(train):.1f} months with a unit followed longer ({size(followed)})"
        return Measure("td_auc", why=why)
    value = cumulative_dynamic_auc(_table(train), _table(followed), risk, times, tied_tol=TIED_RISK_TOLERANCE)[1]
    note = f"{len(times)} event times from {times[0]:.1f} to {times[-1]:.1f} months"
    return Measure("td_auc", float(value), note=_joined(note, _all_tied(risk)))


def _integrated_brier(train: Survival, followed: Survival, prediction: Prediction) -> Measure:
    from sksurv.metrics import integrated_brier_score

    if prediction.survival is None or prediction.times is None:
        return Measure("integrated_brier", why=RISK_ONLY)
    check_curves(prediction.survival, prediction.times)
    horizon = min(float(train.time[train.event].max()), float(prediction.times[-1]))
    grid = np.unique(followed.time)
    grid = grid[(grid <= horizon) & (grid < followed.time.max(initial=0))]
    if len(grid) < 2 or not followed.event[followed.time <= grid[-1]].any():
        why = f"fewer than two evaluated times, or no event, by {horizon:.1f} months ({size(followed)})"
        return Measure("integrated_brier", why=why)
    curves = step_at(prediction.survival, prediction.times, grid)
    value = integrated_brier_score(_table(train), _table(followed), curves, grid)
    note = f"from {grid[0]:.1f} to {grid[-1]:.1f} months, curves of {len(prediction.times)} steps"
    return Measure("integrated_brier", float(value), note=note)


def _all_tied(risk: Float64[np.ndarray, " n"]) -> str | None:
    return "all risks are tied" if np.ptp(risk) <= TIED_RISK_TOLERANCE else None


def _joined(*notes: str | None) -> str:
    return "; ".join(note for note in notes if note)


def _table(target: Survival) -> np.ndarray:
    """Return events and times as scikit-survival takes them."""
    from sksurv.util import Surv

    table: np.ndarray = Surv.from_arrays(target.event, target.time)
    return table
