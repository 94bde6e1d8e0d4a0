"""An export holds numbers without ids or labels, and every number can be recomputed from it."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from hiptbench.errors import StoreError
from hiptbench.export import Export, export, open_results, predictions_file
from hiptbench.results import FoldResult
from hiptbench.runner import run
from hiptbench.store import Store
from hiptbench.task_spec import Kind
from hiptbench.tasks import Task
from hiptbench.verify import verify
from toys import make_home, make_row, plan_of

METHODS: dict[Kind, str] = {"classification": "mean_knn", "survival": "mean_cox"}


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Task]]:
    """A home with a task of each kind, run into its store."""
    home = tmp_path_factory.mktemp("export") / "home"
    tasks = []
    for kind, method in METHODS.items():
        tasks.append(make_home(home, kind, folds=2))
        run(plan_of(home, tasks[-1].name, method), Store(home / "store"), executor="serial")
    return home, tasks


@pytest.fixture
def home(original: tuple[Path, list[Task]], tmp_path: Path) -> Path:
    return Path(shutil.copytree(original[0], tmp_path / "copy"))


@pytest.fixture
def exported(home: Path, tmp_path: Path) -> Export:
    store = Store(home / "store")
    return export(store, store.rows(), tmp_path / "results")


def change_row(export_path: Path, index: int, **changes: object) -> None:
    path = export_path / "rows.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    rows[index] |= changes
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_an_export_is_what_the_store_holds(home: Path, exported: Export) -> None:
    store = Store(home / "store")
    assert sorted(row.fingerprint for row in exported.rows()) == sorted(row.fingerprint for row in store.rows())
    for row in exported.rows():
        ours, theirs = exported.prediction(row), store.predictions(row)[2]
        for name in ("probabilities", "risk"):
            np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name))


def test_an_export_holds_neither_ids_nor_labels(original: tuple[Path, list[Task]], exported: Export) -> None:
    _, tasks = original
    files = [path for path in exported.path.glob("**/*") if path.is_file()]
    plain = [path.read_bytes() for path in files]
    for path in files:  # an .npz is compressed, so what it holds is searched too
        if path.suffix == ".npz":
            with np.load(path) as arrays:
                plain += [name.encode() + arrays[name].tobytes() for name in arrays.files]
                assert all(arrays[name].dtype == np.float64 for name in arrays.files)
    everything = b"\0".join(plain) + "\0".join(str(path) for path in files).encode()
    for task in tasks:
        secrets = {*task.units, *task.cases, *task.all_slides, *(task.spec.classes or ())}
        assert not [secret for secret in secrets if secret.encode() in everything]
        if task.spec.kind == "survival":
            assert not [time for time in task.target.time if time.tobytes() in everything]
            assert not [time for time in task.target.time if repr(float(time)).encode() in everything]


def test_the_same_rows_give_the_same_files_in_any_order(home: Path, exported: Export, tmp_path: Path) -> None:
    store = Store(home / "store")
    again = export(store, reversed(store.rows()), tmp_path / "again")
    files = sorted(path.relative_to(exported.path) for path in exported.path.glob("**/*") if path.is_file())
    assert len(files) == 4
    assert files == sorted(path.relative_to(again.path) for path in again.path.glob("**/*") if path.is_file())
    for file in files:
        assert (exported.path / file).read_bytes() == (again.path / file).read_bytes()


def test_a_second_export_replaces_the_first_and_nothing_else(home: Path, exported: Export) -> None:
    store = Store(home / "store")
    (exported.path / "README.md").write_text("mine")
    kept = [row for row in store.rows() if row.protocol.task_kind == "survival"]
    export(store, kept, exported.path)
    assert len(exported.rows()) == len(kept)
    assert len(list(exported.path.glob("predictions/**/*.npz"))) == 1
    assert (exported.path / "README.md").read_text() == "mine"


def test_results_are_opened_as_what_they_are(home: Path, exported: Export, tmp_path: Path) -> None:
    assert isinstance(open_results(home / "store"), Store)
    assert isinstance(open_results(exported.path), Export)
    with pytest.raises(StoreError, match=r"no results store at .*gone.*hiptbench run"):
        open_results(tmp_path / "gone")


def test_nothing_cannot_be_exported(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no results to export"):
        export(Store(tmp_path / "store"), [], tmp_path / "out")


def test_names_of_all_kinds_stay_inside_the_export() -> None:
    row = make_row(features="../my/features: uni", baseline="a b", protocol={"suite": "own:toy", "task": "t"})
    assert predictions_file(row) == (
        f"predictions/own_toy/t/.._my_features__uni--a_b--1--d0-s1--{row.provenance.variant}.npz"
    )


def test_store_and_export_verify(home: Path, exported: Export) -> None:
    for results in (Store(home / "store"), exported):
        found = verify(results, home)
        assert (found.verified, found.wrong, found.not_verifiable) == (4, (), {})


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        (lambda row: {"metrics": row.metrics | {"auc": row.metrics["auc"] - 1e-9}}, "recomputed .*stored "),
        (lambda row: {"metrics": {"auc": row.metrics["auc"]}}, "recomputed .*stored "),
        (lambda row: {"metrics": row.metrics | {"f1": 1.0}}, "recomputed .*stored .*f1"),
        (lambda row: {"n": 1000}, "30 units and None events were evaluated, stored are 1000 and None"),
        (lambda row: {"events": 3}, "stored are 30 and 3"),
        (lambda row: {"units_sha256": "0"}, "the evaluated units are not those of the row"),
    ],
    ids=["a number", "fewer", "more", "units", "events", "other units"],
)
def test_verify_finds_a_changed_row(
    home: Path, exported: Export, changed: Callable[[FoldResult], dict[str, object]], problem: str
) -> None:
    change_row(exported.path, 0, **changed(exported.rows()[0]))
    found = verify(exported, home)
    assert found.verified == 3
    (line,) = found.wrong
    assert re.match(f"toy_classification toy/mean_knn fold 0 seed 1: .*{problem}", line)


def test_a_shared_part_is_written_once_and_cannot_be_edited(exported: Export) -> None:
    path = exported.path / "shared.json"
    shared = json.loads(path.read_text())
    rows = exported.rows()
    assert len(rows) == 4
    assert len(shared) == 6  # protocol, provenance and definitions of two tasks
    key = next(key for key, part in shared.items() if "source_hash" in part)
    shared[key]["source_hash"] = "0" * 64
    path.write_text(json.dumps(shared))
    with pytest.raises(StoreError, match=f"shared.json was edited: {key} are not the hashes"):
        exported.rows()
    del shared[key]
    path.write_text(json.dumps(shared))
    with pytest.raises(StoreError, match=r"damaged row or one whose shared\.json is not its own"):
        exported.rows()


def test_training_curves_are_rounded_and_everything_else_is_not(home: Path, tmp_path: Path) -> None:
    store = Store(home / "store")
    row = store.rows()[0].model_copy(update={"history": ({"epoch": 1.0, "loss": 0.123456789},)})
    (read,) = export(store, [row], tmp_path / "out").rows()
    assert read.history == ({"epoch": 1.0, "loss": 0.12346},)
    assert read.timing
    assert row.timing
    assert read.timing.host == "not published"
    expected = row.model_copy(update={"history": read.history, "timing": read.timing})
    assert read == expected


def test_verify_finds_changed_predictions(home: Path, exported: Export) -> None:
    row = exported.rows()[-1]
    path = exported.path / predictions_file(row)
    with np.load(path) as arrays:
        values = dict(arrays)
    values[f"fold{row.fold}_risk"] = -values[f"fold{row.fold}_risk"]
    np.savez(path, **values)
    found = verify(exported, home)
    assert (found.verified, len(found.wrong)) == (3, 1)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(StoreError, match=r"cannot be read .* export the store again"):
        exported.prediction(row)
    assert len(verify(exported, home).wrong) == 2


def test_an_export_without_a_folds_predictions_says_so(exported: Export) -> None:
    row = exported.rows()[0]
    with pytest.raises(StoreError, match="no predictions of fold 7; export the store again"):
        exported.prediction(row.model_copy(update={"fold": 7}))
    with pytest.raises(StoreError, match="cannot be read"):
        exported.prediction(row.model_copy(update={"seed": 7}))


def test_verify_says_what_it_cannot_verify(home: Path, exported: Export, tmp_path: Path) -> None:
    found = verify(exported, tmp_path / "empty home")
    assert (found.verified, found.wrong) == (0, ())
    assert found.not_verifiable == {"toy_classification": 2, "toy_survival": 2}


def test_an_exported_row_that_lacks_slides_is_not_verifiable(home: Path, exported: Export) -> None:
    """Which slides it lacked is known in the store only."""
    protocol = exported.rows()[0].protocol.model_copy(update={"missing_slides": 2})
    change_row(exported.path, 0, protocol=protocol.model_dump())
    found = verify(exported, home)
    assert (found.verified, found.wrong, found.not_verifiable) == (3, (), {"toy_classification": 1})


def test_verify_refuses_other_labels(home: Path, exported: Export) -> None:
    shutil.rmtree(home / "tasks")
    make_home(home, folds=2, cases=62)
    make_home(home, "survival", folds=2)
    found = verify(exported, home)
    assert found.verified == 2
    assert all("toy_classification are not those that the row was made with" in line for line in found.wrong)


def test_verify_finds_a_changed_store(home: Path) -> None:
    store = Store(home / "store")
    first, second, *_ = store.rows()
    shutil.copy(store.predictions_path(first.fingerprint), store.predictions_path(second.fingerprint))
    found = verify(store, home)
    assert found.verified == 3
    assert "is not the file that fold" in found.wrong[0]
