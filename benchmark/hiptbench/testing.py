"""The contracts, importable by users: a toy task, and checks that any head, extractor or task must pass."""

from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from hiptbench.evaluation import evaluate_split
from hiptbench.extractors.base import FeatureExtractor
from hiptbench.features import FeatureCard, FeatureSet, write_features
from hiptbench.heads.base import Head, load_fitted
from hiptbench.predictions import Prediction
from hiptbench.sources.own import make_folds
from hiptbench.splits import Split
from hiptbench.targets import Labels, Survival
from hiptbench.task_checks import measured
from hiptbench.task_spec import Expected, Folds, Kind, OwnData, TaskSpec
from hiptbench.tasks import SlideRow, Task

# Below this a metric on the toy features is no accident: guessing gives 0.5, with a standard deviation of 0.08.
_OPPOSITE = 0.25


def toy_task(
    kind: Kind = "classification",
    *,
    evaluate_on: Literal["test", "val"] = "test",
    cases: int = 60,
    folds: int = 2,
    classes: int = 2,
    seed: int = 0,
) -> Task:
    """Return a small task of one slide a case, with made folds.

    Args:
        kind: Kind of the task.
        evaluate_on: The part to evaluate; with "test" there is a val part too, with "val" there is no test part.
        cases: Number of cases.
        folds: Number of folds; every case is evaluated once.
        classes: Number of classes; classification only.
        seed: Seed of labels and folds.
    """
    rng = np.random.default_rng(seed)
    names = tuple(f"class{i}" for i in range(classes))
    if kind == "classification":
        rows = [SlideRow(f"slide{i:03}", f"case{i:03}", label=names[i % classes]) for i in range(cases)]
    else:
        times, events = rng.exponential(30, cases), rng.random(cases) < 0.6
        rows = [
            SlideRow(f"slide{i:03}", f"case{i:03}", time=float(times[i]), event=bool(events[i])) for i in range(cases)
        ]
    spec = TaskSpec(
        name=f"toy_{kind}",
        title="Toy",
        kind=kind,
        unit="slide",
        evaluate_on=evaluate_on,
        classes=names if kind == "classification" else None,
        endpoint="death" if kind == "survival" else None,
        licence="CC0",
        citation="none",
        folds=Folds(count=folds, scheme="partition", patient_disjoint=True, source="made"),
        data=OwnData(origin="own", made_from="toy_task"),
        expected=Expected(units=0, evaluated=0, cases=0, slides=0),
    )
    made = make_folds(Task.build(spec, rows, []), folds=folds, seed=seed)
    splits = [_with_val(split) if evaluate_on == "test" else _on_val(split) for split in made]
    draft = Task.build(spec, rows, splits)
    return Task.build(spec.model_copy(update={"expected": measured(draft)}), rows, splits)


def toy_features(task: Task, folder: Path, *, dim: int = 8, signal: float = 2.0, seed: int = 0) -> FeatureSet:
    """Write and open features of a toy task, whose first values depend on what is to be predicted.

    Args:
        task: The task.
        folder: Where to write.
        dim: Length of a feature vector.
        signal: How far the units differ, in standard deviations.
        seed: Seed of the noise.
    """
    rng = np.random.default_rng(seed)
    slides = {}
    for position, unit in enumerate(task.units):
        for slide in task.slides(unit):
            values = rng.standard_normal((int(rng.integers(2, 7)), dim)).astype(np.float32)
            values[:, _signal_column(task, position) % dim] += signal * _signal(task, position)
            slides[slide] = values
    write_features(folder, FeatureCard(name=folder.name, encoder="toy"), slides)
    return FeatureSet.open(folder)


def check_head(head: Head, folder: Path, *, learns: bool = True) -> None:
    """Check that a head keeps its contract, on a toy task of each of its kinds.

    The contract: the evaluated labels change no prediction; the same seed gives the same predictions, and another seed
    too unless the head is stochastic; a bag's prediction does not depend on the other bags; predictions have the right
    shape, are finite, and probabilities sum to one; where the features tell the answer, predictions do not say the
    opposite; survival curves do not rise and their times do; higher risk means a lower curve; what is saved predicts
    the same when it is loaded; the head keeps no state.

    Args:
        head: The head.
        folder: A folder to write into.
        learns: Whether the head is there to find what the features tell; a control that guesses may say the opposite.

    Raises:
        AssertionError: Naming the part of the contract that is broken.
    """
    assert head.kinds, "a head names its kinds"
    unknown = head.kinds.difference(get_args(Kind))
    assert not unknown, f"kinds are among {get_args(Kind)}, not {sorted(unknown)}"
    cases: list[tuple[Kind, int]] = [("classification", 2), ("classification", 3), ("survival", 2)]
    parts: tuple[Literal["test", "val"], ...] = ("test", "val")
    for (kind, classes), part in product(cases, parts):
        if kind in head.kinds:
            task = toy_task(kind, classes=classes, evaluate_on=part, cases=100)
            features = toy_features(task, folder / f"{kind}{classes}")
            metrics = _check_on(head, task, features, folder / "model")
            if learns:
                _check_direction(metrics)


