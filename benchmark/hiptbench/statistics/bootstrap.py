"""The bootstrap of a metric that is a mean over folds: patients are drawn anew, once for all folds and methods."""

import zlib
from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float64

from hiptbench.errors import MetricError
from hiptbench.predictions import Predictions
from hiptbench.statistics.draws import Draws, Interval
from hiptbench.statistics.paired import Fold, Method, Sample, align
from hiptbench.statistics.weighted import weighted_aucs, weighted_c_indices
from hiptbench.targets import Labels

DRAWS = 2000
MOST_REDRAWN = 9  # draws that are drawn again for each one that counts; beyond, there is no interval
FEWEST_PATIENTS = 5  # n patients have C(2n - 1, n) different draws: 126 for five, but 35 for four, too few for 2.5 %


def bootstrap(methods: Mapping[str, Method], case_of: Mapping[str, str], *, draws: int = DRAWS, seed: int = 0) -> Draws:
    """Draw patients anew, and compute the metric of every method in every draw.

    A draw gives each patient a number of copies, among the patients with the same classes or event status, and with
    them all their units in all folds and under all methods. The metric, AUC or c-index, is taken within each fold, with
    the copies as weights; its mean is over folds and seeds. Folds are never pooled, and neither folds nor seeds are
    drawn.

    Args:
        methods: Name to what the method predicted: seeds, and of each seed its folds.
        case_of: Patient of each unit.
        draws: How many draws.
        seed: Seed of the draws. The draws of other patients are others, so tasks are drawn independently.

    Raises:
        MetricError: If the methods are not of the same units and truth (see ``align``), a fold has no metric, fewer
            than five patients are of a class or have an event, or fewer than one draw in ten leaves every fold with a
            metric.
    """
    sample = align(methods, case_of)
    by_fold = _by_fold(sample, np.ones((1, len(sample.patients))))[..., 0]
    _refuse_undefined(by_fold)
    _refuse_few(sample)
    rng = np.random.default_rng([seed, zlib.crc32("\n".join(sample.patients).encode())])
    kept, tried = np.empty((len(methods), 0)), 0
    while kept.shape[1] < draws:
        values = _by_fold(sample, _copies(sample, rng, draws)).mean(axis=0)
        wanted = np.flatnonzero(~np.isnan(values[0]))[: draws - kept.shape[1]]  # one truth: all methods or none
        kept = np.concatenate([kept, values[:, wanted]], axis=1)
        tried += int(wanted[-1]) + 1 if kept.shape[1] == draws else draws
        if kept.shape[1] * MOST_REDRAWN < tried - kept.shape[1]:
            raise MetricError(
                f"Of {tried} draws of patients only {kept.shape[1]} leave every fold with a metric: there are too few "
                f"patients in {len(sample.folds)} folds for an interval."
            )
    return Draws(tuple(methods), sample.patients, by_fold.mean(axis=0), kept, tried - draws)


def interval(
    folds: Sequence[Predictions], case_of: Mapping[str, str], *, draws: int = DRAWS, seed: int = 0
) -> Interval:
    """Return the interval of one method with one seed; see ``bootstrap``.

    Args:
        folds: Units, truth and prediction of each fold.
        case_of: Patient of each unit.
        draws: How many draws.
        seed: Seed of the draws.

    Raises:
        MetricError: As ``bootstrap`` does.
    """
    return bootstrap({"the method": [folds]}, case_of, draws=draws, seed=seed).interval("the method")


def _copies(sample: Sample, rng: np.random.Generator, draws: int) -> Float64[np.ndarray, "draws p"]:
    """Return how often each patient is drawn, each stratum's patients among themselves."""
    copies = np.zeros((draws, len(sample.patients)))
    for stratum in np.unique(sample.strata):
        group = np.flatnonzero(sample.strata == stratum)
        drawn = rng.integers(0, len(group), (draws, len(group))) + len(group) * np.arange(draws)[:, None]
        copies[:, group] = np.bincount(drawn.ravel(), minlength=drawn.size).reshape(drawn.shape)
    return copies


def _by_fold(sample: Sample, copies: Float64[np.ndarray, "draws p"]) -> Float64[np.ndarray, "folds methods draws"]:
    """Return each fold's metric, a mean over seeds; NaN in draws that leave the fold without one."""
    return np.array([_metrics(fold, copies[:, fold.patients]) for fold in sample.folds])


def _metrics(fold: Fold, weights: Float64[np.ndarray, "draws n"]) -> Float64[np.ndarray, "methods draws"]:
    methods = list(fold.scores.values())
    if isinstance(fold.target, Labels):
        return weighted_aucs(fold.target.values, methods, weights)
    return weighted_c_indices(fold.target.time, fold.target.event, methods, weights)


def _refuse_undefined(by_fold: Float64[np.ndarray, "folds methods"]) -> None:
    broken = np.flatnonzero(np.isnan(by_fold).any(axis=1))
    if len(broken):
        folds = ", ".join(map(str, broken))
        raise MetricError(f"Fold {folds} has no metric: a class, or every comparable pair, is missing among its units.")


def _refuse_few(sample: Sample) -> None:
    """Refuse where a class, or the events, have too few patients to be drawn from."""
    target = sample.folds[0].target
    names = dict(enumerate(target.classes)) if isinstance(target, Labels) else {1: "event"}
    for state, name in names.items():
        count = sample.patients_with(state)
        if count < FEWEST_PATIENTS:
            what = f"of class {name}" if isinstance(target, Labels) else "with an event"
            raise MetricError(
                f"Only {count} patients are {what}: there are too few patients for an interval, which takes "
                f"{FEWEST_PATIENTS}."
            )
