"""Measures of class probabilities against scikit-learn, by hand, and where they are not defined."""

from typing import Any

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, brier_score_loss, cohen_kappa_score, roc_auc_score

from hiptbench.assessment.classification import assess_classification
from hiptbench.assessment.measures import Measure
from hiptbench.assessment.reliability import ReliabilityBin, reliability_curve
from hiptbench.errors import HeadError, MetricError
from hiptbench.predictions import Prediction
from hiptbench.targets import Labels

TOLERANCE = 1e-9
NAMES = ["auc", "auprc", "balanced_accuracy", "accuracy", "brier", "ece"]


def labelled(values: list[int], n_classes: int) -> Labels:
    return Labels(np.array(values, dtype=np.int64), tuple("abcde"[:n_classes]))


def binary(positive: list[float]) -> Prediction:
    p = np.array(positive)
    return Prediction(probabilities=np.column_stack([1 - p, p]))


def assessed(target: Labels, prediction: Prediction, *, ordinal: bool = False) -> dict[str, Measure]:
    return {measure.name: measure for measure in assess_classification(target, prediction, ordinal=ordinal)}


def values(target: Labels, prediction: Prediction, *, ordinal: bool = False) -> dict[str, float | None]:
    return {name: measure.value for name, measure in assessed(target, prediction, ordinal=ordinal).items()}


def written_out_ece(labels: np.ndarray, probabilities: np.ndarray) -> float:
    total = 0.0
    for number in range(15):
        low, high = number / 15, (number + 1) / 15
        inside = [row for row in range(len(labels)) if low < probabilities[row].max() <= high]
        if inside:
            right = np.mean([probabilities[row].argmax() == labels[row] for row in inside])
            total += len(inside) / len(labels) * abs(right - np.mean([probabilities[row].max() for row in inside]))
    return float(total)


def expect_oracles(labels: np.ndarray, probabilities: np.ndarray, found: dict[str, float | None]) -> None:
    if probabilities.shape[1] == 2:
        positive = probabilities[:, 1]
        expected = {
            "auc": roc_auc_score(labels, positive),
            "auprc": average_precision_score(labels, positive),
            "brier": 2 * brier_score_loss(labels, positive),
        }
    else:
        truth = np.eye(probabilities.shape[1])[labels]
        expected = {
            "auc": roc_auc_score(labels, probabilities, multi_class="ovr"),
            "auprc": average_precision_score(truth, probabilities, average="macro"),
            "brier": brier_score_loss(labels, probabilities, scale_by_half=False),
        }
    expected["ece"] = written_out_ece(labels, probabilities)
    assert {name: found[name] for name in expected} == pytest.approx(expected, abs=TOLERANCE)


@pytest.mark.parametrize(("n", "n_classes", "decimals"), [(40, 2, 8), (40, 2, 1), (60, 3, 8), (60, 3, 1), (200, 5, 2)])
def test_measures_are_those_of_scikit_learn(n: int, n_classes: int, decimals: int) -> None:
    """With one decimal many probabilities are tied, and lie on the edges of bins."""
    rng = np.random.default_rng(n * n_classes + decimals)
    labels = np.arange(n) % n_classes
    shares = rng.dirichlet(np.ones(n_classes), size=n).round(decimals)
    shares[:, 0] = 1 - shares[:, 1:].sum(axis=1)
    expect_oracles(labels, shares, values(labelled(labels.tolist(), n_classes), Prediction(probabilities=shares)))


def test_measures_of_real_folds_are_those_of_scikit_learn(real_folds: list[Any]) -> None:
    folds = [fold for fold in real_folds if isinstance(fold.test, Labels)]
    assert len(folds) == 60
    assert {len(fold.test.classes) for fold in folds} == {2, 3}
    for fold in folds:
        expect_oracles(fold.test.values, fold.prediction.probabilities, values(fold.test, fold.prediction))


def test_measures_by_hand() -> None:
    found = assessed(labelled([0, 1, 1, 0], 2), binary([0.5, 0.75, 0.25, 0.0]))
    assert list(found) == NAMES
    by_hand = {
        "auc": 3 / 4,
        "auprc": (1 + 2 / 3) / 2,
        "balanced_accuracy": 3 / 4,
        "accuracy": 3 / 4,
        "brier": 2 * (0.25 + 0.0625 + 0.5625 + 0) / 4,
        "ece": (abs(1 - 0.5) + abs((1 - 0.75) + (0 - 0.75)) + abs(1 - 1)) / 4,
    }
    assert {name: measure.value for name, measure in found.items()} == pytest.approx(by_hand, abs=TOLERANCE)
    assert found["auprc"].note == "a constant probability gives 0.500"


def test_kappa_only_of_ordinal_classes() -> None:
    labels = [0, 1, 2, 2, 1, 0, 2]
    shares = np.random.default_rng(0).dirichlet(np.ones(3), size=7)
    target, prediction = labelled(labels, 3), Prediction(probabilities=shares)
    assert "qwk" not in values(target, prediction)
    expected = cohen_kappa_score(labels, shares.argmax(axis=1), weights="quadratic")
    assert values(target, prediction, ordinal=True)["qwk"] == pytest.approx(expected, abs=TOLERANCE)


