"""``hiptbench lint``."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from toys import make_home

COLUMNS = ("--slide-col", "slide", "--case-col", "patient")


@pytest.fixture
def splits(own_data: Path) -> Path:
    """A fold that trains on a slide of p00 and tests the other."""
    slides = [line.split(".")[0] for line in (own_data / "labels.csv").read_text().splitlines()[1:]]
    folder = own_data / "splits"
    folder.mkdir()
    rows = [f"{i},{train},," for i, train in enumerate(slides[16:])]
    rows += [f"{100 + i},,,{test}" for i, test in enumerate(slides[1:16])]
    (folder / "splits_0.csv").write_text("\n".join([",train,val,test", f"99,{slides[0]},,", *rows]) + "\n")
    return folder


def test_a_task_as_text(hiptbench: Callable, filled_home: Path) -> None:
    done = hiptbench("lint", "mine", "--home", filled_home)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(
        "mine\n32 slides, 24 patients, ? sites, high 16, low 16\n3 folds (partition), tested on"
    )


def test_a_task_with_features_as_json(hiptbench: Callable, filled_home: Path) -> None:
    features = filled_home / "own" / "features"
    done = hiptbench("lint", "mine", "--format", "json", "--features", features, "--home", filled_home)
    report = json.loads(done.stdout)
    assert (report["name"], report["test_slides"], report["test_slides_patient_in_train"]) == ("mine", 32, 0)
    assert report["slides_without_features"] == 0
    assert len(report["folds"]) == 3


def test_a_suite_is_a_list(hiptbench: Callable) -> None:
    made = hiptbench("data", "make", "--task", "digits_bags")
    assert made.returncode == 0, made.stderr
    (report,) = json.loads(hiptbench("lint", "digits", "--format", "json").stdout)
    assert report["name"] == "digits_bags"


def test_a_folder_with_labels(hiptbench: Callable, own_data: Path, splits: Path) -> None:
    table = ("--labels", own_data / "labels.csv", *COLUMNS)
    done = hiptbench("lint", splits, *table, "--label-col", "grade")
    assert done.returncode == 0
    assert "error    1 patients are in train and test of the same fold" in done.stdout
    survival = json.loads(
        hiptbench("lint", splits, *table, "--time-col", "days", "--event-col", "died", "--format", "json").stdout
    )
    assert (survival["kind"], survival["unit"], survival["test_slides_patient_in_train"]) == ("survival", "slide", 1)
    assert survival["events"] == 16


def test_strict_fails_on_errors_only(hiptbench: Callable, own_data: Path, splits: Path, own_home: Path) -> None:
    table = ("--labels", own_data / "labels.csv", *COLUMNS, "--label-col", "grade")
    assert hiptbench("lint", splits, *table, "--strict").returncode == 1
    make_home(own_home)
    assert hiptbench("lint", "toy_classification", "--strict").returncode == 0


def test_a_folder_without_labels(hiptbench: Callable, splits: Path) -> None:
    done = hiptbench("lint", splits)
    assert "The ids do not tell the patients" in done.stdout
    assert "32 slides, ? patients" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("mine", "--label-col", "grade"), "a task has its labels: --labels and its columns are for a DIR"),
        (("./splits", "--label-col", "grade"), "columns are those of a label table: give --labels, too"),
        (("./splits", "--labels", __file__), "--labels needs --slide-col and --case-col"),
    ],
)
def test_wrong_calls(hiptbench: Callable, own_home: Path, arguments: tuple[str, ...], message: str) -> None:
    arguments = tuple("toy_classification" if word == "mine" else word for word in arguments)
    make_home(own_home)
    done = hiptbench("lint", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("tcga_brca_subtyp", "no task, suite or folder 'tcga_brca_subtyp'. Did you mean 'tcga_brca_subtype'?"),
        ("./none", "none does not exist. Give a folder of split files."),
        ("tcga_brca_subtype", "The data of 'tcga_brca_subtype' are not in"),
    ],
)
def test_what_cannot_be_linted(hiptbench: Callable, what: str, message: str) -> None:
    done = hiptbench("lint", what)
    assert (done.returncode, done.stdout) == (1, "")
    assert message in done.stderr


def test_labels_without_answers_are_refused(hiptbench: Callable, own_data: Path, splits: Path) -> None:
    done = hiptbench("lint", splits, "--labels", own_data / "labels.csv", *COLUMNS)
    assert done.returncode == 1
    assert "Give --label-col for classification, or --time-col and --event-col for survival." in done.stderr
