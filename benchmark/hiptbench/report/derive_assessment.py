"""Other metrics and curves of a run, from its predictions: of the first seed and draw, whose models one can draw."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean
from typing import Any

import numpy as np

from hiptbench.assessment.calibration import survival_calibration
from hiptbench.assessment.classification import assess_classification
from hiptbench.assessment.d_calibration import DCalibration, d_calibration
from hiptbench.assessment.groups import RiskGroup, kaplan_meier_groups
from hiptbench.assessment.measures import MEASURES, Measure, NotEvaluable
from hiptbench.assessment.reliability import reliability_curve
from hiptbench.assessment.roc import MeanRoc, mean_roc
from hiptbench.assessment.survival import assess_survival
from hiptbench.joining import Joined
from hiptbench.panels import Panel, Run
from hiptbench.predictions import Prediction
from hiptbench.report.run_data import Curve, Groups, MeasureReport
from hiptbench.report.wording import plural
from hiptbench.results import FoldResult
from hiptbench.targets import Labels, Survival

_DIGITS = 4
_REPEATED = "a unit is evaluated in several folds, whose predictions of it cannot be pooled"


def assessed(panel: Panel, run: Run, joined: Joined) -> Mapping[str, Any]:
    """Return the fields of a run's card that tell measures and curves.

    Args:
        panel: Where the run stands.
        run: The run; of the first seed and draw everything is shown.
        joined: Results beside the tasks.
    """
    rows = run.repeats[0]
    if rows[0].predictions_sha256 is None or not joined.has_task(rows[0]):
        return {}
    folds = [joined.predictions(row) for row in rows]
    if panel.protocol.task_kind == "classification":
        tested = len({unit for units, _, _ in folds for unit in units})
        labelled = [(target, prediction) for _, target, prediction in folds if isinstance(target, Labels)]
        return _classification(labelled, panel.metric, tested)
    timed = [(target, prediction) for _, target, prediction in folds if isinstance(target, Survival)]
    trained = [joined.task(row).targets(joined.trained_on(row)) for row in rows]
    known = [train for train in trained if isinstance(train, Survival)]
    found = [assess_survival(train, *fold) for train, fold in zip(known, timed, strict=True)]
    cuts = [row.training_median_risk for row in rows]
    units = [unit for of_fold, _, _ in folds for unit in of_fold]
    once = len(set(units)) == len(units)
    return {
        "measures": (
            *_means(found, skip=panel.metric),
            _d_calibration(d_calibration(timed) if once else NotEvaluable(_REPEATED), len(timed)),
        ),
        "groups": _groups(timed, cuts if None not in cuts else [None] * len(cuts)) if once else Groups(why=_REPEATED),
        **(_survival_calibration(timed, _horizon(rows, joined)) if once else {"calibration_why": _REPEATED}),
    }


def _classification(folds: Sequence[tuple[Labels, Prediction]], metric: str, tested: int) -> Mapping[str, Any]:
    scored = [(target, one.probabilities) for target, one in folds if one.probabilities is not None]
    curves = mean_roc([(target.values, probabilities) for target, probabilities in scored])
    classes = scored[0][0].classes
    return {
        "measures": _means([assess_classification(target, prediction) for target, prediction in folds], skip=metric),
        "roc": tuple(_roc(one, classes, tested) for one in curves if isinstance(one, MeanRoc)),
        "calibration": _reliability(scored),
    }


def _roc(mean: MeanRoc, classes: Sequence[str], tested: int) -> Curve:
    """Return a mean ROC curve, drawn from (0, 0)."""
    return Curve(
        label=classes[mean.of_class],
        x=(0.0, *plain(mean.fpr)),
        y=(0.0, *plain(mean.tpr)),
        low=None if mean.low is None else (0.0, *plain(mean.low)),
        high=None if mean.high is None else (0.0, *plain(mean.high)),
        band=None if mean.low is None else "between the 2.5 and 97.5 % quantiles of the folds, no interval of the mean",
        n=tested,
    )


def _reliability(folds: Sequence[tuple[Labels, np.ndarray]]) -> Curve:
    """Return the reliability of the last class's probability, all folds' predictions together."""
    classes = folds[0][0].classes
    labels = np.concatenate([target.values for target, _ in folds])
    shares = np.concatenate([probabilities for _, probabilities in folds])
    curve = reliability_curve(Labels(labels, classes), shares, len(classes) - 1)
    x, y = (plain(values) for values in ([b.probability for b in curve], [b.share for b in curve]))
    return Curve(label=classes[-1], x=x, y=y, n=len(labels))


def _horizon(rows: Sequence[FoldResult], joined: Joined) -> float | None:
    """Return the median time of the events in the folds' training parts, in whole months; one for all methods."""
    targets = [joined.task(row).targets(joined.task(row).split(row.fold).train) for row in rows]
    times = np.concatenate([one.time[one.event] for one in targets if isinstance(one, Survival)])
    return max(1.0, float(np.round(np.median(times)))) if len(times) else None


