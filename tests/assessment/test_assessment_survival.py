"""Measures of risks and curves against scikit-survival and formulas written out, and where they are not defined."""

from typing import Any

import numpy as np
import pytest
import survival_references as written_out
from hypothesis import given, settings
from hypothesis import strategies as st
from sksurv.metrics import concordance_index_censored, concordance_index_ipcw, integrated_brier_score
from sksurv.nonparametric import kaplan_meier_estimator
from sksurv.util import Surv
from survival_references import target

from hiptbench.assessment.measures import Measure
from hiptbench.assessment.survival import assess_survival
from hiptbench.errors import HeadError, MetricError
from hiptbench.predictions import Prediction
from hiptbench.targets import Survival

TOLERANCE = 1e-9
NAMES = ["c_index", "c_index_ipcw", "td_auc", "integrated_brier"]


def assessed(train: Survival, test: Survival, prediction: Prediction) -> dict[str, Measure]:
    return {measure.name: measure for measure in assess_survival(train, test, prediction)}


def expect_references(train: Survival, test: Survival, prediction: Prediction, found: dict[str, Measure]) -> None:
    risk, survival, times = prediction.risk, prediction.survival, prediction.times
    assert risk is not None
    assert survival is not None
    assert times is not None
    expected = {
        "c_index_ipcw": written_out.uno(train, test, risk),
        "td_auc": written_out.dynamic_auc(train, test, risk),
        "integrated_brier": written_out.integrated_brier(train, test, survival, times),
    }
    for name, value in expected.items():
        assert found[name].value == (None if value is None else pytest.approx(value, abs=TOLERANCE)), name


def proportional(test: Survival, risk: np.ndarray, times: np.ndarray) -> Prediction:
    return Prediction(risk=risk, survival=np.exp(-np.exp(risk)[:, None] * times / 20), times=times)


def cohort(seed: int, n: int, *, censored: float, decimals: int) -> tuple[Survival, Survival, Prediction]:
    """Return a training and a test fold; with few decimals times are tied, with much censoring events are few."""
    rng = np.random.default_rng(seed)
    lifetime = rng.exponential(20, size=2 * n)
    until = rng.exponential(20 * (1 - censored) / censored, size=2 * n)
    both = Survival(np.minimum(lifetime, until).round(decimals), lifetime <= until)
    train, test = both.take(range(n)), both.take(range(n, 2 * n))
    risk = (rng.normal(size=n) - 0.05 * lifetime[n:]).round(decimals)
    return train, test, proportional(test, risk, np.unique(train.time[train.event]).clip(min=0.01))


COHORTS = [
    pytest.param({"seed": 1, "n": 60, "censored": 0.5, "decimals": 6}, id="plain"),
    pytest.param({"seed": 2, "n": 60, "censored": 0.5, "decimals": 0}, id="ties"),
    pytest.param({"seed": 3, "n": 80, "censored": 0.95, "decimals": 6}, id="heavy censoring"),
    pytest.param({"seed": 4, "n": 80, "censored": 0.9, "decimals": 0}, id="heavy censoring and ties"),
    pytest.param({"seed": 5, "n": 30, "censored": 0.05, "decimals": 1}, id="next to no censoring"),
]


@pytest.mark.parametrize("settings", COHORTS)
def test_measures_are_their_formulas(settings: dict[str, Any]) -> None:
    train, test, prediction = cohort(**settings)
    found = assessed(train, test, prediction)
    assert list(found) == NAMES
    assert all(measure.value is not None for measure in found.values())
    expect_references(train, test, prediction, found)
    assert prediction.risk is not None
    harrell = concordance_index_censored(test.event, test.time, prediction.risk)[0]
    assert found["c_index"].value == pytest.approx(harrell, abs=TOLERANCE)


def with_curves(fold: Any) -> Prediction:
    """Give a fold of the export, which holds risks only, the training Kaplan-Meier to powers of hazard ratios."""
    times, baseline = kaplan_meier_estimator(fold.train.event, fold.train.time)
    risk = fold.prediction.risk
    ratio = np.exp((risk - risk.mean()) / risk.std())
    return Prediction(risk=risk, survival=baseline ** ratio[:, None], times=times)


