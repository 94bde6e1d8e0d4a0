"""On the public data the probes give the published kind of numbers, each equal to what the libraries say directly."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from lifelines.utils import concordance_index
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import KNeighborsClassifier
from sksurv.metrics import concordance_index_censored

from hiptbench.cells import leaderboard
from hiptbench.plans import make_plan
from hiptbench.requests import make_request
from hiptbench.results import FoldResult
from hiptbench.runner import run
from hiptbench.store import Store
from hiptbench.targets import Survival
from hiptbench.tasks import Task

SUBTYPING = {
    "tcga_brca_subtype": (0.7746, 0.0423, 0.808),
    "tcga_lung_subtype": (0.8894, 0.0270, 0.947),
    "tcga_kidney_subtype": (0.9742, 0.0159, 0.979),
}
"""Mean and standard deviation over the ten folds, and fold 0, of five nearest neighbours on mean-pooled regions."""


@pytest.fixture(scope="module")
def store(real_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store with both probes at full training size on all nine tasks."""
    made = Store(tmp_path_factory.mktemp("runs"))
    request = make_request(suite="hipt-2022", baselines=["mean_knn", "mean_cox"], fractions=[1.0], home=real_home)
    run(make_plan(request), made, executor="serial")
    return made


@pytest.fixture(scope="module")
def rows(store: Store) -> Sequence[FoldResult]:
    return store.rows()


def of_task(rows: Sequence[FoldResult], task: str) -> dict[int, FoldResult]:
    return {row.fold: row for row in rows if row.protocol.task == task}


@pytest.mark.parametrize(("task", "mean", "sd", "first"), [(task, *values) for task, values in SUBTYPING.items()])
def test_nearest_neighbours_give_the_known_numbers(
    rows: Sequence[FoldResult], task: str, mean: float, sd: float, first: float
) -> None:
    (cell,) = leaderboard(of_task(rows, task).values()).cells
    assert (round(cell.mean, 4), cell.n_folds) == (mean, 10)
    assert cell.sd_folds is not None
    assert round(cell.sd_folds, 4) == sd
    assert round(of_task(rows, task)[0].metrics["auc"], 3) == first


@pytest.fixture(scope="module")
def slide_means(real_data: Path) -> Mapping[str, np.ndarray]:
    """The mean region of every slide, from the raw files, whose values are by definition rounded to float16."""
    folder = real_data / "HIPT/3-Self-Supervised-Eval/embeddings_slide_lib/embeddings_slide_lib"
    found = {}
    for path in (folder / "vit256mean_tcga_slide_embeddings").glob("*.pt"):
        regions = torch.load(path, map_location="cpu", weights_only=True)
        found[path.stem] = regions.to(torch.float16).to(torch.float64).numpy().mean(axis=0)
    return found


@pytest.mark.parametrize("task", SUBTYPING)
def test_every_fold_is_what_scikit_learn_says_directly(
    task: str, rows: Sequence[FoldResult], slide_means: Mapping[str, np.ndarray], real_data: Path, real_home: Path
) -> None:
    """Splits and features are read from the checkout here, without hiptbench; only the classes come from its task."""
    loaded = Task.load(task, real_home)
    label = dict(zip(loaded.units, loaded.targets(loaded.units).rows(), strict=True))
    classes = list(loaded.spec.classes or ())
    found = of_task(rows, task)
    assert sorted(found) == list(range(10))
    for fold, row in found.items():
        table = pd.read_csv(split_file(real_data, loaded, fold), dtype=str)
        parts = {name: [slide for slide in table[name].dropna() if slide in label] for name in ("train", "test")}
        x = {name: np.array([slide_means[slide] for slide in slides]) for name, slides in parts.items()}
        y = {name: np.array([classes.index(label[slide]) for slide in slides]) for name, slides in parts.items()}
        shares = KNeighborsClassifier().fit(x["train"], y["train"]).predict_proba(x["test"])
        two = len(classes) == 2
        expected = roc_auc_score(y["test"], shares[:, 1] if two else shares, **({} if two else {"multi_class": "ovr"}))
        assert row.metrics["auc"] == pytest.approx(expected, abs=1e-9)
        assert row.n == len(parts["test"])


def split_file(real_data: Path, task: Task, fold: int) -> Path:
    assert task.spec.data.origin == "checkout"
    return real_data / "HIPT" / task.spec.data.splits.path / f"splits_{fold}.csv"


SURVIVAL = [f"tcga_{study}_survival" for study in ("brca", "coadread", "kirc", "kirp", "luad", "stad")]


@pytest.mark.parametrize("task", SURVIVAL)
def test_c_indices_of_stored_risks_are_those_of_scikit_survival_and_lifelines(
    task: str, store: Store, rows: Sequence[FoldResult], real_home: Path
) -> None:
    found = of_task(rows, task)
    assert sorted(found) == list(range(5))
    loaded = Task.load(task, real_home)
    for row in found.values():
        units, target, prediction = store.predictions(row)
        assert isinstance(target, Survival)
        assert prediction.risk is not None
        assert target.rows() == loaded.targets(units).rows()
        assert units == loaded.evaluated(loaded.splits[row.fold])
        ours = row.metrics["c_index"]
        theirs = concordance_index_censored(target.event, target.time, prediction.risk)[0]
        assert ours == pytest.approx(theirs, abs=1e-12)
        assert ours == pytest.approx(concordance_index(target.time, -prediction.risk, target.event), abs=1e-12)
