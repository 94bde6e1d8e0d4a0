"""The paired bootstrap: one draw for all methods, seeds averaged inside it, and what it says of a difference."""

import numpy as np
import pytest
from cohorts import alone, drawn, labelled, survival

from hiptbench.errors import MetricError, UnknownNameError
from hiptbench.metrics import auc, c_index
from hiptbench.predictions import Prediction, Predictions
from hiptbench.statistics.bootstrap import bootstrap, interval
from hiptbench.statistics.draws import paired_difference, percentile_interval
from hiptbench.targets import Labels, Survival


def auc_of(fold: Predictions) -> float:
    assert isinstance(fold[1], Labels)
    assert fold[2].probabilities is not None
    return auc(fold[1].values, fold[2].probabilities)


def test_estimates_are_means_over_folds_and_seeds() -> None:
    folds = [[drawn(40, seed=10 * seed + fold, truth=fold) for fold in range(3)] for seed in range(2)]
    found = bootstrap({"A": folds}, alone(folds[0][0]), draws=50)
    assert found.estimates[0] == pytest.approx(np.mean([[auc_of(fold) for fold in run] for run in folds]), abs=1e-12)


def test_survival_estimates_are_c_indices() -> None:
    fold = survival(60)
    assert isinstance(fold[1], Survival)
    assert fold[2].risk is not None
    found = bootstrap({"A": [[fold]]}, alone(fold), draws=50)
    assert found.estimates[0] == pytest.approx(c_index(fold[1].time, fold[1].event, fold[2].risk), abs=1e-12)


def test_one_draw_is_of_the_same_patients_for_every_method() -> None:
    """A method beside a copy of itself and beside another: the difference from the copy is nil in every draw."""
    fold, other = drawn(60), drawn(60, seed=1)
    found = bootstrap({"A": [[fold]], "copy": [[fold]], "B": [[other]]}, alone(fold))
    same = found.difference("A", "copy")
    assert (same.effect, same.low, same.high, same.p) == (0, 0, 0, 1)
    assert same.note == "the two have the same value in every draw"
    assert found.interval("A") == interval([fold], alone(fold))


def test_pairing_makes_the_interval_of_a_difference_narrower() -> None:
    fold = drawn(80)
    assert fold[2].probabilities is not None
    noise = np.random.default_rng(1).normal(0, 0.05, 80)
    nearly = labelled(fold[1].values, np.clip(fold[2].probabilities[:, 1] + noise, 0, 1))  # type: ignore[union-attr]
    found = bootstrap({"A": [[fold]], "B": [[nearly]]}, alone(fold))
    paired, single = found.difference("A", "B"), found.interval("A")
    assert paired.high - paired.low < 0.5 * (single.high - single.low)


def test_the_difference_of_opposites_is_found_and_turns_with_the_order() -> None:
    good, poor = drawn(80, signal=2.0), drawn(80, seed=1, signal=0.0)
    found = bootstrap({"A": [[good]], "B": [[poor]]}, alone(good))
    forth, back = found.difference("A", "B"), found.difference("B", "A")
    assert forth.effect == pytest.approx(auc_of(good) - auc_of(poor), abs=1e-12)
    assert 0 < forth.low < forth.effect < forth.high
    assert forth.p == pytest.approx(2 / 2001)
    assert (back.effect, back.p) == (-forth.effect, forth.p)
    assert (back.low, back.high) == pytest.approx((-forth.high, -forth.low), abs=1e-12)


def test_seeds_are_averaged_inside_each_draw() -> None:
    seeds = [[drawn(60, seed=seed)] for seed in range(3)]
    together = bootstrap({"all": seeds}, alone(seeds[0][0]), draws=100).values[0]
    single = bootstrap({str(i): [run] for i, run in enumerate(seeds)}, alone(seeds[0][0]), draws=100).values
    np.testing.assert_allclose(together, single.mean(axis=0), atol=1e-12)


def test_methods_may_have_other_numbers_of_seeds() -> None:
    fold = drawn(40)
    found = bootstrap({"A": [[fold], [drawn(40, seed=1)]], "B": [[fold]]}, alone(fold), draws=50)
    assert found.values.shape == (2, 50)


def test_draws_of_other_patients_are_others() -> None:
    fold = drawn(40)
    units = tuple(f"v{i}" for i in range(40))
    renamed = units, fold[1], fold[2]
    here, there = (bootstrap({"A": [[one]]}, alone(one), draws=50).values for one in (fold, renamed))
    assert not np.array_equal(here, there)


def test_a_fold_without_a_metric_is_named() -> None:
    whole = drawn(40)
    broken = labelled(np.zeros(3, np.int64), np.array([0.1, 0.2, 0.3]))
    with pytest.raises(MetricError, match=r"Fold 1 has no metric: a class, or every comparable pair, is missing"):
        bootstrap({"A": [[whole, broken]]}, alone(whole))


def test_a_task_with_three_patients_has_no_interval() -> None:
    fold = labelled(np.array([0, 1, 1]), np.array([0.1, 0.2, 0.3]))
    with pytest.raises(MetricError, match=r"Only 1 patients are of class a: .*too few patients for an interval.* 5"):
        interval([fold], alone(fold))


def test_few_events_have_no_interval() -> None:
    target = Survival(np.arange(1.0, 31.0), np.arange(30) < 4)
    fold = tuple(f"u{i}" for i in range(30)), target, Prediction(risk=np.random.default_rng(0).normal(size=30))
    with pytest.raises(MetricError, match=r"Only 4 patients are with an event"):
        interval([fold], alone(fold))


def test_few_patients_with_many_units_are_few() -> None:
    fold = drawn(40)
    patients = {unit: f"{fold[1].rows()[i]}{i % 3}" for i, unit in enumerate(fold[0])}
    with pytest.raises(MetricError, match=r"Only 3 patients are of class a"):
        interval([fold], patients)


def test_an_unknown_method_is_named() -> None:
    fold = drawn(40)
    found = bootstrap({"abmil": [[fold]]}, alone(fold), draws=50)
    with pytest.raises(UnknownNameError, match=r"no method in these draws 'abmill'. Did you mean 'abmil'"):
        found.difference("abmil", "abmill")


def test_p_inverts_the_interval() -> None:
    values = np.linspace(-1, 3, 1001)
    for shift in (-1.2, -0.95, -0.85, 0.0, 0.5):
        found = paired_difference(1.0, values + shift, 0)
        assert (found.p < 0.05) == (found.low > 0 or found.high < 0)


def test_too_few_draws_have_no_percentiles() -> None:
    with pytest.raises(MetricError, match=r"39 draws have no 95 % interval. Ask for 40"):
        percentile_interval(np.arange(39.0), 0)
