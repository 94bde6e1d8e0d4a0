"""Evaluating one fold: what reaches a head, and what is refused."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest

import own_heads
from hiptbench.errors import HeadError, MetricError
from hiptbench.evaluation import compute_metrics, evaluate_split
from hiptbench.heads.base import Bags, Head
from hiptbench.heads.mil import MIL, FittedMIL
from hiptbench.predictions import Prediction
from hiptbench.sources.own import make_folds
from hiptbench.splits import Split
from hiptbench.targets import Labels, Survival, Target
from hiptbench.tasks import SlideRow, Task
from hiptbench.testing import assert_same, permute_evaluated, toy_features, toy_task

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


@dataclass(frozen=True, kw_only=True)
class RecordingMIL(MIL):
    def fit(self, bags: Bags, target: Target, **rest: Any) -> FittedMIL:
        own_heads.record(bags, target, rest["val"])
        return super().fit(bags, target, **rest)


SELECTING = RecordingMIL(model="mean", overrides={"epochs": 3, "inner_val": 0.25, "learning_rate": 0.01}, device="cpu")


def paired_task(kind: Literal["classification", "survival"], part: Literal["test", "val"]) -> Task:
    """A task with two slides a patient and folds that keep patients whole."""
    toy = toy_task(kind, evaluate_on=part, cases=80)
    rng = np.random.default_rng(0)
    rows = [
        SlideRow(unit, f"patient{i // 2}", f"class{i // 2 % 2}")
        if kind == "classification"
        else SlideRow(unit, f"patient{i // 2}", time=float(rng.exponential(30)), event=bool(rng.random() < 0.6))
        for i, unit in enumerate(toy.units)
    ]
    whole = make_folds(Task.build(toy.spec, rows, []), folds=2, seed=0)
    split = whole[0]
    if part == "val":
        return Task.build(toy.spec, rows, [Split(0, split.train, split.test, ())])
    return Task.build(toy.spec, rows, [Split(0, split.train[8:], split.train[:8], split.test)])


@pytest.mark.parametrize("part", ["test", "val"])
@pytest.mark.parametrize("kind", ["classification", "survival"])
def test_a_head_that_selects_is_given_patients_held_out_of_train(
    kind: Literal["classification", "survival"], part: Literal["test", "val"], tmp_path: Path
) -> None:
    task = paired_task(kind, part)
    (split,) = task.splits
    own_heads.SEEN.clear()
    outcome = evaluate_split(task, split, toy_features(task, tmp_path), SELECTING, seed=1)
    (given,) = own_heads.SEEN
    assert sorted(given["train"] + given["val"]) == sorted(split.train), "the published val part is not used"
    assert given["target"].rows() == task.targets(given["train"]).rows()
    fitted, held, evaluated = ({task.case(u) for u in part} for part in (given["train"], given["val"], outcome.units))
    assert not held & fitted
    assert not evaluated & (held | fitted)
    assert len(held) == round(0.25 * len(held | fitted))
    assert [set(measured) for measured in outcome.fitted.history] == [{"epoch", "loss", "val_loss"}] * 3


@pytest.mark.parametrize("part", ["test", "val"])
@pytest.mark.parametrize("kind", ["classification", "survival"])
def test_what_a_selecting_head_predicts_depends_on_no_evaluated_label(
    kind: Literal["classification", "survival"], part: Literal["test", "val"], tmp_path: Path
) -> None:
    task = paired_task(kind, part)
    (split,) = task.splits
    features = toy_features(task, tmp_path)
    permuted = permute_evaluated(task, split)
    before, after = (evaluate_split(t, split, features, SELECTING, seed=1) for t in (task, permuted))
    assert before.metrics != after.metrics
    assert_same(before.prediction, after.prediction, "labels leaked")


def test_another_seed_holds_out_other_patients(tmp_path: Path) -> None:
    task = paired_task("classification", "test")
    features = toy_features(task, tmp_path)
    own_heads.SEEN.clear()
    for seed in (1, 2):
        evaluate_split(task, task.splits[0], features, SELECTING, seed=seed)
    assert own_heads.SEEN[0]["val"] != own_heads.SEEN[1]["val"]


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
