"""One run of each arm: draw a cohort, fit, evaluate, and see whether the intervals cover and the tests reject."""

from collections.abc import Callable, Sequence

import numpy as np

from hiptbench.predictions import Predictions
from hiptbench.statistics.bootstrap import bootstrap
from hiptbench.statistics.corrected_t import Ratio, corrected_t
from hiptbench.statistics.delong import delong
from hiptbench.statistics.draws import Interval

from .cohorts import COPIES, Cohort, Kind, draw, fresh, stratified
from .heads import fit, patients_of, per_fold, predict
from .truth import metric

Run = dict[str, bool]  # whether an interval covered the truth, or a test rejected
Fold = tuple[np.ndarray, np.ndarray]  # patients trained on and tested
ALPHA = 0.05

SPLIT_PATIENTS = 300  # trained on, and as many tested, in the single split: five of the nine real tasks have 257 to 430
PATIENTS = 400  # of the cohorts that are cross-validated
PARTITION = 5
REPEATS, TRAIN, TEST = 10, 0.8, 0.1  # the proportions of HIPT's Monte-Carlo splits


def single_split(kind: Kind, rng: np.random.Generator) -> Run:
    """Evaluate one head on two copies, and the head that is fitted anew to the second copy."""
    train, test, new = draw(kind, SPLIT_PATIENTS, rng), draw(kind, SPLIT_PATIENTS, rng), fresh(kind, rng)
    first, second = fit(train, 0), fit(train, 1)
    one, other, refitted = predict(test, 0, first), predict(test, 1, first), predict(test, 1, second)
    patients = patients_of([one])
    methods = {"one": [[one]], "other": [[other]], "refitted": [[refitted]]}
    draws = bootstrap(methods, patients, seed=int(rng.integers(2**32)))
    truth, truth_refitted = metric(new, new.features[0] @ first), metric(new, new.features[1] @ second)
    anew = draws.difference("one", "refitted")
    found = {
        "interval covers": covers(draws.interval("one"), truth),
        "interval of a difference covers": covers(anew.interval, truth - truth_refitted),
        "paired bootstrap rejects": rejects(draws.difference("one", "other").p),
        "paired bootstrap rejects, head fitted anew": rejects(anew.p),
    }
    if kind == "classification":
        found["DeLong, clustered, rejects"] = rejects(delong([[one]], [[other]], patients).p)
    return found


def partition(kind: Kind, rng: np.random.Generator) -> Run:
    """Cross-validate over a partition of the patients, stratified by class or event."""
    cohort = draw(kind, PATIENTS, rng)
    order = stratified(cohort, rng)
    folds = [(np.setdiff1d(order, order[i::PARTITION]), order[i::PARTITION]) for i in range(PARTITION)]
    return cross_validation(kind, cohort, folds, Ratio.of_partition(PARTITION), rng)


def monte_carlo(kind: Kind, rng: np.random.Generator) -> Run:
    """Cross-validate over repeated stratified splits."""
    cohort = draw(kind, PATIENTS, rng)
    n_test, n_train = round(TEST * PATIENTS), round(TRAIN * PATIENTS)
    folds = []
    for _ in range(REPEATS):
        every = stratified(cohort, rng)
        test = every[:: PATIENTS // n_test]
        folds.append((rng.permutation(np.setdiff1d(every, test))[:n_train], test))
    counts = [[len(cohort.of(part)) for part in fold] for fold in folds]
    ratio = Ratio.of_repeated_splits([test for _, test in counts], [train for train, _ in counts])
    return cross_validation(kind, cohort, folds, ratio, rng)


def cross_validation(kind: Kind, cohort: Cohort, folds: Sequence[Fold], ratio: Ratio, rng: np.random.Generator) -> Run:
    """Compare one head fitted, in each fold, to either copy of the features: neither copy is better."""
    new = fresh(kind, rng)
    predictions: list[list[Predictions]] = [[] for _ in range(COPIES)]
    truth = np.empty((COPIES, len(folds)))
    for number, (train, test) in enumerate(folds):
        trained, tested = cohort.of(train), cohort.of(test)
        for copy in range(COPIES):
            weights = fit(trained, copy)
            predictions[copy].append(predict(tested, copy, weights))
            truth[copy, number] = metric(new, new.features[copy] @ weights)
    methods = {"one": [predictions[0]], "other": [predictions[1]]}
    draws = bootstrap(methods, patients_of(predictions[0]), seed=int(rng.integers(2**32)))
    difference = draws.difference("one", "other")
    observed = [per_fold(one) for one in predictions]
    true_means = truth.mean(axis=1)
    return {
        "interval covers": covers(draws.interval("one"), true_means[0]),
        "interval of a difference covers": covers(difference.interval, true_means[0] - true_means[1]),
        "paired bootstrap rejects, head fitted anew": rejects(difference.p),
        "corrected t rejects": rejects(corrected_t(*observed, ratio).p),
        "naive paired t rejects": rejects(corrected_t(*observed, Ratio(0.0, "none")).p),
    }


def covers(interval: Interval, truth: float) -> bool:
    """Whether an interval holds the truth."""
    return bool(interval.low <= truth <= interval.high)


def rejects(p: float | None) -> bool:
    """Whether a test rejects at .05."""
    return p is not None and p <= ALPHA


ARMS: dict[str, Callable[[Kind, np.random.Generator], Run]] = {
    "single split": single_split,
    "partition": partition,
    "Monte Carlo": monte_carlo,
}
