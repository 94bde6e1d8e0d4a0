"""The corrected t on the authors' folds: HIPT against the best baseline, which is chosen by its mean after the fact."""

from collections import defaultdict
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from hiptbench.fractions import take
from hiptbench.published import Query, import_hipt, read_published
from hiptbench.sources.importing import import_tasks
from hiptbench.statistics.corrected_t import CorrectedT, Ratio, corrected_t
from hiptbench.statistics.holm import holm
from hiptbench.suites import load_suite
from hiptbench.task_store import load_task

HIPT = "HIPT"
BRCA, NSCLC, RCC = "tcga_brca_subtype", "tcga_lung_subtype", "tcga_kidney_subtype"
COLUMNS = {"subtyping": "test_auc", "survival": "val_cindex"}
SURVIVAL = {"brca": 0.0175, "coadread": 0.494, "kirc": 0.361, "kirp": 0.981, "luad": 0.309, "stad": 0.944}


@pytest.fixture(scope="module")
def tasks_home(checkouts: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data home with the labels and splits of HIPT's nine tasks."""
    home = tmp_path_factory.mktemp("tasks")
    import_tasks(["hipt-2022"], checkouts, home)
    return home


@cache
def published(checkout: Path, table: str) -> dict[tuple[str, float], dict[str, np.ndarray]]:
    """Return of each task and fraction the authors' folds, by the name of the method's row."""
    values: dict[tuple[str, float], dict[str, dict[int, float]]] = defaultdict(lambda: defaultdict(dict))
    folds = import_hipt(checkout)
    for method in read_published(table).methods:
        assert isinstance(method.query, Query)
        for fold in filter(method.query.selects, folds):
            values[fold.task, fold.fraction][method.name][fold.fold] = fold.metrics[COLUMNS[table]]
    return {
        cell: {name: np.array([of[i] for i in sorted(of)]) for name, of in methods.items()}
        for cell, methods in values.items()
    }


def hipt_and_best(methods: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    best = max(methods.keys() - {HIPT}, key=lambda name: float(methods[name].mean()))
    return methods[HIPT], methods[best]


def repeated(task: str, fraction: float, home: Path) -> Ratio:
    """The ratio of the units that were evaluated and, in the fraction, trained on."""
    loaded, rule = load_task(task, home), load_suite("hipt-2022").fractions.rule
    trained = [len(take(loaded, split, fraction, rule=rule).train) for split in loaded.splits]
    return Ratio.of_repeated_splits([len(loaded.evaluated(split)) for split in loaded.splits], trained)


def subtyping(real_data: Path, task: str, fraction: float, ratio: Ratio) -> CorrectedT:
    return corrected_t(*hipt_and_best(published(real_data / "HIPT", "subtyping")[task, fraction]), ratio)


@pytest.mark.parametrize(
    ("task", "fraction", "p"),
    [
        (BRCA, 0.25, 0.703),
        (BRCA, 1.0, 0.421),
        (NSCLC, 0.25, 0.077),
        (NSCLC, 1.0, 0.086),
        (RCC, 0.25, 0.098),
        (RCC, 1.0, 0.552),
    ],
)
def test_subtyping(real_data: Path, tasks_home: Path, task: str, fraction: float, p: float) -> None:
    found = subtyping(real_data, task, fraction, repeated(task, fraction, tasks_home))
    assert found.p is not None
    assert round(found.p, 3) == p


@pytest.mark.parametrize(("task", "p"), [(BRCA, 0.541), (NSCLC, 0.011), (RCC, 0.015)])
def test_with_the_full_train_list_the_quarter_would_look_better(
    real_data: Path, tasks_home: Path, task: str, p: float
) -> None:
    found = subtyping(real_data, task, 0.25, repeated(task, 1.0, tasks_home))
    assert found.p is not None
    assert round(found.p, 3) == p


@pytest.mark.parametrize(("fraction", "p", "decimals"), [(0.25, 0.0012, 4), (1.0, 0.021, 3)])
def test_what_a_naive_paired_t_says(real_data: Path, fraction: float, p: float, decimals: int) -> None:
    found = subtyping(real_data, NSCLC, fraction, Ratio(0.0, "naive"))
    assert found.p is not None
    assert round(found.p, decimals) == p


def test_survival_and_no_adjusted_p_below_the_level(real_data: Path, tasks_home: Path) -> None:
    tables = published(real_data / "HIPT", "survival")
    raw = {
        study: corrected_t(*hipt_and_best(tables[f"tcga_{study}_survival", 1.0]), Ratio.of_partition(5)).p
        for study in SURVIVAL
    }
    assert {study: round(p, len(str(SURVIVAL[study])) - 2) for study, p in raw.items() if p} == SURVIVAL
    families = [raw]
    for fraction in (0.25, 1.0):
        ratios = {task: repeated(task, fraction, tasks_home) for task in (BRCA, NSCLC, RCC)}
        families.append({task: subtyping(real_data, task, fraction, ratio).p for task, ratio in ratios.items()})
    adjusted = [p for family in families for p in holm(family).values()]
    assert len(adjusted) == 12
    assert all(p is not None and p > 0.05 for p in adjusted)