def _survival_calibration(folds: Sequence[tuple[Survival, Prediction]], horizon: float | None) -> Mapping[str, Any]:
    """Return the field ``calibration``, or ``calibration_why``."""
    if horizon is None:
        return {"calibration_why": "no training part has an event, whose median time it would be drawn at"}
    found = survival_calibration(folds, horizon=horizon)
    if isinstance(found, NotEvaluable):
        return {"calibration_why": found.why}
    followed = [group for group in found if group.observed is not None]
    if not followed:
        return {"calibration_why": f"no group of like predictions is followed for {horizon:.0f} months"}
    x, y, low, high = (
        plain(getattr(group, name) for group in followed) for name in ("predicted", "observed", "low", "high")
    )
    curve = Curve(
        label=f"survival at {plural(int(horizon), 'month')}, the median time of the training events",
        x=x,
        y=y,
        low=low,
        high=high,
        band=_bars(low, high, len(found) - len(followed)),
        n=sum(group.n for group in followed),
        events=sum(group.events for group in followed),
    )
    return {"calibration": curve}


def _bars(low: Sequence[float], high: Sequence[float], lost: int) -> str:
    """Return what a calibration's intervals are, and which groups have none."""
    said = ["95 % interval of each group"]
    if any(ends[0] == ends[1] for ends in zip(low, high, strict=True)):
        said.append("none where nobody or everybody had the event")
    if lost:
        said.append(f"{plural(lost, 'group')} followed for less: not shown")
    return "; ".join(said)


def _d_calibration(found: DCalibration | NotEvaluable, folds: int) -> MeasureReport:
    """Return D-calibration, the folds' survival probabilities together: a conservative test where many are censored."""
    definition = MEASURES["d_calibration"].definition
    if isinstance(found, NotEvaluable):
        return MeasureReport(name="d_calibration", definition=definition, value=None, folds=0, why=found.why)
    counted = f"all folds together, n = {found.n} with {found.events} events, {len(found.counts)} bins"
    return MeasureReport(name="d_calibration", definition=definition, value=found.p_value, folds=folds, note=counted)


def _groups(folds: Sequence[tuple[Survival, Prediction]], cuts: Sequence[float | None]) -> Groups:
    cut = zip(cuts, folds, strict=True)
    groups = kaplan_meier_groups([(at, target, one.risk) for at, (target, one) in cut if one.risk is not None])
    there = {"higher risk": groups.high, "lower risk": groups.low}
    return Groups(
        curves=tuple(_curve(label, group) for label, group in there.items() if group),
        cut=groups.cut,
        log_rank_p=groups.log_rank.value,
        why=groups.log_rank.why,
    )


def _curve(label: str, group: RiskGroup) -> Curve:
    curve = group.curve
    lines = np.stack([curve.survival, curve.low, curve.high])
    steps = np.flatnonzero(np.any(np.diff(lines, axis=1, prepend=np.nan) != 0, axis=0))
    kept = np.union1d(steps, [len(curve.times) - 1])  # between them nothing changes
    return Curve(
        label=label,
        x=plain(curve.times[kept]),
        y=plain(curve.survival[kept]),
        low=plain(curve.low[kept]),
        high=plain(curve.high[kept]),
        band="95 % interval at each time",
        n=group.n,
        events=group.events,
        at_risk=tuple(zip(group.count_times.tolist(), group.at_risk.tolist(), strict=True)),
    )


def _means(folds: Sequence[Sequence[Measure]], *, skip: str) -> tuple[MeasureReport, ...]:
    """Return each measure's mean over the folds in which it has a value, and why it has none in the others."""
    by_name: dict[str, list[Measure]] = defaultdict(list)
    for measures in folds:
        for measure in measures:
            by_name[measure.name].append(measure)
    return tuple(_mean(name, measures) for name, measures in by_name.items() if name != skip)


def _mean(name: str, measures: Sequence[Measure]) -> MeasureReport:
    values = [measure.value for measure in measures if measure.value is not None]
    return MeasureReport(
        name=name,
        definition=MEASURES[name].definition,
        value=fmean(values) if values else None,
        folds=len(values),
        why=_by_fold([measure.why for measure in measures]),
        note=_by_fold([measure.note for measure in measures]),
    )


def _by_fold(texts: Sequence[str | None]) -> str | None:
    """Return what was said of the folds, each with its number where they differ."""
    said = {fold: text for fold, text in enumerate(texts) if text}
    if len(set(said.values())) == 1 and len(said) == len(texts):
        return next(iter(said.values()))
    return "; ".join(f"fold {fold}: {text}" for fold, text in said.items()) or None


def plain(values: Iterable[float]) -> tuple[float, ...]:
    """Return values as the page keeps them, to four significant digits."""
    return tuple(float(f"{value:.{_DIGITS}g}") for value in values)
