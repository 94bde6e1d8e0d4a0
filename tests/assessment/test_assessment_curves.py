"""Survival curves between their times, never beyond them; calibration at a horizon; D-calibration."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lifelines import KaplanMeierFitter
from scipy.stats import chi2
from survival_references import d_calibration_counts, target

from hiptbench.assessment.calibration import survival_calibration
from hiptbench.assessment.curves import check_curves, step_around, step_at
from hiptbench.assessment.d_calibration import DCalibration, d_calibration, spread
from hiptbench.assessment.measures import NotEvaluable
from hiptbench.errors import HeadError, MetricError
from hiptbench.predictions import Prediction
from hiptbench.targets import Survival

CURVES = np.array([[0.9, 0.6, 0.6, 0.2], [1.0, 0.5, 0.25, 0.0]])
TIMES = np.array([2.0, 4.0, 6.0, 9.0])


def test_steps_are_right_continuous_and_start_at_one() -> None:
    read = step_at(CURVES, TIMES, np.array([9.0, 0.0, 1.999, 2.0, 5.0, 6.0]))
    assert read.tolist() == [[0.2, 1.0, 1.0, 0.9, 0.6, 0.6], [0.0, 1.0, 1.0, 1.0, 0.5, 0.25]]


def test_curves_are_not_known_beyond_their_end() -> None:
    with pytest.raises(MetricError, match=r"end at 9 months and are not known at 9\.5\. Restrict the horizon"):
        step_at(CURVES, TIMES, np.array([1.0, 9.5]))


def test_a_curve_of_one_time() -> None:
    assert step_at(np.array([[0.3]]), np.array([5.0]), np.array([4.0, 5.0])).tolist() == [[1.0, 0.3]]


@pytest.mark.parametrize(
    ("survival", "times", "problem"),
    [
        ([[]], [], "has no times"),
        ([[0.5, 0.4]], [3.0, 3.0], "must rise from 0 or later"),
        ([[0.5, 0.4]], [-1.0, 3.0], "must rise from 0 or later"),
        ([[0.5, 0.4]], [1.0, np.inf], "must rise from 0 or later"),
        ([[0.5, np.nan]], [1.0, 2.0], r"survival\[0, 1\] is nan, outside"),
        ([[0.5, -0.1]], [1.0, 2.0], r"survival\[0, 1\] is -0.1, outside \[0, 1\]"),
        ([[1.2, 0.5]], [1.0, 2.0], r"survival\[0, 0\] is 1.2, outside"),
        ([[0.5, 0.6]], [1.0, 2.0], r"survival\[0, 1\] is 0.6, above the value before it"),
    ],
)
def test_what_is_no_curve_is_refused(survival: list[list[float]], times: list[float], problem: str) -> None:
    with pytest.raises(MetricError, match=problem):
        check_curves(np.array(survival, dtype=float), np.array(times, dtype=float))


def test_a_rounding_error_is_no_rise() -> None:
    check_curves(np.array([[1.0, 1.0 + 1e-12]]), np.array([0.0, 1.0]))


@pytest.mark.parametrize(
    ("time", "event", "expected"),
    [
        (1.0, True, (0.9, 1.0)),
        (2.0, True, (0.9, 1.0)),
        (3.0, True, (0.6, 0.9)),
        (5.0, True, (0.6, 0.6)),
        (9.0, True, (0.2, 0.6)),
        (9.1, True, (0.0, 0.2)),
        (1.0, False, (0.0, 1.0)),
        (2.0, False, (0.0, 0.9)),
        (5.0, False, (0.0, 0.6)),
        (50.0, False, (0.0, 0.2)),
    ],
)
def test_the_step_of_a_unit(time: float, event: bool, expected: tuple[float, float]) -> None:
    lower, upper = step_around(CURVES[:1], TIMES, np.array([time]), np.array([event]))
    assert (lower.item(), upper.item()) == expected


# Calibration at a horizon


def test_calibration_by_hand() -> None:
    """One group: S(5) between 4 and 6 months is 0.6 and 0.375 in both folds; Kaplan-Meier falls at 3 (1 of 4) only."""
    folds = [
        (target([(3, True), (4, False)]), Prediction(risk=np.zeros(2), survival=CURVES, times=TIMES)),
        (target([(6, True), (8, False)]), Prediction(risk=np.zeros(2), survival=CURVES, times=TIMES)),
    ]
    groups = survival_calibration(folds, horizon=5.0)
    assert isinstance(groups, tuple)
    (group,) = groups
    assert (group.n, group.events, group.followed) == (4, 1, 8.0)
    assert (group.predicted, group.observed) == pytest.approx((0.4875, 0.75))
    interval = KaplanMeierFitter().fit([3, 4, 6, 8], [1, 0, 1, 0]).confidence_interval_survival_function_
    assert (group.low, group.high) == pytest.approx(tuple(interval.loc[4.0]), abs=1e-9)


def exponential(
    rng: np.random.Generator, n: int, *, censored: float, off: float, steps: int
) -> tuple[Survival, Prediction]:
    """Return units with exponential lifetimes and their own curves, whose hazard is off by a factor."""
    rate = np.exp(rng.normal(scale=0.5, size=n)) / 20
    lifetime = rng.exponential(1 / rate)
    until = rng.exponential(20 * (1 - censored) / censored, size=n) if censored else np.full(n, np.inf)
    seen = Survival(np.minimum(lifetime, until), lifetime <= until)
    times = np.quantile(seen.time, np.linspace(0, 1, steps + 1))[1:]
    return seen, Prediction(risk=rate, survival=np.exp(-off * rate[:, None] * times), times=times)


def test_groups_hold_like_predictions() -> None:
    fold = exponential(np.random.default_rng(0), 200, censored=0.3, off=1.0, steps=80)
    groups = survival_calibration([fold], horizon=15.0)
    assert isinstance(groups, tuple)
    assert [group.n for group in groups] == [40] * 5
    assert [group.predicted for group in groups] == sorted(group.predicted for group in groups)


def test_intervals_cover_what_a_right_model_predicts() -> None:
    covered = []
    for seed in range(60):
        fold = exponential(np.random.default_rng(seed), 200, censored=0.3, off=1.0, steps=80)
        groups = survival_calibration([fold], horizon=15.0)
        assert isinstance(groups, tuple)
        covered += [(group.low or 0) <= group.predicted <= (group.high or 0) for group in groups]
    assert len(covered) == 300
    assert 0.91 <= np.mean(covered) <= 0.98  # 95 %, and three standard errors of 300


def test_curves_of_few_times_are_read_between_them() -> None:
    """The horizon lies just before a time of the curves, as the median event time does before a quartile of them."""
    fine = exponential(np.random.default_rng(0), 200, censored=0.3, off=1.0, steps=80)
    seen, rate = fine[0], fine[1].risk
    assert rate is not None
    times = np.array([7.0, 15.02, 25.0, 60.0])
    coarse = (seen, Prediction(risk=rate, survival=np.exp(-rate[:, None] * times), times=times))
    groups, expected = (survival_calibration([fold], horizon=15.0) for fold in (coarse, fine))
    assert isinstance(groups, tuple)
    assert isinstance(expected, tuple)
    for group, other in zip(groups, expected, strict=True):
        assert group.predicted == pytest.approx(other.predicted, abs=0.01)


def test_a_constant_prediction_is_one_group() -> None:
    seen, _ = exponential(np.random.default_rng(0), 200, censored=0.3, off=1.0, steps=80)
    groups = survival_calibration(
        [(seen, Prediction(risk=np.zeros(200), survival=np.full((200, 1), 0.5), times=np.array([30.0])))], horizon=30.0
    )
    assert isinstance(groups, tuple)
    assert [(group.n, group.predicted) for group in groups] == [(200, 0.5)]


def test_a_group_whose_follow_up_ends_early_has_no_observation() -> None:
    prediction = Prediction(risk=np.zeros(2), survival=CURVES, times=TIMES)
    groups = survival_calibration([(target([(3, True), (4, False)]), prediction)], horizon=5.0)
    assert isinstance(groups, tuple)
    (group,) = groups
    assert (group.observed, group.low, group.high, group.followed) == (None, None, None, 4.0)


def test_a_group_that_nobody_survived_is_observed_at_zero() -> None:
    prediction = Prediction(risk=np.zeros(2), survival=CURVES, times=TIMES)
    groups = survival_calibration([(target([(3, True), (4, True)]), prediction)], horizon=5.0)
    assert isinstance(groups, tuple)
    assert (groups[0].observed, groups[0].low, groups[0].high) == (0.0, 0.0, 0.0)


def test_calibration_that_is_not_evaluable() -> None:
    risk_only = (target([(3, True)]), Prediction(risk=np.zeros(1)))
    assert "risk only" in why(survival_calibration([risk_only], horizon=5.0))
    short = (target([(3, True), (4, True)]), Prediction(risk=np.zeros(2), survival=CURVES, times=TIMES))
    assert (
        why(survival_calibration([short], horizon=9.5))
        == "the curves of fold 0 end at 9.0 months, before the horizon of 9.5"
    )
    empty = (target([]), Prediction(risk=np.empty(0), survival=np.empty((0, 1)), times=np.array([9.0])))
    assert why(survival_calibration([empty], horizon=5.0)) == "no unit was evaluated"


@pytest.mark.parametrize("horizon", [0.0, -1.0, float("nan")])
def test_a_horizon_is_a_time(horizon: float) -> None:
    with pytest.raises(MetricError, match=r"The horizon is .* months\. Give a time above 0"):
        survival_calibration([], horizon=horizon)


def test_folds_are_needed() -> None:
    for function in (d_calibration, lambda folds: survival_calibration(folds, horizon=1.0)):
        with pytest.raises(MetricError, match="No fold was given"):
            function([])


# D-calibration


def why(result: object) -> str:
    assert isinstance(result, NotEvaluable)
    return result.why


@settings(deadline=None)
@given(
    units=st.lists(st.tuples(st.floats(0, 1, allow_subnormal=False), st.booleans()), min_size=1, max_size=40),
    bins=st.sampled_from([2, 4, 8]),
)
def test_points_and_censored_units_are_counted_as_in_the_paper(units: list[tuple[float, bool]], bins: int) -> None:
    """Powers of two, whose edges are exact in floating point, so that both put a probability in the same bin."""
    at_own_time, event = np.array([s for s, _ in units]), np.array([seen for _, seen in units])
    counts = spread(np.where(event, at_own_time, 0.0), at_own_time, bins)
    assert counts == pytest.approx(d_calibration_counts(at_own_time, event, bins), abs=1e-9)
    assert counts.sum() == pytest.approx(len(units))


def test_fine_curves_give_the_test_of_the_paper() -> None:
    rng = np.random.default_rng(7)
    folds = [exponential(rng, 100, censored=0.3, off=1.6, steps=100) for _ in range(2)]
    fine = [
        (seen, Prediction(risk=one.risk, survival=np.exp(-1.6 * one.risk[:, None] * grid), times=grid))
        for seen, one in folds
        if one.risk is not None
        for grid in [np.linspace(0.001, seen.time.max(), 40_000)]
    ]
    result = d_calibration(fine)
    assert isinstance(result, DCalibration)
    own = np.concatenate([np.exp(-1.6 * one.risk * seen.time) for seen, one in fine if one.risk is not None])
    event = np.concatenate([seen.event for seen, _ in fine])
    expected = d_calibration_counts(own, event, 10)
    assert result.counts == pytest.approx(expected, abs=0.05)
    statistic = ((expected - 20) ** 2 / 20).sum()
    assert result.statistic == pytest.approx(statistic, rel=0.01)
    assert result.p_value == pytest.approx(chi2.sf(result.statistic, 9), abs=1e-12)
    assert (result.n, result.events, result.expected, result.beyond) == (200, int(event.sum()), 20.0, 0)


def rejected(*, off: float, censored: float, steps: int, runs: int = 100) -> float:
    rng = np.random.default_rng(2020)
    results = [d_calibration([exponential(rng, 200, censored=censored, off=off, steps=steps)]) for _ in range(runs)]
    return float(np.mean([result.p_value < 0.05 for result in results if isinstance(result, DCalibration)]))


def test_a_calibrated_model_is_rejected_as_often_as_stated() -> None:
    """Within three Monte-Carlo errors of 5 %."""
    error = np.sqrt(0.05 * 0.95 / 300)
    assert abs(rejected(off=1.0, censored=0.0, steps=100, runs=300) - 0.05) < 3 * error


@pytest.mark.parametrize(("censored", "steps"), [(0.4, 100), (0.8, 100), (0.0, 4), (0.4, 4)])
def test_censoring_and_coarse_curves_do_not_make_it_reject_more(censored: float, steps: int) -> None:
    assert rejected(off=1.0, censored=censored, steps=steps) <= 0.05


@pytest.mark.parametrize(("censored", "steps"), [(0.0, 100), (0.4, 100), (0.0, 4), (0.4, 4)])
def test_a_miscalibrated_model_is_rejected(censored: float, steps: int) -> None:
    for off in (0.5, 2.0):
        assert rejected(off=off, censored=censored, steps=steps, runs=30) > 0.9


def units(n: int, events: int, steps: int) -> tuple[Survival, Prediction]:
    time = np.linspace(1, 2, n)
    survival = np.tile(np.linspace(0.9, 0.1, steps), (n, 1))
    return Survival(time, np.arange(n) < events), Prediction(
        risk=np.zeros(n), survival=survival, times=np.linspace(0.5, 3, steps)
    )


@pytest.mark.parametrize(
    ("n", "steps", "bins"), [(200, 40, 10), (50, 40, 10), (49, 40, 9), (10, 40, 2), (200, 4, 4), (11, 4, 2)]
)
def test_bins_are_reduced_until_five_are_expected(n: int, steps: int, bins: int) -> None:
    result = d_calibration([units(n, n // 2, steps)])
    assert isinstance(result, DCalibration)
    assert len(result.counts) == bins
    assert result.expected == pytest.approx(n / bins)
    assert result.expected >= 5


def test_bins_depend_on_the_units_of_all_folds() -> None:
    result = d_calibration([units(6, 3, 40), units(6, 3, 40)])
    assert isinstance(result, DCalibration)
    assert (len(result.counts), result.n, result.events) == (2, 12, 6)


def test_d_calibration_that_is_not_evaluable() -> None:
    assert (
        why(d_calibration([units(9, 4, 40)]))
        == "not evaluable: two bins of 5 expected units need 10 (n = 9 with 4 events)"
    )
    assert why(d_calibration([units(1, 1, 40)])).endswith("(n = 1 with 1 events)")
    assert why(d_calibration([units(200, 0, 40)])) == "not evaluable: no event is left (n = 200 with 0 events)"
    one_time = "not evaluable: curves of one time say too little for two bins (n = 200 with 9 events)"
    assert why(d_calibration([units(200, 9, 1)])) == one_time
    assert "risk only" in why(d_calibration([units(200, 9, 40), (target([(1, True)]), Prediction(risk=np.zeros(1)))]))


def test_units_beyond_the_curve_count_as_followed_until_its_end() -> None:
    """Whether an event beyond the end is seen or not changes nothing: the curve says nothing about it."""
    seen, prediction = units(40, 20, 40)
    late = Survival(np.where(np.arange(40) < 5, 99.0, seen.time), seen.event)
    censored = Survival(late.time, late.event & (late.time < 99))
    one, other = d_calibration([(late, prediction)]), d_calibration([(censored, prediction)])
    assert isinstance(one, DCalibration)
    assert isinstance(other, DCalibration)
    assert (one.p_value, one.beyond, other.beyond) == (other.p_value, 5, 5)
    assert one.counts.tolist() == other.counts.tolist()


def test_nan_is_refused() -> None:
    seen, prediction = units(20, 10, 4)
    survival = np.where(np.arange(20)[:, None] == 3, np.nan, prediction.survival)
    broken = Prediction(risk=prediction.risk, survival=survival, times=prediction.times)
    for function in (d_calibration, lambda folds: survival_calibration(folds, horizon=1.0)):
        with pytest.raises(HeadError, match="NaN or infinite survival for 1 units: 3"):
            function([(seen, broken)])
