"""Heads are right because scikit-learn and scikit-survival, called directly, say the same."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sksurv.linear_model import CoxPHSurvivalAnalysis
from sksurv.util import Surv

from hiptbench.evaluation import Evaluation, evaluate_split
from hiptbench.features import FeatureSet
from hiptbench.registry import make_head
from hiptbench.task_spec import Kind
from hiptbench.tasks import Task
from hiptbench.testing import toy_features, toy_task


def run(
    name: str, settings: dict[str, object], kind: Kind, folder: Path, *, classes: int = 2, dim: int = 8
) -> tuple[Evaluation, Task, FeatureSet]:
    task = toy_task(kind, classes=classes, cases=90)
    features = toy_features(task, folder, dim=dim, signal=1.0)
    return evaluate_split(task, task.splits[0], features, make_head(name, settings), seed=1), task, features


def means(task: Task, features: FeatureSet, units: Sequence[str]) -> np.ndarray:
    arrays = [np.concatenate([features[slide] for slide in task.slides(unit)]) for unit in units]
    return np.array([array.astype(np.float64).mean(axis=0) for array in arrays])


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize(
    "settings",
    [{}, {"n_neighbors": 7, "weights": "distance"}, {"n_neighbors": 1, "metric": "cosine"}],
    ids=["default", "distance", "cosine"],
)
def test_knn_is_scikit_learns(classes: int, settings: dict[str, object], tmp_path: Path) -> None:
    ours, task, features = run("knn", settings, "classification", tmp_path, classes=classes)
    train = task.splits[0].train
    theirs = KNeighborsClassifier(**settings).fit(means(task, features, train), task.targets(train).values)
    expected = theirs.predict_proba(means(task, features, ours.units))
    np.testing.assert_array_equal(ours.prediction.probabilities, expected)


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("c", [1.0, 0.01])
def test_logistic_is_scikit_learns_pipeline(classes: int, c: float, tmp_path: Path) -> None:
    ours, task, features = run("logistic", {"c": c}, "classification", tmp_path, classes=classes)
    train = task.splits[0].train
    pipeline = make_pipeline(StandardScaler(), LogisticRegression(C=c, max_iter=1000))
    pipeline.fit(means(task, features, train), task.targets(train).values)
    expected = pipeline.predict_proba(means(task, features, ours.units))
    np.testing.assert_allclose(ours.prediction.probabilities, expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("ties", ["efron", "breslow"])
@pytest.mark.parametrize("dim", [8, 60], ids=["few dimensions", "more dimensions than bags"])
def test_cox_is_scikit_survivals(ties: str, dim: int, tmp_path: Path) -> None:
    ours, task, features = run("cox", {"ties": ties, "alpha": 10.0}, "survival", tmp_path, dim=dim)
    train = task.splits[0].train
    target = task.targets(train)
    x = means(task, features, train)
    pipeline = make_pipeline(
        StandardScaler(),
        PCA(n_components=min(32, *x.shape), svd_solver="full"),
        CoxPHSurvivalAnalysis(alpha=10.0, ties=ties),
    )
    pipeline.fit(x, Surv.from_arrays(target.event, target.time))
    evaluated = means(task, features, ours.units)
    times = ours.prediction.times
    assert times is not None
    np.testing.assert_array_equal(times, np.unique(target.time[target.event]))
    np.testing.assert_allclose(ours.prediction.risk, pipeline.predict(evaluated), rtol=0, atol=1e-10)
    curves = [curve(times) for curve in pipeline.predict_survival_function(evaluated)]
    np.testing.assert_allclose(ours.prediction.survival, curves, rtol=0, atol=1e-10)


def test_cox_keeps_ties_in_time_apart(tmp_path: Path) -> None:
    """With tied event times Efron's and Breslow's coefficients differ, so the setting must reach the fit."""
    task = toy_task("survival", cases=90)
    task.target.time[:] = np.ceil(task.target.time / 10)
    features = toy_features(task, tmp_path)
    efron, breslow = (
        evaluate_split(task, task.splits[0], features, make_head("cox", {"ties": ties}), seed=1).prediction.risk
        for ties in ("efron", "breslow")
    )
    assert efron is not None
    assert not np.allclose(efron, breslow)
