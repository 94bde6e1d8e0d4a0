"""Metrics against other tools (tests/oracles), against their own algebra, and on published figures."""

import dataclasses
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jaxtyping
import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hiptbench import metrics
from hiptbench.errors import MetricError, UnknownNameError

ORACLES = Path(__file__).parent / "oracles"
TOLERANCE = 1e-12
KIRP_PAIRS = [220, 228, 231, 205, 210]  # published val_cindex x these is an integer, per fold


def oracle(name: str) -> list[Any]:
    cases = json.loads((ORACLES / name).read_text(encoding="utf-8"))["cases"]
    return [pytest.param(case, id=case["name"]) for case in cases]


def binary(p: Any) -> np.ndarray:
    positive = np.asarray(p, float)
    return np.column_stack([1 - positive, positive])


def survival(rows: list[tuple[float, bool, float]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    time, event, risk = zip(*rows, strict=True)
    return np.array(time, float), np.array(event, bool), np.array(risk, float)


@pytest.fixture
def unchecked_shapes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Users run without the shape checks of the tests; see what they see."""
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)


# Oracles


@pytest.mark.parametrize("case", oracle("classification_metrics.json"))
def test_classification_metrics_are_those_of_other_tools(case: dict[str, Any]) -> None:
    labels, probabilities = np.array(case["labels"]), np.array(case["probabilities"])
    auc = metrics.auc(labels, probabilities)
    balanced = metrics.balanced_accuracy(labels, probabilities)
    assert auc == pytest.approx(case["auc_pairs"], abs=TOLERANCE)
    assert auc == pytest.approx(case["auc_scipy"], abs=TOLERANCE)
    assert metrics.accuracy(labels, probabilities) == pytest.approx(case["accuracy_count"], abs=TOLERANCE)
    assert balanced == pytest.approx(case["balanced_accuracy_count"], abs=TOLERANCE)
    assert balanced == pytest.approx(case["balanced_accuracy_sklearn"], abs=TOLERANCE)


@pytest.mark.parametrize("case", oracle("c_index.json"))
def test_c_index_is_that_of_other_tools(case: dict[str, Any]) -> None:
    time, event, risk = np.array(case["time"]), np.array(case["event"]), np.array(case["risk"])
    value = metrics.c_index(time, event, risk)
    assert value == pytest.approx(case["c_index_pairs"], abs=TOLERANCE)
    assert metrics.comparable_pairs(time, event) == case["comparable_pairs"]
    agrees = value == pytest.approx(case["c_index_lifelines"], abs=TOLERANCE)
    assert agrees is not case["unequal_risks_within_tolerance"]  # the one rule in which lifelines differs


# Properties

GRID = st.integers(0, 20)
SCORED = st.lists(st.tuples(st.integers(0, 1), GRID), min_size=2, max_size=30).filter(
    lambda rows: len({label for label, _ in rows}) == 2
)
FOLLOWED = st.lists(st.tuples(st.integers(0, 6), st.booleans(), st.integers(-4, 4)), min_size=2, max_size=20)
SLOW_FIRST_IMPORT = settings(deadline=None)


@SLOW_FIRST_IMPORT
@given(SCORED)
def test_auc_sees_only_the_order_and_flips_with_the_labels(rows: list[tuple[int, int]]) -> None:
    labels, grid = np.array(rows).T
    p = grid / 20
    value = metrics.auc(labels, binary(p))
    assert metrics.auc(labels, binary(p**3 / 2)) == pytest.approx(value, abs=TOLERANCE)
    assert metrics.auc(1 - labels, binary(p)) == pytest.approx(1 - value, abs=TOLERANCE)
    assert metrics.auc(1 - labels, binary(1 - p)) == pytest.approx(value, abs=TOLERANCE)


@SLOW_FIRST_IMPORT
@given(SCORED, st.randoms(use_true_random=False))
def test_classification_metrics_ignore_the_order_of_units(rows: list[tuple[int, int]], random: Any) -> None:
    shuffled = random.sample(rows, len(rows))
    for metric in (metrics.auc, metrics.accuracy, metrics.balanced_accuracy):
        values = [metric(np.array(r)[:, 0], binary(np.array(r)[:, 1] / 20)) for r in (rows, shuffled)]
        assert values[0] == pytest.approx(values[1], abs=TOLERANCE)


@SLOW_FIRST_IMPORT
@given(FOLLOWED, st.randoms(use_true_random=False))
def test_c_index_flips_with_the_risk_and_ignores_the_order_of_units(
    rows: list[tuple[int, bool, int]], random: Any
) -> None:
    time, event, risk = survival(rows)
    assume(metrics.comparable_pairs(time, event) > 0)
    value = metrics.c_index(time, event, risk)
    assert metrics.c_index(time, event, -risk) == pytest.approx(1 - value, abs=TOLERANCE)
    assert metrics.c_index(time, event, risk**3 + 7) == pytest.approx(value, abs=TOLERANCE)
    assert metrics.c_index(*survival(random.sample(rows, len(rows)))) == pytest.approx(value, abs=TOLERANCE)


@SLOW_FIRST_IMPORT
@given(FOLLOWED)
def test_comparable_pairs_are_those_that_scikit_survival_counts(rows: list[tuple[int, bool, int]]) -> None:
    from sksurv.metrics import concordance_index_censored

    time, event, risk = survival(rows)
    pairs = metrics.comparable_pairs(time, event)
    assume(pairs > 0)
    _, concordant, discordant, tied_risk, _ = concordance_index_censored(event, time, risk)
    assert pairs == concordant + discordant + tied_risk


@SLOW_FIRST_IMPORT
@given(FOLLOWED)
def test_comparable_pairs_are_zero_exactly_where_the_c_index_is_undefined(
    rows: list[tuple[int, bool, int]],
) -> None:
    time, event, risk = survival(rows)
    if metrics.comparable_pairs(time, event):
        assert 0 <= metrics.c_index(time, event, risk) <= 1
    else:
        with pytest.raises(MetricError, match="no pair is comparable"):
            metrics.c_index(time, event, risk)


# Rules


def test_a_tied_prediction_is_the_lowest_class() -> None:
    probabilities = np.array([[0.4, 0.4, 0.2], [0.2, 0.4, 0.4], [0.25, 0.25, 0.5], [0.2, 0.4, 0.4]])
    assert metrics.accuracy(np.array([0, 1, 2, 2]), probabilities) == 0.75
    assert metrics.balanced_accuracy(np.array([0, 1, 2, 2]), probabilities) == pytest.approx(5 / 6)


def test_accuracy_needs_no_unit_of_every_class() -> None:
    assert metrics.accuracy(np.array([1, 1]), binary([0.9, 0.2])) == 0.5


def test_higher_risk_means_shorter_time() -> None:
    assert metrics.c_index(*survival([(1, True, 9.0), (2, True, 5.0), (3, False, 1.0)])) == 1.0


def test_binary_auc_is_that_of_the_class_1_column() -> None:
    rounded_away_in_class_0 = np.array([[1.0, 1e-20], [1.0, 2e-20]])
    assert metrics.auc(np.array([0, 1]), rounded_away_in_class_0) == 1.0


def test_float32_probabilities_give_the_auc_of_the_same_numbers_in_float64() -> None:
    rng = np.random.default_rng(0)
    odds = np.exp(rng.normal(size=(200, 4)).astype(np.float32))
    narrow = odds / odds.sum(axis=1, keepdims=True)
    labels = rng.integers(0, 4, 200)
    assert narrow.dtype == np.float32
    assert metrics.auc(labels, narrow) == metrics.auc(labels, narrow.astype(np.float64))


def test_float32_risks_meet_the_tolerance_unrounded() -> None:
    apart = np.array([1e-8, -1e-16], dtype=np.float32)  # their float32 difference is the float32 of 1e-8: a tie
    assert metrics.c_index(np.array([1.0, 2.0]), np.array([True, False]), apart) == 1.0


# Errors


@pytest.mark.parametrize("metric", [metrics.auc, metrics.balanced_accuracy])
@pytest.mark.parametrize(
    ("labels", "n_classes", "message"),
    [
        ([0, 0, 2], 3, r"no unit has class 1 \(units per class: 0: 2, 1: 0, 2: 1\)"),
        ([1, 1], 2, r"no unit has class 0 \(units per class: 0: 0, 1: 2\)"),
        ([], 2, r"no unit has class 0, 1 \(units per class: 0: 0, 1: 0\)"),
    ],
)
def test_an_absent_class_is_an_error(metric: Any, labels: list[int], n_classes: int, message: str) -> None:
    probabilities = np.full((len(labels), n_classes), 1 / n_classes)
    with pytest.raises(MetricError, match=f"{metric.__name__} is not defined: {message}"):
        metric(np.array(labels, dtype=np.int64), probabilities)


def test_accuracy_of_nothing_is_an_error() -> None:
    with pytest.raises(MetricError, match="accuracy is not defined on 0 units"):
        metrics.accuracy(np.array([], dtype=np.int64), np.empty((0, 2)))


@pytest.mark.parametrize("metric", [metrics.auc, metrics.accuracy, metrics.balanced_accuracy])
@pytest.mark.parametrize(
    ("labels", "probabilities", "message"),
    [
        ([0, 1], [[0.5, 0.5], [0.5, np.nan]], r"probabilities\[1, 1\] is nan, not finite"),
        ([0, 1], [[2.5, -1.5], [0.5, 0.5]], r"probabilities\[0, 0\] is 2\.5, outside \[0, 1\]; .*not logits"),
        ([0, 1], [[-0.5, 1.5], [0.5, 0.5]], r"probabilities\[0, 0\] is -0\.5, outside \[0, 1\]"),
        ([0, 1], [[0.5, 0.5], [0.5, 0.25]], r"sum over classes of probabilities\[1\] is 0\.75, not 1 within"),
        ([0, 1], [[1.0], [1.0]], r"shape \(2, 1\), not \[n, k\] with k >= 2. Give one column per class"),
        ([0, 2], [[0.5, 0.5], [0.5, 0.5]], r"labels\[1\] is 2, not a class index from 0 to 1"),
        ([-1, 1], [[0.5, 0.5], [0.5, 0.5]], r"labels\[0\] is -1, not a class index from 0 to 1"),
    ],
)
def test_what_is_not_labels_and_probabilities_is_an_error(
    metric: Any, labels: list[int], probabilities: list[list[float]], message: str
) -> None:
    with pytest.raises(MetricError, match=message):
        metric(np.array(labels), np.array(probabilities))


@pytest.mark.parametrize("slack", [-9e-7, 9e-7])
def test_probabilities_may_miss_their_sum_by_rounding(slack: float) -> None:
    assert metrics.accuracy(np.array([1]), np.array([[0.0, 1.0 + slack]])) == 1.0


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([(1, False, 0.1), (2, False, 0.2)], "no pair is comparable among n = 2 units with 0 events"),
        ([(1, False, 0.1), (2, True, 0.2)], "no pair is comparable among n = 2 units with 1 events"),
        ([(2, True, 0.1), (2, True, 0.2)], "no pair is comparable among n = 2 units with 2 events"),
        ([(1, True, 0.1)], "no pair is comparable among n = 1 units with 1 events"),
        ([(1, True, 0.1), (2, True, np.nan), (3, True, np.nan)], r"risk\[1\] is nan, not finite"),
        ([(1, True, 0.1), (2, True, np.inf)], r"risk\[1\] is inf, not finite"),
        ([(np.nan, True, 0.1), (2, True, 0.2)], r"time\[0\] is nan, not finite"),
    ],
)
def test_an_undefined_c_index_is_an_error(rows: list[tuple[float, bool, float]], message: str) -> None:
    with pytest.raises(MetricError, match=message):
        metrics.c_index(*survival(rows))


@pytest.mark.usefixtures("unchecked_shapes")
def test_arrays_of_other_shapes_are_an_error() -> None:
    two, three = np.array([0, 1]), np.array([1.0, 2.0, 3.0])
    with pytest.raises(MetricError, match=r"got labels \(2,\), probabilities \(3,\)\. Give one value per unit"):
        metrics.auc(two, binary([0.1, 0.2, 0.3]))
    with pytest.raises(MetricError, match=r"probabilities have shape \(2,\), not \[n, k\]"):
        metrics.auc(two, np.array([0.1, 0.2]))
    with pytest.raises(MetricError, match=r"got labels \(2, 1\), probabilities \(2,\)"):
        metrics.accuracy(two[:, None], binary([0.1, 0.2]))
    with pytest.raises(MetricError, match=r"got time \(3,\), event \(3,\), risk \(3, 1\)"):
        metrics.c_index(three, three > 1, three[:, None])
    with pytest.raises(MetricError, match=r"got time \(3,\), event \(2,\)"):
        metrics.comparable_pairs(three, two > 0)


@pytest.mark.usefixtures("unchecked_shapes")
def test_an_event_that_is_not_a_bool_is_an_error() -> None:
    with pytest.raises(MetricError, match=r"event has dtype int64, not bool\. Give True where"):
        metrics.c_index(np.array([1.0, 2.0]), np.array([1, 0]), np.array([0.1, 0.2]))


# The table of metrics


def test_every_metric_is_a_function_with_a_definition() -> None:
    assert set(metrics.METRICS) == {"auc", "accuracy", "balanced_accuracy", "c_index"}
    for name, metric in metrics.METRICS.items():
        assert metric.name == name
        assert callable(getattr(metrics, name))
        assert metric.direction == "higher is better"
        assert "tie" in metrics.definition_of(name)
        assert metrics.definition_of(name).count(".") == 1


def test_the_table_cannot_be_changed() -> None:
    with pytest.raises(TypeError, match="item assignment"):
        metrics.METRICS["auc"] = metrics.METRICS["accuracy"]  # type: ignore[index]
    with pytest.raises(dataclasses.FrozenInstanceError, match="direction"):
        metrics.METRICS["auc"].direction = "lower is better"  # type: ignore[misc]


def test_an_unknown_metric_is_named_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match=r"no metric 'cindex'\. Did you mean 'c_index'\?.*balanced_accuracy"):
        metrics.definition_of("cindex")


def test_importing_the_module_imports_no_library_that_computes() -> None:
    heavy = {"sklearn", "sksurv", "scipy", "pandas", "torch"}
    code = f"import sys, hiptbench.metrics; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


# Published figures


def kirp_cases(real_data: Path) -> pd.DataFrame:
    """Time and event of the TCGA-KIRP cases that have a slide among the released embeddings."""
    embedded = pd.read_csv(
        real_data / "HIPT/3-Self-Supervised-Eval/embeddings_slide_lib/embeddings_slide_lib/tcga_wsi_labels.csv"
    )
    slides = pd.read_csv(
        real_data / "PORPOISE/datasets_csv_mutsig/tcga_kirp_all_clean.csv.zip",
        compression="zip",
        usecols=["case_id", "slide_id", "survival_months", "censorship"],
    )
    ids = set(embedded["slide_id"].str.removesuffix(".pt"))
    used = slides[slides["slide_id"].str.removesuffix(".svs").isin(ids)]
    return used.drop_duplicates("case_id").set_index("case_id")


def test_comparable_pairs_are_the_published_denominators(real_data: Path) -> None:
    cases = kirp_cases(real_data)
    study = real_data / "HIPT/2-Weakly-Supervised-Survival"
    published = sorted((study / "results_2022_surv/5foldcv").glob("*/tcga_kirp_*/summary_latest.csv"))
    pairs = []
    for fold in range(5):
        val = pd.read_csv(study / f"splits/5foldcv/tcga_kirp/splits_{fold}.csv")["val"].dropna()
        used = cases.loc[cases.index.isin(val)]
        time, event = used["survival_months"].to_numpy(float), (used["censorship"] == 0).to_numpy()
        pairs.append(metrics.comparable_pairs(time, event))
    assert pairs == KIRP_PAIRS
    assert len(published) == 5
    for summary in published:
        concordant = pd.read_csv(summary)["val_cindex"].to_numpy() * pairs
        np.testing.assert_allclose(concordant, concordant.round(), rtol=0, atol=1e-9)
