"""``hiptbench task``."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from hiptbench.task_spec import TaskSpec

OWN = ("--slide-col", "slide", "--case-col", "patient")


def test_list_has_every_task_and_says_which_are_ready(hiptbench: Callable, filled_home: Path) -> None:
    lines = hiptbench("task", "list", "--home", filled_home).stdout.splitlines()
    states = {line.split()[0]: "ready" in line.split() for line in lines}
    assert states["mine"]
    assert not states["tcga_brca_subtype"]
    assert len({line.index("classification") for line in lines if "classification" in line}) == 1  # columns line up


def test_list_as_json_holds_whole_specifications(hiptbench: Callable, filled_home: Path) -> None:
    done = hiptbench("task", "list", "--format", "json", "--home", filled_home)
    rows = {row["name"]: row for row in json.loads(done.stdout)}
    assert (rows["mine"]["imported"], rows["digits_bags"]["imported"]) == (True, False)
    assert rows["tcga_kidney_subtype"]["expected"]["units"] == 905
    assert done.stderr == ""


def test_show_prints_yaml_that_the_schema_accepts(hiptbench: Callable) -> None:
    spec = TaskSpec.model_validate(yaml.safe_load(hiptbench("task", "show", "tcga_brca_subtype").stdout))
    assert spec.folds.count == 10


def test_schema_is_the_json_schema_of_a_task(hiptbench: Callable) -> None:
    schema = json.loads(hiptbench("task", "schema").stdout)
    assert {"name", "kind", "folds"} <= set(schema["required"])


def test_create_classification_says_what_was_made_and_what_is_next(hiptbench: Callable, own_data: Path) -> None:
    done = hiptbench("task", "create", "mine", "--labels", own_data / "labels.csv", *OWN, "--label-col", "grade")
    assert done.returncode == 0, done.stderr
    assert "mine: 32 slides, 32 of them evaluated, 24 patients, high 16, low 16" in done.stdout
    assert "5 folds (made: 5 folds, patient-grouped, stratified, seed 1), evaluated on test" in done.stdout
    assert done.stderr == "Next: hiptbench run --task mine --features DIR --baseline mean_knn\n"
    assert "mine " in hiptbench("task", "list").stdout


def test_create_survival_in_days(hiptbench: Callable, own_data: Path) -> None:
    survival = ("--time-col", "days", "--event-col", "died", "--time-unit", "days", "--folds", "3")
    done = hiptbench("task", "create", "outcome", "--labels", own_data / "labels.csv", *OWN, *survival)
    assert "outcome: 24 cases, 24 of them evaluated, 32 slides, 12 events" in done.stdout
    assert "--baseline mean_cox" in done.stderr


def test_create_with_given_splits(hiptbench: Callable, own_data: Path) -> None:
    slides = [line.split(".")[0] for line in (own_data / "labels.csv").read_text().splitlines()[1:]]
    (own_data / "splits").mkdir()
    for fold in range(2):
        test = slides[fold::2]
        train = [slide for slide in slides if slide not in test]
        rows = [f"{i},{train[i]},,{test[i]}" for i in range(len(test))]
        (own_data / "splits" / f"splits_{fold}.csv").write_text("\n".join([",train,val,test", *rows]) + "\n")
    given = ("--label-col", "grade", "--splits", own_data / "splits")
    done = hiptbench("task", "create", "given", "--labels", own_data / "labels.csv", *OWN, *given)
    assert done.returncode == 0, done.stderr
    assert "2 folds" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("mine", *OWN), "Give --label-col for classification, or --time-col and --event-col for survival"),
        (("mine", *OWN, "--label-col", "grad"), "has no column 'grad'"),
        (("mine", *OWN, "--label-col", "grade", "--folds", "30"), "mine cannot have 30 folds"),
        (("digits_bags", *OWN, "--label-col", "grade"), "'digits_bags' is a task of the registry"),
        (("My Task", *OWN, "--label-col", "grade"), "My Task"),
    ],
)
def test_create_refuses(hiptbench: Callable, own_data: Path, arguments: tuple[str, ...], message: str) -> None:
    done = hiptbench("task", "create", *arguments, "--labels", own_data / "labels.csv")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: ")
    assert message in done.stderr
    assert "mine" not in hiptbench("task", "list").stdout
