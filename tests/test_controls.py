"""Baselines that look at no slide, or learn nothing: what they predict is known beforehand."""

from pathlib import Path

import numpy as np
import pytest
from lifelines import KaplanMeierFitter
from scipy.stats import kstest

from hiptbench.bags import Bag
from hiptbench.errors import HeadError
from hiptbench.evaluation import compute_metrics, evaluate_split
from hiptbench.heads.base import Bags, Head
from hiptbench.heads.linear import Logistic
from hiptbench.heads.permuted_labels import PermutedLabels
from hiptbench.heads.pooling import mean_vectors
from hiptbench.heads.prior import Prior
from hiptbench.heads.probe import Probe
from hiptbench.heads.random_features import RandomFeatures, random_bags
from hiptbench.registry import make_head, settings_of
from hiptbench.targets import Labels, Survival
from hiptbench.task_spec import Kind
from hiptbench.testing import assert_same, toy_features, toy_task

KINDS: tuple[Kind, ...] = ("classification", "survival")


def bags(count: int, *shape: int, seed: int = 0) -> Bags:
    rng = np.random.default_rng(seed)
    values = rng.standard_normal((count, 3, *shape)).astype(np.float32)
    return [Bag(f"unit{i}", array, None, np.zeros(3, np.int64)) for i, array in enumerate(values)]


# The prior


def test_everybody_gets_the_shares_of_the_training_classes() -> None:
    target = Labels(np.array([0, 2, 2, 2]), ("a", "b", "c"))
    prediction = Prior().fit(bags(4, 5), target, val=None, seed=1).predict(bags(2, 5))
    np.testing.assert_array_equal(prediction.probabilities, [[0.25, 0, 0.75]] * 2)


def test_everybody_gets_the_kaplan_meier_curve_of_the_training_units() -> None:
    rng = np.random.default_rng(0)
    target = Survival(rng.integers(1, 15, 40).astype(np.float64), rng.random(40) < 0.5)
    prediction = Prior().fit(bags(40, 5), target, val=None, seed=1).predict(bags(3, 5))
    theirs = KaplanMeierFitter().fit(target.time, target.event)
    np.testing.assert_array_equal(prediction.risk, np.zeros(3))
    np.testing.assert_array_equal(prediction.times, np.unique(target.time))
    expected = np.tile(theirs.survival_function_at_times(prediction.times), (3, 1))
    np.testing.assert_allclose(prediction.survival, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("kind", "metric"), [("classification", "auc"), ("survival", "c_index")])
def test_the_prior_scores_exactly_a_half(kind: Kind, metric: str, tmp_path: Path) -> None:
    for classes in (2, 3):
        task = toy_task(kind, classes=classes, cases=61)
        features = toy_features(task, tmp_path / str(classes))
        found = {evaluate_split(task, split, features, Prior(), seed=1).metrics[metric] for split in task.splits}
        assert found == {0.5}


def test_a_prior_needs_training_bags() -> None:
    with pytest.raises(HeadError, match="prior needs at least one training bag"):
        Prior().fit([], Labels(np.zeros(0, np.int64), ("a", "b")), val=None, seed=1)


# Permuted labels and random features


@pytest.mark.parametrize("head", [PermutedLabels(), RandomFeatures()], ids=lambda head: type(head).__name__)
@pytest.mark.parametrize("kind", KINDS)
def test_a_control_finds_nothing_where_there_is_much_to_find(
    head: PermutedLabels | RandomFeatures, kind: Kind, tmp_path: Path
) -> None:
    task = toy_task(kind, cases=150)
    features = toy_features(task, tmp_path)
    train, tested = (
        ([features.bag(unit, task.slides(unit)) for unit in part], task.targets(part))
        for part in (task.splits[0].train, task.splits[0].test)
    )

    def score(head: Head, seed: int) -> float:
        prediction = head.fit(*train, val=None, seed=seed).predict(tested[0])
        return compute_metrics(tested[1], prediction)["auc" if kind == "classification" else "c_index"]

    assert score(head.probe, 1) > 0.7
    found = [score(head, seed) for seed in range(30)]
    assert len(set(found)) > 10
    assert abs(np.mean(found) - 0.5) <= 3.5 * np.std(found, ddof=1) / np.sqrt(len(found))