def test_measures_of_real_folds_are_those_of_scikit_survival(real_folds: list[Any]) -> None:
    folds = [fold for fold in real_folds if isinstance(fold.test, Survival)]
    assert len(folds) == 60
    assert any(fold.test.time.max() > fold.train.time.max() for fold in folds)
    for fold in folds:
        found = assessed(fold.train, fold.test, fold.prediction)
        harrell = concordance_index_censored(fold.test.event, fold.test.time, fold.prediction.risk)[0]
        assert found["c_index"].value == pytest.approx(harrell, abs=TOLERANCE)
        train, test = (Surv.from_arrays(one.event, one.time) for one in (fold.train, fold.test))
        uno = concordance_index_ipcw(train, test, fold.prediction.risk, tau=fold.train.time.max())[0]
        assert found["c_index_ipcw"].value == pytest.approx(uno, abs=TOLERANCE)
        assert found["td_auc"].value is not None
        assert "risk only" in str(found["integrated_brier"].why)


def test_measures_of_a_real_fold_of_each_task_are_their_formulas(real_folds: list[Any]) -> None:
    folds = {fold.name.split()[0]: fold for fold in real_folds if isinstance(fold.test, Survival)}
    assert len(folds) == 6
    for fold in folds.values():
        prediction = with_curves(fold)
        found = assessed(fold.train, fold.test, prediction)
        assert all(measure.value is not None for measure in found.values())
        expect_references(fold.train, fold.test, prediction, found)


def test_integrated_brier_is_that_of_scikit_survival_where_it_takes_the_data() -> None:
    """Within the training follow-up and up to the last event nothing has to be restricted."""
    train = target([(float(t), t % 3 > 0) for t in range(1, 41)])
    test = target([(3.5, True), (8.0, False), (12.5, True), (20.0, True), (31.0, False)])
    grid = test.time[:-1]
    curves = np.exp(-np.array([0.1, 0.02, 0.05, 0.04, 0.01])[:, None] * grid)
    whole = np.column_stack([curves, curves[:, -1] * 0.9])
    prediction = Prediction(risk=np.arange(5.0), survival=whole, times=np.append(grid, 50.0))
    expected = integrated_brier_score(
        Surv.from_arrays(train.event, train.time), Surv.from_arrays(test.event, test.time), curves, grid
    )
    measure = assessed(train, test, prediction)["integrated_brier"]
    assert measure.value == pytest.approx(expected, abs=TOLERANCE)
    assert measure.note == "from 3.5 to 20.0 months, curves of 5 steps"


ISSUE_428 = target([(11, True), (11, False), (26, False), (89, True), (128, False), (299, True), (300, False)])
RISK_428 = np.array([-0.02, 1.20, -0.56, -1.33, -0.81, 1.02, -1.29])


def test_uno_by_hand_with_an_event_and_a_censoring_at_one_time() -> None:
    """The data of scikit-survival's issue 428, where R's survAUC does not compare the two units at 11.

    G is 5/6 at 11 (events first), times 4/5 from 26 and 2/3 from 128. The event at 11 wins 4 of 6 pairs, that at 89
    none of 3, that at 299 its only one.
    """
    weights = np.array([(6 / 5) ** 2, (6 / 5 * 5 / 4) ** 2, (6 / 5 * 5 / 4 * 3 / 2) ** 2])
    expected = weights @ [4, 0, 1] / (weights @ [6, 3, 1])
    measure = assessed(ISSUE_428, ISSUE_428, Prediction(risk=RISK_428))["c_index_ipcw"]
    assert measure.value == pytest.approx(expected, abs=TOLERANCE)
    assert measure.value != pytest.approx(weights @ [4, 0, 1] / (weights @ [5, 3, 1]), abs=1e-3)
    assert measure.note == "tau = 300.0 months; the heaviest event has 42% of the weight"


def test_uno_up_to_the_second_event_is_the_number_in_that_issue() -> None:
    """There tau is 299; a training fold that ends there has the same G before it."""
    train = target(
        [*zip(ISSUE_428.time.tolist()[:-2], ISSUE_428.event.tolist()[:-2], strict=True), (299, True), (299, False)]
    )
    measure = assessed(train, ISSUE_428, Prediction(risk=RISK_428))["c_index_ipcw"]
    assert measure.value == pytest.approx(0.37426900584795325, abs=TOLERANCE)
    assert measure.note is not None
    assert measure.note.startswith("tau = 299.0 months; 1 of 3 events are not before it")


