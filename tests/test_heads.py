"""The contract of heads: kept by every head and baseline, and noticed where it is broken."""

import dataclasses
import json
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import pytest

import own_heads
from broken_heads import BROKEN
from hiptbench.bags import Bag
from hiptbench.baselines import baseline_names, load_baseline
from hiptbench.errors import HeadError, HiptbenchError
from hiptbench.evaluation import evaluate_split
from hiptbench.heads.base import Bags, Head, load_fitted
from hiptbench.heads.mil import MIL
from hiptbench.heads.pooling import mean_vectors
from hiptbench.registry import HEADS, make_head
from hiptbench.targets import Labels, Survival, Target
from hiptbench.task_spec import Kind
from hiptbench.testing import assert_same, check_head, permute_evaluated, toy_features, toy_task

PROBES = sorted(set(HEADS) - {"mil"})  # which has tests/test_mil.py, model by model
CONTROLS = {"permuted_labels", "random_features"}  # made to find nothing


@pytest.mark.parametrize("name", PROBES)
def test_every_head_keeps_the_contract(name: str, tmp_path: Path) -> None:
    check_head(make_head(name), tmp_path, learns=name not in CONTROLS)


@pytest.mark.parametrize("name", baseline_names())
def test_every_baseline_works_and_says_where_its_settings_come_from(name: str, tmp_path: Path) -> None:
    baseline = load_baseline(name)
    assert baseline.name == name
    assert baseline.recipe
    head = baseline.make_head()
    if isinstance(head, MIL):
        for kind in get_args(Kind):
            try_on_a_handful(head, kind)
    else:
        check_head(head, tmp_path, learns=baseline.head not in CONTROLS)


def try_on_a_handful(head: MIL, kind: Kind) -> None:
    """Train one epoch on a few bags; the contract is kept by the head, whatever its settings."""
    head = dataclasses.replace(head, overrides={**head.overrides, "epochs": 1}, device="cpu")
    shape = (8,) if head.misfit((8,)) is None else (4, 8)
    rng = np.random.default_rng(0)
    values = [rng.standard_normal((n, *shape)).astype(np.float32) for n in (1, 2, 5, 3) * 10]
    bags = [Bag(f"u{i}", array, None, np.zeros(len(array), np.int64)) for i, array in enumerate(values)]
    labels = Labels(np.arange(40) % 3, ("a", "b", "c"))
    lives = Survival(np.arange(1.0, 41), np.arange(40) % 4 > 0)
    prediction = head.fit(bags, labels if kind == "classification" else lives, val=None, seed=1).predict(bags)
    prediction.check([bag.unit for bag in bags], kind)


def test_a_stochastic_head_keeps_the_contract(tmp_path: Path) -> None:
    check_head(own_heads.Sampled(), tmp_path)


@pytest.mark.parametrize(
    ("head", "says"), BROKEN, ids=lambda value: getattr(value, "way", None) or type(value).__name__
)
def test_a_broken_head_is_noticed(head: Head, says: str, tmp_path: Path) -> None:
    with pytest.raises((AssertionError, HiptbenchError), match=says):
        check_head(head, tmp_path)


@pytest.mark.parametrize("part", ["test", "val"])
@pytest.mark.parametrize("name", PROBES)
def test_permuted_evaluated_labels_change_no_prediction(
    name: str, part: Literal["test", "val"], tmp_path: Path
) -> None:
    head = make_head(name)
    kind: Kind = "survival" if "survival" in head.kinds else "classification"
    task = toy_task(kind, evaluate_on=part)
    features = toy_features(task, tmp_path)
    for split in task.splits:
        permuted = permute_evaluated(task, split)
        before, after = (evaluate_split(t, split, features, head, seed=1) for t in (task, permuted))
        assert before.target.rows() != after.target.rows()
        assert_same(before.prediction, after.prediction, "labels leaked")


def bags_and_target(kind: Kind, folder: Path, **settings: int) -> tuple[Bags, Target]:
    task = toy_task(kind, **settings)
    features = toy_features(task, folder)
    return [features.bag(unit, task.slides(unit)) for unit in task.units], task.target


