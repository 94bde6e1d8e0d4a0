"""DeLong and Obuchowski against their definitions written out, and where there is no variance."""

from itertools import product

import numpy as np
import pytest
from cohorts import alone, drawn, labelled, sigmoid, survival
from hypothesis import given
from hypothesis import strategies as st

from hiptbench.errors import MetricError
from hiptbench.metrics import auc
from hiptbench.predictions import Prediction
from hiptbench.statistics.delong import auc_covariance, delong
from hiptbench.targets import Labels


def by_definition(positive: np.ndarray, scores: np.ndarray, patients: np.ndarray) -> tuple[float, float]:
    """Return the difference of two AUCs and its variance as Obuchowski (1997) writes them, unit by unit."""
    cases, controls = np.flatnonzero(positive), np.flatnonzero(~positive)
    m, n = len(cases), len(controls)

    def psi(k: int, i: int, j: int) -> float:
        return float(scores[k, i] > scores[k, j]) + 0.5 * float(scores[k, i] == scores[k, j])

    theta = [sum(psi(k, i, j) for i, j in product(cases, controls)) / (m * n) for k in range(2)]
    of_case = set(patients[cases].tolist())
    of_control = set(patients[controls].tolist())
    everybody = of_case | of_control

    def case_sum(k: int, patient: int) -> float:
        own = [i for i in cases if patients[i] == patient]
        return sum(sum(psi(k, i, j) for j in controls) / n for i in own) - len(own) * theta[k]

    def control_sum(k: int, patient: int) -> float:
        own = [j for j in controls if patients[j] == patient]
        return sum(sum(psi(k, i, j) for i in cases) / m for j in own) - len(own) * theta[k]

    def covariance(r: int, s: int) -> float:
        s10 = sum(case_sum(r, p) * case_sum(s, p) for p in of_case) * len(of_case) / ((len(of_case) - 1) * m)
        s01 = sum(control_sum(r, p) * control_sum(s, p) for p in of_control)
        s01 *= len(of_control) / ((len(of_control) - 1) * n)
        factor = len(everybody) / (len(everybody) - 1)
        s11 = [factor * sum(case_sum(a, p) * control_sum(b, p) for p in everybody) for a, b in ((r, s), (s, r))]
        return s10 / m + s01 / n + sum(s11) / (m * n)

    return theta[0] - theta[1], covariance(0, 0) + covariance(1, 1) - 2 * covariance(0, 1)


@given(st.integers(0, 2**32 - 1), st.integers(2, 30))
def test_it_is_the_definition(seed: int, patients_at_most: int) -> None:
    """Ties, patients with several units, and patients with units of both classes."""
    rng = np.random.default_rng(seed)
    patients = rng.integers(0, patients_at_most, 24)
    positive = rng.random(24) < 0.4
    scores = rng.integers(0, 6, (2, 24)) / 6
    if min(len(set(patients[chosen])) for chosen in (positive, ~positive)) < 2:
        with pytest.raises(MetricError, match=r"variance of an AUC takes two patients of each class"):
            auc_covariance(positive, [[row] for row in scores], patients)
        return
    areas, covariance = auc_covariance(positive, [[row] for row in scores], patients)
    effect, variance = by_definition(positive, scores, patients)
    contrast = np.array([1.0, -1.0])
    assert areas @ contrast == pytest.approx(effect, abs=1e-12)
    assert contrast @ covariance @ contrast == pytest.approx(variance, abs=1e-12)


def test_areas_are_those_of_the_metric_and_p_follows_from_them() -> None:
    first, second = drawn(60), drawn(60, seed=1, signal=0.3)
    found = delong([[first]], [[second]], alone(first))
    aucs = [auc(fold[1].values, fold[2].probabilities) for fold in (first, second)]  # type: ignore[union-attr, arg-type]
    assert found.effect == pytest.approx(aucs[0] - aucs[1], abs=1e-12)
    assert found.z == pytest.approx(found.effect / found.se)
    assert found.low is not None
    assert found.high is not None
    assert (found.low + found.high) / 2 == pytest.approx(found.effect)
    assert found.p is not None
    assert (found.p < 0.05) == (found.low > 0)
    assert (found.clustered, found.units, found.patients, found.note) == (False, 60, 60, "")


