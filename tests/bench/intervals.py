"""Bootstrap intervals beside the loop that most people write: draw patients, repeat their units, call the library."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from .framework import Benchmark, Measurement
from .workspace import Workspace

_DRAWS = 2000
_OURS = 5  # times that ours is measured; the loop takes too long for more than one


@dataclass(frozen=True)
class Fold:
    """The evaluated units of a fold.

    Attributes:
        patients: Patient of each unit.
        strata: Class or event of each unit.
        columns: What the metric takes, a value a unit.
    """

    patients: np.ndarray
    strata: np.ndarray
    columns: tuple[np.ndarray, ...]


def subtyping_folds() -> list[Fold]:
    """Ten Monte-Carlo test parts of the size and the balance of HIPT's breast task."""
    rng = np.random.default_rng(0)
    patient = np.repeat(np.arange(837), rng.choice([1, 2], 837, p=[0.95, 0.05]))
    label = (rng.random(837) < 0.17).astype(np.int64)[patient]
    parts = [np.sort(rng.choice(len(patient), 82, replace=False)) for _ in range(10)]
    return [Fold(patient[part], label[part], (label[part], rng.normal(label[part]))) for part in parts]


def survival_folds() -> list[Fold]:
    """A partition into five validation parts of 200 patients."""
    rng = np.random.default_rng(0)
    folds = []
    for number in range(5):
        risk = rng.normal(size=200)
        event, lived = rng.random(200) < 0.3, rng.exponential(np.exp(-risk))
        folds.append(Fold(np.arange(200) + 200 * number, event, (event, lived, risk)))
    return folds


def loop(metric: Callable[..., float], folds: Sequence[Fold], draws: int) -> list[float]:
    """Return the mean over folds of the metric in each draw of patients, within their stratum."""
    rng = np.random.default_rng(0)
    stratum = {p: s for fold in folds for p, s in zip(fold.patients.tolist(), fold.strata.tolist(), strict=True)}
    groups = [np.array([p for p, s in stratum.items() if s == state]) for state in sorted(set(stratum.values()))]
    rows = [{p: np.flatnonzero(fold.patients == p) for p in fold.patients.tolist()} for fold in folds]
    means = []
    for _ in range(draws):
        drawn = np.concatenate([rng.choice(group, len(group)) for group in groups]).tolist()
        chosen = [np.concatenate([row[p] for p in drawn if p in row]) for row in rows]
        values = [metric(*(c[at] for c in fold.columns)) for fold, at in zip(folds, chosen, strict=True)]
        means.append(float(np.mean(values)))
    return means


def _loop_over_fast(metric: Callable[..., float], folds: Sequence[Fold], ours: Callable[[], object]) -> Measurement:
    ours()  # warms up
    fast = median(_seconds(ours) for _ in range(_OURS))
    slow = _seconds(lambda: loop(metric, folds, _DRAWS))
    sizes = f"{len(folds)} folds of {len(folds[0].patients)} units"
    return Measurement(slow / fast, f"{sizes}; the loop, once: {slow:.1f} s; ours, median of {_OURS}: {fast:.3f} s")


def _seconds(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def _units(folds: Sequence[Fold]) -> Iterator[tuple[Fold, tuple[str, ...]]]:
    for fold in folds:
        yield fold, tuple(f"{patient}.{number}" for number, patient in enumerate(fold.patients.tolist()))


def _bootstrap_auc(_: Workspace) -> Measurement:
    from sklearn.metrics import roc_auc_score

    from hiptbench.predictions import Prediction
    from hiptbench.statistics.bootstrap import interval
    from hiptbench.targets import Labels

    folds, predictions = subtyping_folds(), []
    for fold, units in _units(folds):
        positive = 1 / (1 + np.exp(-fold.columns[1]))
        probabilities = np.column_stack([1 - positive, positive])
        predictions.append((units, Labels(fold.strata, ("a", "b")), Prediction(probabilities=probabilities)))
    case_of = {unit: unit.partition(".")[0] for units, _, _ in predictions for unit in units}
    return _loop_over_fast(roc_auc_score, folds, lambda: interval(predictions, case_of, draws=_DRAWS))


def _bootstrap_cindex(_: Workspace) -> Measurement:
    from sksurv.metrics import concordance_index_censored

    from hiptbench.predictions import Prediction
    from hiptbench.statistics.bootstrap import interval
    from hiptbench.targets import Survival

    folds, predictions = survival_folds(), []
    for fold, units in _units(folds):
        event, lived, risk = fold.columns
        predictions.append((units, Survival(lived, event), Prediction(risk=risk)))
    case_of = {unit: unit.partition(".")[0] for units, _, _ in predictions for unit in units}

    def first(*columns: np.ndarray) -> float:
        return float(concordance_index_censored(*columns)[0])

    return _loop_over_fast(first, folds, lambda: interval(predictions, case_of, draws=_DRAWS))


BENCHMARKS = (
    Benchmark(
        id="stats.bootstrap_auc",
        name="2,000 draws of patients for a task's AUC, as often as a loop over scikit-learn makes them",
        unit="x",
        better="higher",
        aim=50,
        measure=_bootstrap_auc,
    ),
    Benchmark(
        id="stats.bootstrap_cindex",
        name="2,000 draws of patients for a task's c-index, as often as a loop over scikit-survival makes them",
        unit="x",
        better="higher",
        aim=50,
        measure=_bootstrap_cindex,
    ),
)
