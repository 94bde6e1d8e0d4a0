"""The measures of an assessment: what their names stand for, and a value or the reason why there is none."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from hiptbench.errors import MetricError
from hiptbench.metrics import METRICS, Metric


@dataclass(frozen=True)
class Measure:
    """One measure: a value, or the reason why it could not be evaluated.

    Attributes:
        name: A key of ``MEASURES``.
        value: The value; None where there is a reason.
        why: Why there is no value; None where there is one.
        note: What the value is restricted to, or what must be known to read it.

    Raises:
        MetricError: If there is neither a value nor a reason, or both, or the value is not finite.
    """

    name: str
    value: float | None = None
    why: str | None = None
    note: str | None = None

    def __post_init__(self) -> None:
        if (self.value is None) == (self.why is None):
            raise MetricError(
                f"{self.name} has value {self.value} and reason {self.why!r}. Give one of the two: a value, or why not."
            )
        if self.value is not None and not math.isfinite(self.value):
            raise MetricError(f"{self.name} is {self.value!r}, which is no value. Say in why that it is not defined.")


@dataclass(frozen=True)
class NotEvaluable:
    """Takes the place of a curve or a test that could not be made.

    Attributes:
        why: The reason, in one sentence without its full stop.
    """

    why: str


LOWER = "lower is better"
RISK_ONLY = "risk only: the head gives no survival curves, or they were not exported"

_NEW = (
    Metric(
        "auprc",
        "classification",
        "Average precision, the sum over thresholds of precision times the gain in recall, without interpolation: of "
        "the class-1 probability with two classes, unweighted mean over the classes against the rest with more; units "
        "with one probability are taken together.",
    ),
    Metric(
        "brier",
        "classification",
        "Mean over units of the squared distance between the vector of class probabilities and that of the true class, "
        "from 0 to 2; with two classes it is twice scikit-learn's brier_score_loss of class 1; there are no ties.",
        LOWER,
    ),
    Metric(
        "ece",
        "classification",
        "Expected calibration error of the most probable class: mean over units of the gap between mean confidence and "
        "accuracy in their bin, of 15 bins of equal width that hold their upper edge; a tie goes to the lowest class "
        "index; biased upwards on few units.",
        LOWER,
    ),
    Metric(
        "qwk",
        "classification",
        "Cohen's kappa with quadratic weights between the label and the most probable class, for ordinal classes only; "
        "a tie goes to the lowest class index.",
    ),
    Metric(
        "c_index_ipcw",
        "survival",
        "Uno's concordance: as c_index, but each event before the truncation time tau weighs 1 / G(t)^2 and later ones "
        "nothing, where G is the Kaplan-Meier estimate of the censoring distribution of the training fold, events "
        "first, at the event's own time; tau is the largest training time, before which G is positive; units followed "
        "beyond tau stay as later units; an event comes before a censoring at the same time, as in scikit-survival "
        "and unlike R's survAUC.",
    ),
    Metric(
        "td_auc",
        "survival",
        "Cumulative/dynamic AUC of the risk (cases: event by t, weighing 1 / G of the training fold at their time; "
        "controls: followed beyond t), averaged over the distinct event times before the largest training time at "
        "which a unit is still followed, weighted by the drop of the evaluated units' Kaplan-Meier curve; risks within "
        "1e-8 are tied and count one half.",
    ),
    Metric(
        "integrated_brier",
        "survival",
        "Brier score of S(t) with weights 1 / G of the training fold, integrated by trapezoids over the distinct times "
        "of the evaluated units and divided by their span, up to the last training event, the end of the curve and the "
        "last evaluated time, whichever is first; S(t) is read as right-continuous steps, and at time t an event at t "
        "has happened.",
        LOWER,
    ),
    Metric(
        "d_calibration",
        "survival",
        "P-value of the chi-square test that the predicted survival probabilities at the units' own event times are "
        "uniform on [0, 1]; a censored unit is spread evenly below its probability, an event over the step of the "
        "curve in which it lies; at most 10 bins, no more than the curve has times, and at least 5 units expected in "
        "each; conservative the more units are censored.",
        "small values speak against calibration; large ones do not prove it",
    ),
    Metric(
        "log_rank",
        "survival",
        "P-value of the two-sided log-rank test between units of high and of low risk, descriptive: the cut is not "
        "part of any hypothesis; a risk equal to the cut counts as low.",
        "descriptive",
    ),
)

MEASURES: Mapping[str, Metric] = MappingProxyType({**METRICS, **{measure.name: measure for measure in _NEW}})
"""Every measure of an assessment by its name: the ranked metrics, and what this package adds."""