@pytest.mark.parametrize(
    ("name", "settings", "problem"),
    [
        ("knn", {"n_neighbors": 61}, r"at least n_neighbors=61 training bags, got 60"),
        ("knn", {}, "predicts classes, not survival"),
        ("logistic", {}, "predicts classes, not survival"),
        ("logistic", {"max_iter": 1}, r"Logistic\(c=1.0, max_iter=1\) did not converge: .* more iterations"),
        ("cox", {}, "predicts survival, not classes"),
    ],
)
def test_what_a_head_cannot_be_fitted_on(name: str, settings: dict[str, int], problem: str, tmp_path: Path) -> None:
    head = make_head(name, settings)
    wrong = "not" in problem.split("predicts")[-1] and "predicts" in problem
    kind: Kind = "survival" if ("survival" in head.kinds) != wrong else "classification"
    bags, target = bags_and_target(kind, tmp_path)
    with pytest.raises(HeadError, match=problem):
        head.fit(bags, target, val=None, seed=1)


def test_cox_needs_an_event_and_convergence(tmp_path: Path) -> None:
    bags, target = bags_and_target("survival", tmp_path)
    assert isinstance(target, Survival)
    censored = Survival(target.time, np.zeros(len(bags), dtype=bool))
    with pytest.raises(HeadError, match="at least one event among its 60 training bags"):
        make_head("cox").fit(bags, censored, val=None, seed=1)


def test_logistic_needs_two_classes(tmp_path: Path) -> None:
    bags, target = bags_and_target("classification", tmp_path)
    assert isinstance(target, Labels)
    with pytest.raises(HeadError, match="two classes among its 60 training bags"):
        make_head("logistic").fit(bags, Labels(target.values * 0, target.classes), val=None, seed=1)


@pytest.mark.parametrize("name", ["knn", "logistic"])
def test_a_class_that_training_lacks_gets_probability_zero(name: str, tmp_path: Path) -> None:
    bags, target = bags_and_target("classification", tmp_path, classes=3)
    kept = [i for i, value in enumerate(target.values) if value != 1]
    fitted = make_head(name).fit([bags[i] for i in kept], target.take(kept), val=None, seed=1)
    shares = fitted.predict(bags).probabilities
    assert shares is not None
    assert shares.shape == (60, 3)
    assert not shares[:, 1].any()


def test_mean_vectors_average_in_float64_over_every_level() -> None:
    values = np.random.default_rng(0).normal(size=(3, 256, 4)).astype(np.float32)
    bags = [Bag("a", values, None, np.zeros(3, dtype=np.int64))]
    np.testing.assert_array_equal(mean_vectors(bags), [values.astype(np.float64).mean(axis=(0, 1))])


def test_mean_vectors_need_bags_of_one_dimension() -> None:
    bags = [Bag(str(d), np.ones((1, d), np.float32), None, np.zeros(1, np.int64)) for d in (2, 3)]
    with pytest.raises(HeadError, match=r"different dimensions: \[2, 3\]"):
        mean_vectors(bags)
    with pytest.raises(HeadError, match="no bags"):
        mean_vectors([])


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    bags, target = bags_and_target("classification", tmp_path / "features")
    make_head("knn").fit(bags, target, val=None, seed=1).save(tmp_path / "model")
    return tmp_path / "model"


@pytest.mark.parametrize("keep", [0, 100, 2000])
def test_a_damaged_model_says_so(saved: Path, keep: int) -> None:
    path = saved / "fitted.safetensors"
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(HeadError, match="no fitted head that can be loaded"):
        load_fitted(saved)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"class": "hiptbench.heads.knn:Gone"}, "Gone"),
        ({"class": "subprocess:Popen"}, "is no Fitted"),  # loading must not call what a file names
        ({"values": {}}, "missing|history"),
    ],
)
def test_a_model_whose_class_is_gone_or_is_no_model_is_refused(
    saved: Path, change: dict[str, object], problem: str
) -> None:
    path = saved / "fitted.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(HeadError, match=problem):
        load_fitted(saved)


def test_a_model_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HeadError, match="no fitted head"):
        load_fitted(tmp_path)
