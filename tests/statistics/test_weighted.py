"""Weighted metrics: with whole numbers they are the metrics on repeated units."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from hiptbench.errors import MetricError
from hiptbench.metrics import auc, c_index
from hiptbench.statistics.weighted import weighted_aucs, weighted_c_indices

DRAWS = arrays.arrays(np.int64, st.tuples(st.just(3), st.integers(2, 12)), elements=st.integers(0, 3))


def repeated(metric, *columns: np.ndarray, copies: np.ndarray) -> float:  # type: ignore[no-untyped-def]
    try:
        return float(metric(*(column.repeat(copies, axis=0) for column in columns)))
    except MetricError:
        return np.nan


@given(DRAWS, st.integers(2, 3), st.integers(0, 2**32 - 1))
def test_auc_is_that_of_repeated_units(copies: np.ndarray, classes: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = copies.shape[1]
    labels = rng.integers(0, classes, n)
    probabilities = rng.integers(1, 5, (n, classes)).astype(float)  # few values, so that there are ties
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    expected = [repeated(auc, labels, probabilities, copies=draw) for draw in copies]
    (found,) = weighted_aucs(labels, [[probabilities]], copies.astype(float))
    np.testing.assert_allclose(found, expected, atol=1e-12)


@given(DRAWS, st.integers(0, 2**32 - 1))
def test_the_c_index_is_that_of_repeated_units(copies: np.ndarray, seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = copies.shape[1]
    time, event, risk = rng.integers(1, 6, n).astype(float), rng.random(n) < 0.6, rng.integers(0, 4, n) / 3
    expected = [repeated(c_index, time, event, risk, copies=draw) for draw in copies]
    (found,) = weighted_c_indices(time, event, [[risk]], copies.astype(float))
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_risks_within_the_tolerance_are_tied() -> None:
    time, event, weights = np.array([1.0, 2.0]), np.array([True, True]), np.ones((1, 2))
    for difference, expected in ((1e-9, 0.5), (1e-7, 1.0), (-1e-7, 0.0)):
        assert weighted_c_indices(time, event, [[np.array([difference, 0.0])]], weights).item() == expected


@pytest.mark.parametrize("weights", [[[0.0, 0.0, 0.0]], [[1.0, 0.0, 1.0]]])
def test_what_is_not_defined_is_nan(weights: list[list[float]]) -> None:
    labels, probabilities = np.array([0, 1, 0]), np.array([[0.4, 0.6], [0.2, 0.8], [0.5, 0.5]])
    assert np.isnan(weighted_aucs(labels, [[probabilities]], np.array(weights))).all()
    event = np.array([False, True, False])
    censored = weighted_c_indices(np.arange(3.0), event, [[np.arange(3.0)]], np.array(weights))
    assert np.isnan(censored).all()


@pytest.mark.parametrize("classes", [2, 3])
def test_several_methods_with_other_numbers_of_seeds_are_each_a_mean_over_seeds(classes: int) -> None:
    rng = np.random.default_rng(0)
    labels, weights = np.arange(30) % classes, rng.integers(0, 4, (50, 30)).astype(float)
    methods = [[rng.dirichlet(np.ones(classes), 30).round(1) for _ in range(seeds)] for seeds in (3, 1, 2)]
    found = weighted_aucs(labels, methods, weights)
    single = [np.mean([weighted_aucs(labels, [[seed]], weights)[0] for seed in seeds], axis=0) for seeds in methods]
    np.testing.assert_allclose(found, single, rtol=0, atol=1e-12)


def test_several_methods_with_other_numbers_of_seeds_have_c_indices() -> None:
    rng = np.random.default_rng(0)
    time, event, weights = rng.random(30), rng.random(30) < 0.6, rng.integers(0, 4, (50, 30)).astype(float)
    methods = [[rng.integers(0, 5, 30) / 4 for _ in range(seeds)] for seeds in (3, 1, 2)]
    found = weighted_c_indices(time, event, methods, weights)
    single = [
        np.mean([weighted_c_indices(time, event, [[seed]], weights)[0] for seed in seeds], axis=0) for seeds in methods
    ]
    np.testing.assert_allclose(found, single, rtol=0, atol=1e-12)
