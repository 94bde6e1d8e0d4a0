"""The corrected t: against the plain one where nothing is corrected, and by its formula."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ttest_rel

from hiptbench.errors import MetricError
from hiptbench.statistics.corrected_t import Ratio, corrected_t

NONE = Ratio(0.0, "none")


@given(st.integers(0, 2**32 - 1), st.integers(2, 12))
def test_without_a_correction_it_is_the_paired_t(seed: int, folds: int) -> None:
    first, second = np.random.default_rng(seed).random((2, folds))
    found, oracle = corrected_t(first, second, NONE), ttest_rel(first, second)
    expected = oracle.confidence_interval(0.95)
    assert (found.t, found.p, found.df) == pytest.approx((oracle.statistic, oracle.pvalue, oracle.df), rel=1e-9)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), rel=1e-9)


def test_by_hand() -> None:
    """Differences .1, .2, .3: mean .2, variance .01; with a ratio of 2/3 the variance of the mean is .01."""
    found = corrected_t(np.array([0.6, 0.7, 0.8]), np.full(3, 0.5), Ratio(2 / 3, "x"))
    assert (found.effect, found.t, found.df) == pytest.approx((0.2, 2.0, 2))
    assert found.p == pytest.approx(1 - 2 / np.sqrt(6))  # the t distribution with 2 degrees of freedom, in closed form
    assert found.ratio.label == "x"


def test_ratios() -> None:
    repeated = Ratio.of_repeated_splits([80, 84], [160, 168])
    assert repeated.value == pytest.approx(0.5)
    assert repeated.label.startswith("n_test / n_train = 82.0 / 164.0, the units evaluated and trained on")
    partition = Ratio.of_partition(5)
    assert partition.value == 0.25
    assert "heuristic" in partition.label


def test_one_fold_has_an_effect_and_no_test() -> None:
    found = corrected_t(np.array([0.8]), np.array([0.7]), NONE)
    assert found.effect == pytest.approx(0.1)
    assert (found.low, found.high, found.t, found.p) == (None, None, None, None)
    assert found.note.startswith("one fold says nothing of how the difference varies")


def test_equal_differences() -> None:
    values = np.array([0.7, 0.8, 0.9])
    same = corrected_t(values, values, NONE)
    assert (same.effect, same.low, same.high, same.t, same.p) == (0, 0, 0, 0, 1)
    assert same.note == "the two have the same value in every fold"
    shifted = corrected_t(values, values - 0.1, NONE)  # equal but for rounding
    assert shifted.effect == pytest.approx(0.1)
    assert (shifted.low, shifted.p) == (None, None)
    assert shifted.note.startswith("the difference is the same in every fold")


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        ([0.5, 0.6], [0.5], "2 and 1 folds"),
        ([], [], "0 and 0 folds"),
        ([0.5, np.nan, np.inf], [0.5, 0.5, 0.5], "Folds 1, 2 lack a finite value"),
    ],
)
def test_broken_values_are_refused(first: list[float], second: list[float], message: str) -> None:
    with pytest.raises(MetricError, match=message):
        corrected_t(np.array(first, dtype=float), np.array(second, dtype=float), NONE)


@pytest.mark.parametrize(("test", "train"), [([1, 2], [3]), ([0], [3]), ([2], [0]), ([], [])])
def test_counts_must_be_positive_and_as_many(test: list[int], train: list[int]) -> None:
    with pytest.raises(MetricError, match="one positive count a fold"):
        Ratio.of_repeated_splits(test, train)


def test_one_fold_is_no_partition() -> None:
    with pytest.raises(MetricError, match="1 folds are no partition"):
        Ratio.of_partition(1)