def test_permuted_labels_are_the_same_labels_on_other_units() -> None:
    seen = {}

    class Recording(Logistic):
        def fit(self, bags, target, **rest):  # type: ignore[no-untyped-def]
            seen[len(seen)] = target.values.tolist()
            return super().fit(bags, target, **rest)

    target = Labels(np.arange(40) % 3, ("a", "b", "c"))
    for seed in (1, 1, 2):
        PermutedLabels(probe=Probe(logistic=Recording())).fit(bags(40, 5), target, val=None, seed=seed)
    assert seen[0] == seen[1]
    assert len({tuple(values) for values in seen.values()} | {tuple(target.values.tolist())}) == 3
    assert sorted(seen[0]) == sorted(seen[2]) == sorted(target.values)


def test_times_and_events_are_permuted_together() -> None:
    target = Survival(np.arange(1.0, 41), np.arange(40) % 2 > 0)
    order = np.random.default_rng(5).permutation(40).tolist()
    ours = PermutedLabels().fit(bags(40, 5), target, val=None, seed=5).predict(bags(40, 5))
    theirs = Probe().fit(bags(40, 5), target.take(order), val=None, seed=0).predict(bags(40, 5))
    assert_same(ours, theirs, "the permuted pairs")


@pytest.mark.parametrize("shape", [(6,), (4, 6)], ids=["vectors", "hierarchical"])
def test_a_random_vector_depends_on_seed_and_unit_alone(shape: tuple[int, ...]) -> None:
    one, other = (mean_vectors(random_bags(bags(5, *shape, seed=seed), 7)) for seed in (1, 2))
    np.testing.assert_array_equal(one, other)
    assert one.shape == (5, 6)
    reordered = random_bags(bags(5, *shape)[::-1], 7)
    np.testing.assert_array_equal(mean_vectors(reordered)[::-1], one)
    assert len(np.unique(np.vstack([one, mean_vectors(random_bags(bags(5, *shape), 8))]))) == 10 * 6


def test_random_features_are_standard_normal() -> None:
    values = mean_vectors(random_bags(bags(400, 10), 1))
    assert kstest(values.ravel(), "norm").pvalue > 0.01
    assert np.abs(np.corrcoef(values.T) - np.eye(10)).max() < 0.2


@pytest.mark.parametrize("kind", KINDS)
def test_random_features_are_all_that_is_learnt_from(kind: Kind, tmp_path: Path) -> None:
    task = toy_task(kind)
    split = task.splits[0]
    one, other = (toy_features(task, tmp_path / str(signal), signal=signal, seed=int(signal)) for signal in (0.0, 3.0))
    first, second = (evaluate_split(task, split, features, RandomFeatures(), seed=3) for features in (one, other))
    assert_same(first.prediction, second.prediction, "no feature counts")
    train = random_bags([one.bag(unit, task.slides(unit)) for unit in split.train], 3)
    tested = random_bags([one.bag(unit, task.slides(unit)) for unit in first.units], 3)
    theirs = Probe().fit(train, task.targets(split.train), val=None, seed=0).predict(tested)
    assert_same(first.prediction, theirs, "the linear head on the random vectors")


@pytest.mark.parametrize("name", ["permuted_labels", "random_features"])
def test_settings_of_the_linear_head_are_checked_and_reported_whole(name: str) -> None:
    head = make_head(name, {"probe": {"logistic": {"c": 0.5}}})
    assert settings_of(head) == {
        "probe": {
            "logistic": {"c": 0.5, "max_iter": 1000},
            "cox": {"n_components": 32, "alpha": 100.0, "ties": "efron"},
        }
    }
    with pytest.raises(HeadError, match=rf"head '{name}' refuses its settings: probe\.logistic\.k"):
        make_head(name, {"probe": {"logistic": {"k": 5}}})