TRAIN = target([(2, True), (4, False), (5, True), (9, True), (10, False)])


def test_test_times_beyond_the_training_follow_up_are_restricted_not_dropped() -> None:
    """scikit-survival raises on these; a unit beyond tau is still the later one of a pair."""
    test = target([(3, True), (6, True), (15, True), (20, False)])
    risk = np.array([4.0, 1.0, 3.0, 2.0])
    with pytest.raises(ValueError, match=r"time must be smaller than largest|censoring survival function is zero"):
        concordance_index_ipcw(*(Surv.from_arrays(one.event, one.time) for one in (TRAIN, test)), risk)
    prediction = proportional(test, risk, np.array([2.0, 5.0, 9.0]))
    found = assessed(TRAIN, test, prediction)
    expect_references(TRAIN, test, prediction, found)
    early, late = 1 / 1.0**2, 1 / 0.75**2
    assert found["c_index_ipcw"].value == pytest.approx(early * 3 / (early * 3 + late * 2))
    assert "1 of 3 events are not before it" in str(found["c_index_ipcw"].note)
    assert found["td_auc"].note == "2 event times from 3.0 to 6.0 months"
    assert found["integrated_brier"].note == "from 3.0 to 6.0 months, curves of 3 steps"


def test_no_event_left() -> None:
    test = target([(3, False), (6, False)])
    found = assessed(TRAIN, test, proportional(test, np.zeros(2), np.array([2.0, 9.0])))
    assert all(measure.value is None for measure in found.values())
    assert found["c_index"].why == "no pair of units is comparable (n = 2 with 0 events)"
    assert found["c_index_ipcw"].why == "no pair of units is comparable before tau = 10.0 months (n = 2 with 0 events)"
    assert found["td_auc"].why == "no event before 10.0 months with a unit followed longer (n = 2 with 0 events)"
    brier = "fewer than two evaluated times, or no event, by 9.0 months (n = 2 with 0 events)"
    assert found["integrated_brier"].why == brier


def test_every_event_is_beyond_the_training_follow_up() -> None:
    test = target([(3, False), (16, True), (18, False)])
    found = assessed(TRAIN, test, proportional(test, np.arange(3.0), np.array([2.0, 9.0])))
    assert found["c_index"].value == 0.0
    assert {name for name, measure in found.items() if measure.why} == set(NAMES) - {"c_index"}


def test_one_event() -> None:
    test = target([(3, True), (6, False), (7, False)])
    prediction = proportional(test, np.array([1.0, 0.0, 2.0]), np.array([2.0, 9.0]))
    found = assessed(TRAIN, test, prediction)
    expect_references(TRAIN, test, prediction, found)
    assert [found[name].value for name in NAMES[:3]] == [0.5, 0.5, 0.5]
    assert "the heaviest event has 100% of the weight" in str(found["c_index_ipcw"].note)


def test_one_event_that_is_the_last_time() -> None:
    test = target([(3, False), (6, True)])
    found = assessed(TRAIN, test, proportional(test, np.arange(2.0), np.array([2.0, 9.0])))
    assert all(measure.why for measure in found.values())


@pytest.mark.parametrize("event", [True, False])
def test_a_single_unit(event: bool) -> None:
    test = target([(3, event)])
    found = assessed(TRAIN, test, proportional(test, np.zeros(1), np.array([2.0, 9.0])))
    assert all(measure.why for measure in found.values())


def test_no_unit() -> None:
    found = assessed(TRAIN, target([]), Prediction(risk=np.empty(0), survival=np.empty((0, 1)), times=np.array([9.0])))
    assert all(measure.why and "n = 0 with 0 events" in measure.why for measure in found.values())


def test_risks_that_are_all_tied_are_measured_and_noted() -> None:
    test = target([(3, True), (6, True), (8, False)])
    found = assessed(TRAIN, test, Prediction(risk=np.array([7.0, 7.0, 7.0 + 1e-9])))
    for name in NAMES[:3]:
        assert found[name].value == pytest.approx(0.5)
        assert "all risks are tied" in str(found[name].note)


