"""Evaluate one fold: fit on its training units, predict the evaluated ones, compute the metrics."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hiptbench import metrics
from hiptbench.errors import HeadError
from hiptbench.features import FeatureSet
from hiptbench.fractions import hold_out
from hiptbench.heads.base import Bags, Fitted, Head, OnEpoch, TrainedHead, resolve
from hiptbench.predictions import Prediction
from hiptbench.splits import Split
from hiptbench.targets import Labels, Target
from hiptbench.tasks import Task


@dataclass(frozen=True, eq=False)
class Evaluation:
    """One fold's outcome: who was evaluated, what was true, what was predicted, and the metrics."""

    units: tuple[str, ...]
    target: Target
    prediction: Prediction
    metrics: Mapping[str, float]
    fitted: Fitted


def evaluate_split(
    task: Task, split: Split, features: FeatureSet, head: Head, *, seed: int, on_epoch: OnEpoch | None = None
) -> Evaluation:
    """Fit a head on a split's training units and evaluate it.

    The evaluated units' labels never reach ``fit``: where the task is evaluated on val, val is not passed. A trained
    head is passed patients held out of the training part if it selects; the split's val may share patients with it.

    Args:
        task: The task.
        split: One of its splits, perhaps with a smaller training part.
        features: Features of every slide.
        head: The head to fit.
        seed: Makes everything random in the fit.
        on_epoch: Called after each epoch of an iterative fit.

    Raises:
        HeadError: If the head fails or predicts what no number may be computed from.
        MetricError: If a metric is not defined on the evaluated part.
    """
    head = resolve(head, task.spec)
    train, val = _parts(task, split, head, seed)
    fitted = head.fit(
        _bags(task, features, train),
        task.targets(train),
        val=(_bags(task, features, val), task.targets(val)) if val else None,
        seed=seed,
        on_epoch=on_epoch,
    )
    units = task.evaluated(split)
    prediction = fitted.predict(_bags(task, features, units))
    prediction.check(units, task.spec.kind)
    target = task.targets(units)
    return Evaluation(units, target, prediction, compute_metrics(target, prediction), fitted)


def compute_metrics(target: Target, prediction: Prediction) -> dict[str, float]:
    """Return every metric that the kind of task has.

    Args:
        target: What was true.
        prediction: What was predicted for the same units.

    Raises:
        MetricError: If a metric is not defined on them.
        HeadError: If the prediction is for another kind of task.
    """
    if isinstance(target, Labels) and prediction.probabilities is not None:
        return {
            "auc": metrics.auc(target.values, prediction.probabilities),
            "accuracy": metrics.accuracy(target.values, prediction.probabilities),
            "balanced_accuracy": metrics.balanced_accuracy(target.values, prediction.probabilities),
        }
    if not isinstance(target, Labels) and prediction.risk is not None:
        return {"c_index": metrics.c_index(target.time, target.event, prediction.risk)}
    raise HeadError(f"A {prediction.kind} prediction cannot be scored on {type(target).__name__}.")


def _parts(task: Task, split: Split, head: Head, seed: int) -> tuple[Sequence[str], Sequence[str]]:
    """Return the units to fit on and those that may guide selection, none of which is evaluated."""
    if isinstance(head, TrainedHead):
        return hold_out(task, split.train, head.inner_val, seed=seed) if head.inner_val else (split.train, ())
    return split.train, split.val if task.spec.evaluate_on == "test" else ()


def _bags(task: Task, features: FeatureSet, units: Sequence[str]) -> Bags:
    return [features.bag(unit, task.slides(unit)) for unit in units]
