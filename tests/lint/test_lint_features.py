"""Slides without features, and slides with those of another."""

from pathlib import Path

import numpy as np
import pytest

from hiptbench.features import FeatureCard, FeatureSet, write_features
from hiptbench.lint.linter import lint_task
from hiptbench.packing import pack
from hiptbench.tasks import Task
from hiptbench.testing import toy_features, toy_task
from linted import found


@pytest.fixture
def task() -> Task:
    return toy_task(cases=16)


@pytest.fixture
def folder(task: Task, tmp_path: Path) -> Path:
    toy_features(task, tmp_path / "toy")
    return tmp_path / "toy"


def copy(folder: Path, source: str, target: str) -> None:
    values = np.load(folder / f"{source}.npy")
    write_features(folder, FeatureCard(name="toy"), {target: values.astype(np.float64)})


def test_sound_features_are_no_finding(task: Task, folder: Path) -> None:
    report = lint_task(task, FeatureSet.open(folder))
    assert (report.overall.slides_without_features, report.overall.slides_with_duplicate_features) == (0, 0)
    assert report.findings == lint_task(task).findings


def test_without_features_nothing_is_said_of_them(task: Task) -> None:
    overall = lint_task(task).overall
    assert overall.slides_without_features is overall.slides_with_duplicate_features is None


def test_slides_without_features_are_a_warning(task: Task, folder: Path) -> None:
    (folder / "slide003.npy").unlink()
    finding = found(lint_task(task, FeatureSet.open(folder)), "slide_without_features")
    assert (finding.severity, finding.names) == ("warning", ("slide003",))
    assert finding.message == "1 of 16 slides have no features in 'toy'."


@pytest.mark.parametrize("packed", [False, True])
def test_a_copy_that_is_tested_is_an_error(task: Task, folder: Path, tmp_path: Path, packed: bool) -> None:
    split = task.splits[0]
    copy(folder, split.train[0], split.test[0])  # another dtype on disk, the same values
    features = pack(folder, tmp_path / "pack")[0] if packed else FeatureSet.open(folder)
    report = lint_task(task, features)
    finding = found(report, "duplicate_features")
    assert finding.severity == "error"
    assert finding.names == tuple(sorted((split.train[0], split.test[0])))
    assert report.overall.slides_with_duplicate_features == 2


def test_a_copy_that_stays_in_one_part_is_a_warning(task: Task, folder: Path) -> None:
    parts = [(split.train, split.test) for split in task.splits]
    together = next(
        (a, b) for a in task.units for b in task.units if a < b and all((a in t) == (b in t) for _, t in parts)
    )
    copy(folder, *together)
    finding = found(lint_task(task, FeatureSet.open(folder)), "duplicate_features")
    assert (finding.severity, finding.numbers["groups_in_train_and_test"]) == ("warning", 0)


def test_features_of_other_slides_are_not_looked_at(task: Task, folder: Path) -> None:
    copy(folder, "slide000", "elsewhere")
    assert lint_task(task, FeatureSet.open(folder)).overall.slides_with_duplicate_features == 0
