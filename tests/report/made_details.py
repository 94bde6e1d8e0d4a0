"""What cards show beside their numbers, made up: measures, curves, training and attention."""

import numpy as np

from hiptbench.report.run_data import Attention, Curve, Groups, MeasureReport
from hiptbench.report.task_data import TaskReport

PREDICTIONS = 822
"""Of all folds together, of fewer units than that."""

BAND = "one standard deviation over the folds"


def details(rng: np.random.Generator, task: TaskReport, *, curves: bool) -> dict[str, object]:
    """Return what a card shows beside its number: measures, and curves, training and attention if asked for."""
    measures = _survival_measures() if task.kind == "survival" else _class_measures()
    if not curves:
        return {"measures": measures}
    shown = (
        {"groups": _groups(rng), "calibration": _survival_calibration()}
        if task.kind == "survival"
        else {"roc": _rocs(rng, task), "calibration": _calibration(rng)}
    )
    return shown | {"measures": measures, "training": _training(rng), "attention": _attention(rng)}


def _class_measures() -> tuple[MeasureReport, ...]:
    return (
        MeasureReport(name="balanced_accuracy", definition="Mean recall of the classes.", value=0.7812, folds=10),
        MeasureReport(name="brier", definition="Mean squared distance of probabilities.", value=0.2214, folds=10),
    )


def _survival_measures() -> tuple[MeasureReport, ...]:
    risk_only = "not available: the head gives risk only"
    restricted = "up to 61.2 months: later, nobody is followed in training"
    return (
        MeasureReport(name="c_index_ipcw", definition="Uno's concordance.", value=0.571, folds=4, note=restricted),
        MeasureReport(
            name="integrated_brier", definition="Integrated Brier score.", value=None, folds=0, why=risk_only
        ),
    )


def _rocs(rng: np.random.Generator, task: TaskReport) -> tuple[Curve, ...]:
    x = np.linspace(0, 1, 51)
    names = task.classes[1:] if len(task.classes) == 2 else task.classes
    found = []
    for name in names:
        y = x ** rng.uniform(0.08, 0.35)
        wide = 0.08 * np.sqrt(y * (1 - y)) * 2
        low, high = np.clip(y - wide, 0, 1), np.clip(y + wide, 0, 1)
        found.append(_curve(name, x, y, low, high, n=task.counts[name]))
    return tuple(found)


def _calibration(rng: np.random.Generator) -> Curve:
    x = np.linspace(0.05, 0.95, 10)
    return _curve("ten bins of equal count", x, np.clip(x + rng.normal(0, 0.06, 10), 0, 1), n=PREDICTIONS)


def _survival_calibration() -> Curve:
    x = np.linspace(0.5, 0.9, 5)
    made = _curve("survival at 24 months", x, x - 0.05, x - 0.2, x + 0.08, n=449, events=61)
    return made.model_copy(update={"band": "95 % interval of each group", "at_risk": ()})


def _groups(rng: np.random.Generator) -> Groups:
    x = np.concatenate([[0.0], np.sort(rng.uniform(1, 140, 40))])
    curves = (
        _curve(
            name,
            x,
            np.exp(-rate * x),
            np.exp(-rate * x) * 0.88,
            np.minimum(1, np.exp(-rate * x) * 1.1),
            n=449,
            events=e,
        )
        for name, rate, e in (("lower risk", 0.004, 51), ("higher risk", 0.009, 77))
    )
    cut = "Groups are cut at the median risk of the training fold."
    return Groups(curves=tuple(curves), cut=cut, log_rank_p=0.0123)


def _curve(
    label: str,
    x: np.ndarray,
    y: np.ndarray,
    low: np.ndarray | None = None,
    high: np.ndarray | None = None,
    n: int | None = None,
    events: int | None = None,
) -> Curve:
    edges = (
        {} if low is None or high is None else {"low": tuple(low.tolist()), "high": tuple(high.tolist()), "band": BAND}
    )
    at_risk = (
        () if n is None or events is None else tuple((month, n * (144 - month) // 144) for month in range(0, 144, 12))
    )
    return Curve(label=label, x=tuple(x.tolist()), y=tuple(y.tolist()), n=n, events=events, at_risk=at_risk, **edges)


def _training(rng: np.random.Generator) -> dict[str, tuple[float, ...]]:
    epochs = np.arange(1, 21)
    return {
        "epoch": tuple(map(float, epochs)),
        "loss": tuple((0.7 * np.exp(-epochs / 5) + rng.uniform(0, 0.02, 20)).tolist()),
    }


def _attention(rng: np.random.Generator) -> tuple[Attention, ...]:
    weights = [tuple(rng.dirichlet(np.full(50, 0.3)).tolist()) for _ in range(2)]
    return tuple(Attention(name=f"bag {number}", weights=own) for number, own in enumerate(weights, start=1))