def test_every_patient_twice_is_no_more_than_once() -> None:
    first, second = drawn(40), drawn(40, seed=1)
    once = delong([[first]], [[second]], alone(first))
    values = first[1].values.repeat(2)  # type: ignore[union-attr]
    twice = [labelled(values, fold[2].probabilities[:, 1].repeat(2)) for fold in (first, second)]  # type: ignore[index]
    by_patient = delong([[twice[0]]], [[twice[1]]], {f"u{i:03}": f"p{i // 2}" for i in range(80)})
    by_unit = delong([[twice[0]]], [[twice[1]]], alone(twice[0]))
    assert (by_patient.effect, by_patient.se) == pytest.approx((once.effect, once.se), abs=1e-12)
    assert by_patient.clustered
    assert by_unit.se < 0.75 * once.se


def test_the_standard_error_is_that_of_repeated_cohorts() -> None:
    """2000 cohorts of 60 patients with two units of each class: their differences spread as the variance says."""
    rng = np.random.default_rng(0)
    patients = np.arange(60).repeat(4)
    positive = np.tile([True, True, False, False], 60)
    effects, variances = [], []
    for _ in range(2000):
        shared = rng.normal(size=60).repeat(4)
        scores = np.array([positive * 1.0 + shared + rng.normal(size=240) for _ in range(2)])
        areas, covariance = auc_covariance(positive, [[row] for row in scores], patients)
        effects.append(areas[0])
        variances.append(covariance[0, 0])
    assert np.mean(variances) == pytest.approx(np.var(effects), rel=0.1)


def test_seeds_are_averaged() -> None:
    seeds = [[drawn(40, seed=seed)] for seed in range(3)]
    other = [[drawn(40, seed=9)]]
    found = delong(seeds, other, alone(seeds[0][0]))
    single = [delong([run], other, alone(seeds[0][0])).effect for run in seeds]
    assert found.effect == pytest.approx(np.mean(single), abs=1e-12)


def test_identical_scores_are_not_distinguished() -> None:
    fold = drawn(40)
    scaled = labelled(fold[1].values, sigmoid(fold[2].probabilities[:, 1]))  # type: ignore[union-attr, index]
    found = delong([[fold]], [[scaled]], alone(fold))
    assert (found.effect, found.low, found.high, found.z, found.p) == (0, 0, 0, 0, 1)
    assert found.note == "both rank every unit against the other class alike"


def test_without_a_variance_there_is_no_test() -> None:
    values = np.array([0, 0, 1, 1])
    perfect = labelled(values, np.array([0.1, 0.2, 0.8, 0.9]))
    blind = labelled(values, np.full(4, 0.5))
    found = delong([[perfect]], [[blind]], alone(perfect))
    assert (found.effect, found.low, found.p) == (0.5, None, None)
    assert "the variance of the difference is zero" in found.note


def test_what_it_is_not_for_is_refused() -> None:
    fold = drawn(20)
    with pytest.raises(MetricError, match=r"one split; here are 2 folds"):
        delong([[fold, fold]], [[fold, fold]], alone(fold))
    lives = survival(20)
    with pytest.raises(MetricError, match=r"two classes, not for a survival task"):
        delong([[lives]], [[lives]], alone(lives))
    target = Labels(np.arange(20) % 3, ("a", "b", "c"))
    three = fold[0], target, Prediction(probabilities=np.full((20, 3), 1 / 3))
    with pytest.raises(MetricError, match=r"two classes, not for 3 classes"):
        delong([[three]], [[three]], alone(three))
    with pytest.raises(MetricError, match=r"the second method, fold 0 is not of the units"):
        delong([[fold]], [[drawn(18)]], alone(fold))