def test_risk_only() -> None:
    test = target([(3, True), (6, True), (8, False)])
    found = assessed(TRAIN, test, Prediction(risk=np.arange(3.0)))
    assert found["integrated_brier"].why == "risk only: the head gives no survival curves, or they were not exported"
    assert all(found[name].value is not None for name in NAMES[:3])


def test_a_training_fold_without_events() -> None:
    train, test = target([(3, False), (6, False)]), target([(2, True), (4, False)])
    found = assessed(train, test, Prediction(risk=np.array([1.0, 0.0])))
    assert found["c_index"].value == 1.0
    for name in NAMES[1:]:
        assert "the training fold has no event (n = 2 with 0 events)" in str(found[name].why)


def test_a_training_fold_without_censoring_weighs_nothing() -> None:
    train = target([(2, True), (4, True), (30, True)])
    test = target([(3, True), (6, True), (8, False)])
    found = assessed(train, test, Prediction(risk=np.array([2.0, 0.0, 1.0])))
    assert found["c_index_ipcw"].value == found["c_index"].value == pytest.approx(2 / 3)


def test_curves_with_one_time() -> None:
    test = target([(3, True), (4, True), (8, False)])
    survival = np.array([[0.5], [0.75], [1.0]])
    found = assessed(TRAIN, test, Prediction(risk=np.arange(3.0), survival=survival, times=np.array([4.0])))
    # At 3 every curve is still 1: the unit with the event pays 1. At 4 two events pay 0.5^2 and 0.75^2, each over G.
    at_three, at_four = 1 / 1.0, 0.25 / 1.0 + 0.5625 / 0.75
    assert found["integrated_brier"].value == pytest.approx((at_three + at_four) / 2 / 3)


@pytest.mark.parametrize(
    ("prediction", "error", "problem"),
    [
        (Prediction(risk=np.array([0.0, np.nan])), HeadError, "NaN or infinite risk for 1 units: 1"),
        (Prediction(risk=np.zeros(3)), HeadError, "3 rows of risk for 2 units"),
        (Prediction(probabilities=np.eye(2)), HeadError, "for a classification task where the task is survival"),
        (
            Prediction(risk=np.zeros(2), survival=np.array([[0.5, 0.4], [np.nan, 0.1]]), times=np.array([1.0, 2.0])),
            HeadError,
            "NaN or infinite survival for 1 units: 1",
        ),
        (
            Prediction(risk=np.zeros(2), survival=np.array([[0.5, 0.4], [0.3, 0.6]]), times=np.array([1.0, 2.0])),
            MetricError,
            r"survival\[1, 1\] is 0.6, above the value before it",
        ),
    ],
)
def test_broken_predictions_are_refused(prediction: Prediction, error: type[Exception], problem: str) -> None:
    with pytest.raises(error, match=problem):
        assess_survival(TRAIN, target([(3, True), (6, False)]), prediction)


def test_broken_times_are_refused() -> None:
    broken, risk = Survival(np.array([1.0, np.nan]), np.array([True, False])), Prediction(risk=np.zeros(2))
    for train, test in ((broken, TRAIN.take([0, 1])), (TRAIN, broken)):
        with pytest.raises(MetricError, match=r"time\[1\] is nan"):
            assess_survival(train, test, risk)


ROWS = st.lists(st.tuples(st.integers(0, 8), st.booleans()), min_size=1, max_size=14)


@settings(deadline=None)
@given(train=ROWS, test=ROWS, seed=st.integers(0, 1000))
def test_every_measure_is_its_formula_or_a_reason(
    train: list[tuple[int, bool]], test: list[tuple[int, bool]], seed: int
) -> None:
    """Small whole numbers: ties everywhere, folds without events, tests beyond the training follow-up."""
    fitted, tested = target(train), target(test)
    risk = np.random.default_rng(seed).integers(-2, 3, size=len(tested)).astype(float)
    prediction = proportional(tested, risk, np.array([1.0, 3.0, 6.0]))
    found = assessed(fitted, tested, prediction)
    if fitted.event.any():
        expect_references(fitted, tested, prediction, found)
    else:
        assert all(found[name].why for name in NAMES[1:])
