"""Simulated data and digits reach the home whole, once, and only if they are the registered ones."""

from pathlib import Path

import numpy as np
import pytest
import yaml

from hiptbench.errors import FeatureError, TaskError, UnknownNameError
from hiptbench.features import FeatureSet
from hiptbench.files import write_text
from hiptbench.pack import INDEX
from hiptbench.schema import dump_yaml
from hiptbench.sources.materialise import fingerprint, main, make, materialise
from hiptbench.task_spec import TaskSpec
from hiptbench.task_store import folder_of, load_spec, registered
from hiptbench.tasks import Task

MADE = [name for name in registered() if load_spec(name).data.origin in ("synthetic", "digits")]
SMALLEST = "synthetic_kirp_survival"


def put_own(spec: TaskSpec, home: Path, **changes: object) -> None:
    own = spec.model_copy(update={"name": "own_copy", "features": "own_features", **changes})
    write_text(folder_of("own_copy", home) / "task.yaml", dump_yaml(own))


def test_there_are_nine_simulated_tasks_and_the_digits() -> None:
    assert len(MADE) == 10


@pytest.mark.parametrize("name", MADE)
def test_what_is_made_has_the_registered_counts_and_hashes(name: str) -> None:
    spec = load_spec(name)
    assert spec.hashes is not None
    assert spec.hashes.features is not None
    assert fingerprint(spec) == (spec.expected, spec.hashes)


@pytest.mark.parametrize(("name", "synthetic", "dim"), [(SMALLEST, True, 64), ("digits_bags", False, 64)])
def test_task_and_features_can_be_read_from_the_home(name: str, synthetic: bool, dim: int, own_home: Path) -> None:
    folder = materialise(name, own_home)
    task, features, made = Task.load(name, own_home), FeatureSet.open(folder), make(load_spec(name))
    assert folder == own_home / "features" / str(task.spec.features)
    assert features.card.synthetic is synthetic
    assert (features.card.name, features.card.dim) == (task.spec.features, dim)
    assert task.hashes == made.task.hashes
    assert not features.missing(task.all_slides)
    for slide in task.all_slides[::50]:
        np.testing.assert_array_equal(features[slide], made.features[slide])


def test_what_is_there_is_left_alone(own_home: Path) -> None:
    folder = materialise(SMALLEST, own_home)
    files = [*folder.iterdir(), *folder_of(SMALLEST, own_home).iterdir()]
    before = {path: path.stat().st_mtime_ns for path in files}
    assert materialise(SMALLEST, own_home) == folder
    assert {path: path.stat().st_mtime_ns for path in files} == before


@pytest.mark.parametrize("damage", ["labels", "slides", "pack"])
def test_what_is_damaged_is_made_anew(damage: str, own_home: Path) -> None:
    folder = materialise(SMALLEST, own_home)
    labels, index = folder_of(SMALLEST, own_home) / "labels.csv", folder / INDEX
    match damage:
        case "labels":
            labels.write_text("".join(labels.read_text().splitlines(keepends=True)[:-1]))
        case "slides":
            index.write_text(index.read_text().replace("SYN-", "NOT-"))
        case _:
            index.write_text("{")
    materialise(SMALLEST, own_home)
    task = Task.load(SMALLEST, own_home)
    assert FeatureSet.open(folder).content_hash(task.all_slides) == task.spec.hashes.features


def test_a_simulated_task_without_hashes_is_made_unchecked(own_home: Path) -> None:
    put_own(load_spec(SMALLEST), own_home, hashes=None)
    folder = materialise("own_copy", own_home)
    assert len(FeatureSet.open(folder)) == 279
    assert materialise("own_copy", own_home) == folder


def test_features_that_are_not_the_registered_ones_are_refused(own_home: Path) -> None:
    put_own(load_spec(SMALLEST), own_home, hashes=None)
    spec = load_spec("own_copy", own_home)
    hashes = fingerprint(spec)[1].model_copy(update={"features": "0" * 64})
    put_own(spec, own_home, hashes=hashes)
    with pytest.raises(FeatureError, match=r"own_copy are not those.*this numpy .* constraints.txt"):
        materialise("own_copy", own_home)
    assert not (own_home / "features" / "own_features").exists()


def test_only_made_data_can_be_made() -> None:
    with pytest.raises(TaskError, match="tcga_brca_subtype have the origin 'checkout': they are not made"):
        materialise("tcga_brca_subtype")
    with pytest.raises(UnknownNameError, match="no task 'synthetic_brca'"):
        materialise("synthetic_brca")


def test_the_command_prints_what_the_registry_holds(capsys: pytest.CaptureFixture[str]) -> None:
    main([SMALLEST])
    printed, spec = yaml.safe_load(capsys.readouterr().out), load_spec(SMALLEST)
    assert printed["expected"] == spec.expected.model_dump(exclude_none=True)
    assert printed["hashes"] == spec.hashes.model_dump(exclude_none=True)
