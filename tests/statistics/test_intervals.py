"""Bootstrap intervals: patients and not units are drawn, the ends against oracles, and what cannot be drawn is said."""

import numpy as np
import pytest
from scipy.stats import bootstrap
from sklearn.metrics import roc_auc_score

from hiptbench.errors import MetricError
from hiptbench.metrics import c_index
from hiptbench.predictions import Prediction, Predictions
from hiptbench.statistics.bootstrap import interval
from hiptbench.statistics.draws import Interval
from hiptbench.targets import Labels, Survival


def fold_of(values: np.ndarray, scores: np.ndarray, *, first: int = 0) -> Predictions:
    units = tuple(f"u{first + i:03}" for i in range(len(values)))
    probabilities = np.column_stack([1 - scores, scores])
    return units, Labels(values, ("a", "b")), Prediction(probabilities=probabilities)


def drawn(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    values = np.arange(n) % 2
    return values, 1 / (1 + np.exp(-rng.normal(values * 1.2, 1)))


def alone(*folds: Predictions) -> dict[str, str]:
    return {unit: unit for units, _, _ in folds for unit in units}


def test_on_one_fold_of_single_patients_it_is_the_stratified_bootstrap() -> None:
    values, scores = drawn(80)
    found = interval([fold_of(values, scores)], alone(fold_of(values, scores)), draws=2000)
    oracle = bootstrap(
        (scores[values == 0], scores[values == 1]),
        lambda low, high: roc_auc_score(np.repeat([0, 1], [len(low), len(high)]), np.concatenate([low, high])),
        n_resamples=2000,
        method="percentile",
        rng=np.random.default_rng(0),
    ).confidence_interval
    assert (found.low, found.high) == pytest.approx((oracle.low, oracle.high), abs=0.012)
    assert found.redrawn == 0


def test_a_patient_is_drawn_with_all_units() -> None:
    """Every patient twice: the interval is that of half as many patients, and not narrower by sqrt(2)."""
    values, scores = drawn(60)
    once = fold_of(values, scores)
    twice = fold_of(values.repeat(2), scores.repeat(2))
    pairs = {f"u{i:03}": f"p{i // 2}" for i in range(120)}
    by_patient, by_unit = (interval([twice], cases) for cases in (pairs, alone(twice)))
    honest = interval([once], alone(once))
    assert (by_patient.low, by_patient.high) == pytest.approx((honest.low, honest.high), abs=0.015)
    assert by_unit.high - by_unit.low < 0.85 * (honest.high - honest.low)


def test_one_draw_is_for_all_folds_and_folds_are_not_pooled() -> None:
    """Two folds on the same patients, whose scores lie apart: within each fold nothing changes by that."""
    values, scores = drawn(60)
    folds = [fold_of(values, scores / 4), fold_of(values, 0.75 + scores / 4)]
    both, one = interval(folds, alone(*folds)), interval(folds[:1], alone(*folds))
    assert (both.low, both.high) == pytest.approx((one.low, one.high), abs=1e-12)


def test_survival_and_its_direction() -> None:
    rng = np.random.default_rng(0)
    risk = rng.normal(size=60)
    target = Survival(rng.exponential(np.exp(-2 * risk)) + 0.01, rng.random(60) < 0.7)
    units = tuple(f"u{i}" for i in range(60))
    found = interval([(units, target, Prediction(risk=risk))], {unit: unit for unit in units}, draws=200)
    assert 0.5 < found.low < c_index(target.time, target.event, risk) < found.high < 1


def test_the_same_seed_draws_the_same() -> None:
    fold = fold_of(*drawn(40))
    assert interval([fold], alone(fold), draws=50) == interval([fold], alone(fold), draws=50)
    assert interval([fold], alone(fold), draws=50) != interval([fold], alone(fold), draws=50, seed=1)


def test_a_draw_that_leaves_a_fold_undefined_is_drawn_again_and_counted() -> None:
    values, scores = drawn(40)
    folds = [fold_of(values, scores), fold_of(values[:3], scores[:3], first=100)]
    found = interval(folds, alone(*folds), draws=200)
    assert found.redrawn > 20
    share = found.redrawn / (200 + found.redrawn)
    assert str(found) == f"{found.low:.3f} to {found.high:.3f} ({share:.1%} of draws redrawn)"
    assert str(Interval(0.5, 0.75, 10, 0)) == "0.500 to 0.750"


def test_what_is_hardly_ever_defined_has_no_interval() -> None:
    rng = np.random.default_rng(0)
    folds = [
        (
            (f"a{i}", f"b{i}"),
            Survival(np.array([1.0, 2.0]), np.array([True, False])),
            Prediction(risk=rng.normal(size=2)),
        )
        for i in range(6)
    ]
    with pytest.raises(MetricError, match=r"Of 2000 draws of patients only .* too few patients in 6 folds"):
        interval(folds, alone(*folds))
