"""Evaluating one fold: what reaches a head, and what is refused."""

from pathlib import Path
from typing import Literal

import numpy as np
import pytest

import own_heads
from hiptbench.errors import HeadError, MetricError
from hiptbench.evaluation import compute_metrics, evaluate_split
from hiptbench.heads.base import Head
from hiptbench.predictions import Prediction
from hiptbench.targets import Labels, Survival
from hiptbench.testing import toy_features, toy_task

RECORDERS: list[tuple[Head, Literal["classification", "survival"]]] = [
    (own_heads.RecordingKNN(), "classification"),
    (own_heads.RecordingCox(), "survival"),
]


@pytest.mark.parametrize("part", ["test", "val"])
@pytest.mark.parametrize(("head", "kind"), RECORDERS)
def test_a_head_is_given_train_and_never_the_evaluated_units(
    head: Head, kind: Literal["classification", "survival"], part: Literal["test", "val"], tmp_path: Path
) -> None:
    task = toy_task(kind, evaluate_on=part)
    features = toy_features(task, tmp_path)
    for split in task.splits:
        own_heads.SEEN.clear()
        outcome = evaluate_split(task, split, features, head, seed=1)
        (given,) = own_heads.SEEN
        assert given["train"] == list(split.train)
        assert given["val"] == (list(split.val) if part == "test" else None)
        assert given["target"].rows() == task.targets(split.train).rows()
        assert outcome.units == task.evaluated(split)
        assert not set(outcome.units) & {*given["train"], *(given["val"] or ())}


def test_every_metric_of_the_kind_is_computed() -> None:
    labels = Labels(np.array([0, 1, 1]), ("a", "b"))
    shares = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]])
    assert compute_metrics(labels, Prediction(probabilities=shares)) == {
        "auc": 1.0,
        "accuracy": pytest.approx(2 / 3),
        "balanced_accuracy": 0.75,
    }
    survival = Survival(np.array([1.0, 2.0, 3.0]), np.array([True, False, True]))
    assert compute_metrics(survival, Prediction(risk=np.array([3.0, 5.0, 1.0]))) == {"c_index": 0.5}


def test_a_prediction_of_the_other_kind_is_refused() -> None:
    labels = Labels(np.array([0, 1]), ("a", "b"))
    with pytest.raises(HeadError, match="A survival prediction cannot be scored on Labels"):
        compute_metrics(labels, Prediction(risk=np.array([1.0, 2.0])))
    survival = Survival(np.array([1.0, 2.0]), np.array([True, True]))
    with pytest.raises(HeadError, match="A classification prediction cannot be scored on Survival"):
        compute_metrics(survival, Prediction(probabilities=np.eye(2)))


def test_probabilities_of_another_number_of_classes_are_refused() -> None:
    labels = Labels(np.array([0, 1, 2]), ("a", "b", "c"))
    with pytest.raises(MetricError, match="not a class index"):
        compute_metrics(labels, Prediction(probabilities=np.full((3, 2), 0.5)))
    with pytest.raises(MetricError, match="no unit has class 3"):
        compute_metrics(labels, Prediction(probabilities=np.full((3, 4), 0.25)))
