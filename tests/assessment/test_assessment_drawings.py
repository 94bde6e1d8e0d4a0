"""What the page draws of folds: mean ROC curves, and Kaplan-Meier curves of two risk groups."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lifelines import KaplanMeierFitter
from lifelines.statistics import logrank_test
from sklearn.metrics import roc_auc_score
from survival_references import target

from hiptbench.assessment.groups import OWN_MEDIAN, TRAINING_MEDIAN, RiskGroups, kaplan_meier_groups
from hiptbench.assessment.kaplan_meier import kaplan_meier
from hiptbench.assessment.measures import NotEvaluable
from hiptbench.assessment.roc import MeanRoc, mean_roc
from hiptbench.errors import HeadError, MetricError
from hiptbench.targets import Survival

# ROC


def scored(labels: list[int], positive: list[float]) -> tuple[np.ndarray, np.ndarray]:
    p = np.array(positive)
    return np.array(labels, dtype=np.int64), np.column_stack([1 - p, p])


def test_vertical_averaging_by_hand() -> None:
    """The first fold separates perfectly; the second finds half, then one false positive of two, then the rest."""
    perfect = scored([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9])
    half = scored([0, 0, 1, 1], [0.1, 0.7, 0.6, 0.9])
    (roc,) = mean_roc([perfect, half])
    assert isinstance(roc, MeanRoc)
    assert (roc.of_class, roc.folds, len(roc.fpr)) == (1, 2, 101)
    second = np.where(roc.fpr < 0.5, 0.5, 1.0)
    assert roc.tpr == pytest.approx((1 + second) / 2)
    assert roc.sd == pytest.approx((1 - second) / np.sqrt(2))
    assert roc.low == pytest.approx(second + 0.025 * (1 - second))
    assert roc.high == pytest.approx(second + 0.975 * (1 - second))


def test_tied_scores_are_a_straight_line() -> None:
    (roc,) = mean_roc([scored([0, 1, 0, 1], [0.5] * 4)])
    assert isinstance(roc, MeanRoc)
    assert roc.tpr == pytest.approx(roc.fpr)
    assert (roc.sd, roc.low, roc.high) == (None, None, None)


@settings(deadline=None)
@given(rows=st.lists(st.tuples(st.integers(0, 1), st.integers(0, 9)), min_size=2, max_size=30))
def test_the_area_below_is_the_auc(rows: list[tuple[int, int]]) -> None:
    """Within what the grid can blur: a jump lies within one step of it."""
    labels, positive = zip(*rows, strict=True)
    if len(set(labels)) < 2:
        return
    fold = scored(list(labels), [value / 10 for value in positive])
    (roc,) = mean_roc([fold])
    assert isinstance(roc, MeanRoc)
    assert np.trapezoid(roc.tpr, roc.fpr) == pytest.approx(roc_auc_score(labels, positive), abs=0.0101)
    assert (np.diff(roc.tpr) >= 0).all()
    assert roc.tpr[-1] == 1


def test_one_curve_a_class() -> None:
    rng = np.random.default_rng(0)
    folds = [(np.arange(30) % 3, rng.dirichlet(np.ones(3), size=30)) for _ in range(4)]
    rocs = mean_roc(folds)
    assert [roc.of_class for roc in rocs if isinstance(roc, MeanRoc)] == [0, 1, 2]
    first = mean_roc([((labels == 2).astype(int), np.column_stack([1 - p[:, 2], p[:, 2]])) for labels, p in folds])[0]
    assert isinstance(first, MeanRoc)
    assert isinstance(rocs[2], MeanRoc)
    assert first.tpr.tolist() == rocs[2].tpr.tolist()


def test_a_fold_without_a_class_leaves_no_mean_of_the_others() -> None:
    whole, lacking = (np.array([0, 1, 2]), np.eye(3)), (np.array([0, 0, 1]), np.eye(3))
    assert mean_roc([whole, lacking])[2] == NotEvaluable("fold 1 of 2 (from 0) has no unit of class 2")
    assert isinstance(mean_roc([whole, lacking])[0], MeanRoc)
    assert mean_roc([scored([1, 1], [0.5, 0.6])]) == (NotEvaluable("fold 0 of 1 (from 0) has only units of class 1"),)
    assert mean_roc([scored([0], [0.5])]) == (NotEvaluable("fold 0 of 1 (from 0) has no unit of class 1"),)


def test_what_has_no_roc_is_refused() -> None:
    with pytest.raises(MetricError, match="No fold was given"):
        mean_roc([])
    with pytest.raises(MetricError, match=r"different numbers of classes: \[2, 3\]"):
        mean_roc([scored([0, 1], [0.1, 0.2]), (np.array([0, 1, 2]), np.eye(3))])
    with pytest.raises(MetricError, match=r"probabilities\[0, 0\] is nan"):
        mean_roc([scored([0, 1], [float("nan"), 0.2])])


# Risk groups


def random_fold(seed: int, n: int) -> tuple[Survival, np.ndarray]:
    rng = np.random.default_rng(seed)
    risk = rng.normal(size=n)
    lifetime, until = rng.exponential(20 / np.exp(risk)), rng.exponential(30, size=n)
    return Survival(np.minimum(lifetime, until).round(), lifetime <= until), risk


def test_groups_are_those_of_lifelines() -> None:
    folds = [random_fold(seed, 60) for seed in range(3)]
    groups = kaplan_meier_groups([(0.2, seen, risk) for seen, risk in folds])
    time = np.concatenate([seen.time for seen, _ in folds])
    event = np.concatenate([seen.event for seen, _ in folds])
    above = np.concatenate([risk > 0.2 for _, risk in folds])
    assert groups.cut == TRAINING_MEDIAN
    test = logrank_test(time[above], time[~above], event[above], event[~above])
    assert groups.log_rank.value == pytest.approx(test.p_value, abs=1e-9)
    assert groups.log_rank.note == "descriptive"
    for group, members in ((groups.high, above), (groups.low, ~above)):
        assert group is not None
        assert (group.n, group.events) == (members.sum(), event[members].sum())
        fitted = KaplanMeierFitter().fit(time[members], event[members])
        months = np.arange(np.floor(time[members].max()) + 1)
        assert group.curve.times.tolist() == months.tolist()
        assert group.curve.survival == pytest.approx(fitted.survival_function_at_times(months).to_numpy(), abs=1e-9)
        assert group.at_risk.tolist() == [(time[members] >= month).sum() for month in group.count_times]
    assert groups.high is not None
    assert groups.low is not None
    assert groups.high.count_times.tolist() == groups.low.count_times.tolist()
    assert 2 <= len(groups.low.count_times) <= 6
    assert groups.low.count_times[1] % 12 == 0


def test_the_interval_is_that_of_lifelines() -> None:
    seen, _ = random_fold(5, 50)
    curve = kaplan_meier(seen)
    fitted = KaplanMeierFitter().fit(seen.time, seen.event).confidence_interval_survival_function_
    inside = (curve.survival < 1) & (curve.survival > 0)
    expected = fitted.loc[curve.times[inside]].to_numpy()
    assert np.column_stack([curve.low, curve.high])[inside] == pytest.approx(expected, abs=1e-9)


def test_a_kaplan_meier_curve_is_not_known_beyond_its_end() -> None:
    curve = kaplan_meier(target([(2, True), (5, False)]))
    assert curve.at(np.array([0.0, 1.9, 2.0, 5.0])).survival.tolist() == [1.0, 1.0, 0.5, 0.5]
    with pytest.raises(MetricError, match="ends at 5 months and is not known at 6"):
        curve.at(np.array([1.0, 6.0]))


def test_each_fold_has_its_own_cut() -> None:
    """Risks of different models are on different scales; one cut for all would separate the models."""
    seen = target([(1, True), (2, True), (3, False), (4, False)])
    risk = np.array([3.0, 2.0, 1.0, 0.0])
    for thresholds in ((None, None), (1.5, 101.5)):
        groups = kaplan_meier_groups([(thresholds[0], seen, risk), (thresholds[1], seen, risk + 100)])
        assert groups.high is not None
        assert groups.low is not None
        assert (groups.high.events, groups.low.events) == (4, 0)
        assert groups.cut == (OWN_MEDIAN if thresholds[0] is None else TRAINING_MEDIAN)


def test_a_risk_at_the_cut_is_low() -> None:
    groups = kaplan_meier_groups([(None, target([(1, True), (2, True), (3, True)]), np.array([2.0, 1.0, 0.0]))])
    assert groups.high is not None
    assert groups.low is not None
    assert (groups.high.n, groups.low.n) == (1, 2)


def only(groups: RiskGroups) -> tuple[bool, bool, str | None]:
    return groups.high is not None, groups.low is not None, groups.log_rank.why


def test_an_empty_group_is_a_reason() -> None:
    seen = target([(1, True), (2, False)])
    low = "every unit is of low risk (n = 2 with 1 events)"
    assert only(kaplan_meier_groups([(None, seen, np.zeros(2))])) == (False, True, low)
    assert only(kaplan_meier_groups([(5.0, seen, np.arange(2.0))])) == (False, True, low)
    assert only(kaplan_meier_groups([(-5.0, seen, np.arange(2.0))]))[:2] == (True, False)
    assert only(kaplan_meier_groups([(None, target([(1, True)]), np.zeros(1))]))[:2] == (False, True)
    assert only(kaplan_meier_groups([(None, target([]), np.empty(0))]))[:2] == (False, False)


def test_a_log_rank_test_that_cannot_be_made_is_a_reason() -> None:
    risk = np.array([1.0, 1.0, 0.0, 0.0])
    no_event = target([(1, False), (2, False), (3, False), (4, False)])
    late = target([(1, False), (2, False), (3, True), (4, True)])
    at_once = target([(3, True), (3, True), (3, True), (3, True)])
    for seen in (no_event, late, at_once):
        high, low, reason = only(kaplan_meier_groups([(0.5, seen, risk)]))
        assert (high, low) == (True, True)
        assert reason is not None
        assert reason.startswith("no event while units of both groups are at risk (n = 4 with")


def test_one_event_has_a_log_rank_test() -> None:
    seen = target([(1, True), (2, False), (3, False), (4, False)])
    groups = kaplan_meier_groups([(0.5, seen, np.array([1.0, 1.0, 0.0, 0.0]))])
    expected = logrank_test([1, 2], [3, 4], [1, 0], [0, 0]).p_value
    assert groups.log_rank.value == pytest.approx(expected, abs=1e-9)


def test_broken_folds_are_refused() -> None:
    seen, risk = target([(1, True), (2, False)]), np.array([1.0, 0.0])
    with pytest.raises(MetricError, match="No fold was given"):
        kaplan_meier_groups([])
    with pytest.raises(MetricError, match="1 of 2 folds have a training median"):
        kaplan_meier_groups([(None, seen, risk), (0.5, seen, risk)])
    with pytest.raises(MetricError, match=r"training medians are \[nan\]"):
        kaplan_meier_groups([(float("nan"), seen, risk)])
    with pytest.raises(HeadError, match="NaN or infinite risk for 1 units: 1"):
        kaplan_meier_groups([(None, seen, np.array([1.0, np.nan]))])
    with pytest.raises(HeadError, match="1 rows of risk for 2 units"):
        kaplan_meier_groups([(None, seen, np.array([1.0]))])