def test_kappa_counts_classes_that_do_not_occur() -> None:
    """Grades 0 and 2 confused are two steps apart, whether or not a unit has grade 1."""
    shares = np.eye(3)[[0, 2, 0, 2, 2]]
    found = values(labelled([0, 2, 2, 2, 0], 3), Prediction(probabilities=shares), ordinal=True)
    assert found["qwk"] == pytest.approx(cohen_kappa_score([0, 1, 1, 1, 0], [0, 1, 0, 1, 1]), abs=TOLERANCE)


def test_an_absent_class_is_named() -> None:
    target, prediction = labelled([0, 2, 0], 3), Prediction(probabilities=np.eye(3)[[0, 2, 1]])
    found = assessed(target, prediction)
    for name in ("auc", "auprc", "balanced_accuracy"):
        assert (found[name].value, found[name].why) == (None, "no unit of class b among 3 units")
    assert found["accuracy"].value == pytest.approx(2 / 3)
    assert found["brier"].value == pytest.approx(2 / 3)


def test_a_single_unit() -> None:
    found = assessed(labelled([1], 2), binary([0.75]), ordinal=True)
    assert {name for name, measure in found.items() if measure.why} == {"auc", "auprc", "balanced_accuracy", "qwk"}
    assert found["qwk"].why == "every unit has, and is predicted to have, class b: chance cannot disagree"
    assert (found["accuracy"].value, found["brier"].value, found["ece"].value) == (1.0, 0.125, 0.25)


def test_no_unit() -> None:
    found = assessed(labelled([], 2), Prediction(probabilities=np.empty((0, 2))), ordinal=True)
    assert {name: measure.why for name, measure in found.items()} == {
        **dict.fromkeys(["auc", "auprc", "balanced_accuracy"], "no unit of class a, b among 0 units"),
        **dict.fromkeys(["accuracy", "brier", "ece", "qwk"], "no unit was evaluated"),
    }


def test_a_constant_probability_is_measured_and_noted() -> None:
    found = assessed(labelled([0, 1, 1], 2), binary([0.75] * 3))
    assert (found["auc"].value, found["auc"].note) == (0.5, "every unit has the same probabilities")
    assert found["auprc"].value == pytest.approx(2 / 3)
    assert found["auprc"].note == "a constant probability gives 0.667"
    assert found["ece"].value == pytest.approx(0.75 - 2 / 3)


@pytest.mark.parametrize(
    ("prediction", "error", "problem"),
    [
        (binary([0.5, float("nan")]), HeadError, "NaN or infinite probabilities for 1 units: 1"),
        (binary([0.5]), HeadError, "1 rows of probabilities for 2 units"),
        (Prediction(risk=np.zeros(2)), HeadError, "for a survival task where the task is classification"),
        (Prediction(probabilities=np.eye(3)[:2]), MetricError, "3 columns, and there are 2 classes: a, b"),
        (Prediction(probabilities=np.full((2, 2), 0.6)), MetricError, "normalise each row"),
    ],
)
def test_broken_predictions_are_refused(prediction: Prediction, error: type[Exception], problem: str) -> None:
    with pytest.raises(error, match=problem):
        assess_classification(labelled([0, 1], 2), prediction)


def test_reliability_by_hand() -> None:
    shares = binary([0.0, 0.1, 0.1000001, 0.55, 0.6, 1.0]).probabilities
    assert shares is not None
    curve = reliability_curve(labelled([0, 1, 0, 1, 0, 1], 2), shares, 1)
    assert [(one.n, one.share) for one in curve] == [(2, 0.5), (1, 0.0), (2, 0.5), (1, 1.0)]
    assert [one.probability for one in curve] == pytest.approx([0.05, 0.1000001, 0.575, 1.0])
    assert [one.low for one in curve] == pytest.approx([0, 0.1, 0.5, 0.9])
    assert [one.high for one in curve] == pytest.approx([0.1, 0.2, 0.6, 1.0])


def test_reliability_of_a_constant_probability_is_one_bin() -> None:
    (only,) = reliability_curve(labelled([0, 0, 1, 1], 2), np.full((4, 2), 0.5), 0)
    assert only == ReliabilityBin(low=0.4, high=0.5, probability=0.5, share=0.5, n=4)


def test_reliability_needs_units_and_a_class() -> None:
    with pytest.raises(MetricError, match="not defined on 0 units"):
        reliability_curve(labelled([], 2), np.empty((0, 2)), 1)
    with pytest.raises(MetricError, match="no class 2: indices go from 0 to 1"):
        reliability_curve(labelled([0], 2), np.array([[0.5, 0.5]]), 2)
    with pytest.raises(MetricError, match="is nan, not finite"):
        reliability_curve(labelled([0], 2), np.array([[np.nan, 0.5]]), 1)