def check_extractor(extractor: FeatureExtractor, *, rtol: float = 1e-4) -> None:
    """Check that an extractor keeps its contract: shape, float32, finite values, each image by itself, no state.

    Args:
        extractor: The extractor.
        rtol: How much the features of an image may depend on what it is extracted with, relative to the largest:
            kernels round differently for other batches, in bfloat16 by 1e-2.

    Raises:
        AssertionError: Naming the part of the contract that is broken.
    """
    images = np.random.default_rng(0).integers(0, 256, (4, 256, 256, 3), dtype=np.uint8)
    features = extractor.extract(images)
    right = features.ndim in (2, 3) and (len(features), features.shape[-1]) == (4, extractor.dim)
    assert right, f"extract returns [n, dim] or [n, patches, dim], not {features.shape}"
    assert features.dtype == np.float32, f"extract returns float32, not {features.dtype}"
    assert np.isfinite(features).all(), "features are finite"
    alone = np.concatenate([extractor.extract(images[i : i + 1]) for i in (2, 0)])
    tolerance = rtol * float(abs(features).max())
    np.testing.assert_allclose(
        alone, features[[2, 0]], rtol=0, atol=tolerance, err_msg="an image's features are its own"
    )
    np.testing.assert_array_equal(extractor.extract(images), features, err_msg="the same images give the same features")


def _check_on(head: Head, task: Task, features: FeatureSet, folder: Path) -> Mapping[str, float]:
    """Check all that does not depend on what the head finds, and return its metrics."""
    split = task.splits[0]
    before = _state(head)
    first = evaluate_split(task, split, features, head, seed=1)
    again = evaluate_split(task, split, features, head, seed=1)
    assert_same(first.prediction, again.prediction, "the same seed gives the same prediction")
    if not head.stochastic:
        other = evaluate_split(task, split, features, head, seed=2)
        assert_same(first.prediction, other.prediction, "a head that is not stochastic does not use the seed")
    permuted = evaluate_split(permute_evaluated(task, split), split, features, head, seed=1)
    assert_same(first.prediction, permuted.prediction, "the evaluated labels reach no prediction")
    bags = [features.bag(unit, task.slides(unit)) for unit in first.units]
    _check_one_by_one(first.prediction, [first.fitted.predict([bag]) for bag in bags[:3]])
    first.fitted.save(folder)
    assert_same(first.prediction, load_fitted(folder).predict(bags), "what was saved predicts the same")
    assert _state(head) == before, "a head keeps no state"
    _check_values(first.prediction)
    return first.metrics


def permute_evaluated(task: Task, split: Split, *, seed: int = 0) -> Task:
    """Return the task with the targets of a split's evaluated units permuted among them."""
    evaluated = [task.units.index(unit) for unit in task.evaluated(split)]
    order = np.arange(len(task.units))
    order[evaluated] = np.random.default_rng(seed).permutation(evaluated)
    return Task(task.spec, task.units, task.cases, task.slide_ids, task.target.take(order.tolist()), task.splits)


def assert_same(one: Prediction, other: Prediction, why: str) -> None:
    """Assert that two predictions are equal, bit for bit."""
    for name in ("probabilities", "risk", "survival", "times"):
        a, b = getattr(one, name), getattr(other, name)
        assert (a is None) == (b is None), why
        if a is not None:
            np.testing.assert_array_equal(a, b, err_msg=why)


def _check_one_by_one(together: Prediction, alone: list[Prediction]) -> None:
    for position, one in enumerate(alone):
        for name in ("probabilities", "risk", "survival"):
            rows = getattr(together, name)
            if rows is not None:
                np.testing.assert_allclose(
                    getattr(one, name)[0], rows[position], rtol=1e-6, atol=1e-9, err_msg="a bag's prediction is its own"
                )


def _check_values(prediction: Prediction) -> None:
    if prediction.probabilities is not None:
        np.testing.assert_allclose(prediction.probabilities.sum(axis=1), 1, atol=1e-6, err_msg="rows sum to one")
        assert (prediction.probabilities >= 0).all(), "probabilities are not negative"
    if prediction.survival is not None and prediction.times is not None and prediction.risk is not None:
        assert (np.diff(prediction.times) > 0).all(), "times rise"
        assert (np.diff(prediction.survival, axis=1) <= 1e-12).all(), "survival curves do not rise"
        assert ((prediction.survival >= 0) & (prediction.survival <= 1)).all(), "survival lies in [0, 1]"
        order = np.argsort(prediction.risk)
        assert (np.diff(prediction.survival[order].mean(axis=1)) <= 1e-9).all(), "higher risk means a lower curve"


def _check_direction(metrics: Mapping[str, float]) -> None:
    for name in ("auc", "c_index"):
        value = metrics.get(name, 1)
        assert value > _OPPOSITE, f"predictions say the opposite of the features: {name} is {value:.2f}"


def _state(head: Head) -> str:
    return repr((head, getattr(head, "__dict__", None)))


def _with_val(split: Split) -> Split:
    val = split.train[::5]
    return Split(split.fold, tuple(unit for unit in split.train if unit not in val), val, split.test)


def _on_val(split: Split) -> Split:
    return Split(split.fold, split.train, split.test, ())


def _signal_column(task: Task, position: int) -> int:
    return int(task.target.values[position]) if isinstance(task.target, Labels) else 0


def _signal(task: Task, position: int) -> float:
    if isinstance(task.target, Survival):
        return float(-np.log1p(task.target.time[position]))
    return 1.0
