"""MLflow, on a real server and in the default SQLite file, has what the store has; a broken server harms nothing."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hiptbench.files import sha256_file
from hiptbench.results import FoldResult
from hiptbench.store import Store
from hiptbench.tracking import Tracker, sync, tracking_uri
from toys import TWO_UNITS, fill, free_port, make_row

# MLflow 3.17 uses an option that SQLAlchemy 2.1 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy is deprecated:DeprecationWarning")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real MLflow server on this machine."""
    folder, port = tmp_path_factory.mktemp("mlflow"), free_port()
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    command += ["--backend-store-uri", f"sqlite:///{folder}/db", "--artifacts-destination", str(folder / "artifacts")]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=log, env=os.environ | {"MLFLOW_DISABLE_TELEMETRY": "true"}
        )
    uri, end = f"http://127.0.0.1:{port}", time.monotonic() + 90
    try:
        while not answers(uri):
            assert process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < end, (folder / "log").read_text()
            time.sleep(0.2)
        yield uri
    finally:
        process.terminate()
        process.wait(20)


def answers(uri: str) -> bool:
    try:
        with urllib.request.urlopen(f"{uri}/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


class Seen:
    """What an MLflow server has of a suite."""

    def __init__(self, uri: str, suite: str) -> None:
        from mlflow import MlflowClient

        self.client = MlflowClient(uri)
        experiment = self.client.get_experiment_by_name(f"hiptbench/{suite}")
        runs = self.client.search_runs([experiment.experiment_id], max_results=100) if experiment else []
        self.children = {r.data.tags["hiptbench.fingerprint"]: r for r in runs if "mlflow.parentRunId" in r.data.tags}
        self.parents = {r.info.run_id: r for r in runs if "mlflow.parentRunId" not in r.data.tags}
        assert len(self.children) + len(self.parents) == len(runs)  # nothing is there twice

    def parent_of(self, row: FoldResult) -> Any:
        return self.parents[self.children[row.fingerprint].data.tags["mlflow.parentRunId"]]

    def download(self, row: FoldResult, name: str, folder: Path) -> Path:
        folder.mkdir(exist_ok=True)
        return Path(self.client.download_artifacts(self.children[row.fingerprint].info.run_id, name, str(folder)))


@pytest.fixture(params=["server", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A store whose results go to a server, or to the default file inside it."""
    if request.param == "server":
        monkeypatch.setenv("MLFLOW_TRACKING_URI", request.getfixturevalue("server"))
    else:
        monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return Store(tmp_path / "a store")


def test_mlflow_has_what_the_store_has(store: Store, tmp_path: Path) -> None:
    suite = f"own:{tmp_path.name}"
    groups = [
        fill(store, suite),
        fill(store, suite, baseline="another"),
        fill(store, suite, protocol={"fraction": 0.25}),
        fill(store, suite, protocol={"task": "another"}),
    ]
    report = sync(store)
    assert (report.sent, report.present, report.failure) == (8, 0, None)
    seen = Seen(tracking_uri(store), suite)
    assert (len(seen.parents), len(seen.children)) == (4, 8)
    for rows in groups:
        parent = seen.parent_of(rows[0])
        assert seen.parent_of(rows[1]).info.run_id == parent.info.run_id
        assert parent.info.status == "FINISHED"
        assert parent.data.metrics == {"folds": 2, "auc_mean": 0.625}
        for row in rows:
            assert_is_the_row(seen, row, tmp_path / "downloaded")


def assert_is_the_row(seen: Seen, row: FoldResult, folder: Path) -> None:
    child = seen.children[row.fingerprint]
    assert child.info.status == "FINISHED"
    assert child.data.metrics == row.metrics
    stated = {"task": row.protocol.task, "fraction": str(row.protocol.fraction), "baseline": row.baseline}
    assert child.data.params.items() >= (stated | {"fold": str(row.fold), "seed": "1", "cohort": "c"}).items()
    card = seen.download(row, "card.json", folder)
    assert FoldResult.model_validate_json(card.read_text()) == row
    (parquet,) = seen.download(row, "predictions", folder).iterdir()
    assert Store(folder).predictions_path(row.fingerprint).name == parquet.name
    assert sha256_file(parquet) == row.predictions_sha256
    parquet.unlink()


def test_training_curves_and_nested_settings_are_sent(store: Store, tmp_path: Path) -> None:
    suite = f"own:{tmp_path.name}"
    row = make_row(0.5, protocol={"suite": suite}).model_copy(
        update={"history": tuple({"epoch": epoch, "loss": 1 / epoch, "val_loss": 2 / epoch} for epoch in (1.0, 2.0))}
    )
    settings = {"recipe": {"epochs": 2, "sampling": "weighted"}, "model_settings": {}}
    row = row.model_copy(update={"provenance": row.provenance.model_copy(update={"settings": settings})})
    store.commit(row, TWO_UNITS)
    sync(store)
    seen = Seen(tracking_uri(store), suite)
    child = seen.children[row.fingerprint]
    for name, first in (("loss", 1), ("val_loss", 2)):
        points = seen.client.get_metric_history(child.info.run_id, name)
        assert [(point.step, point.value) for point in points] == [(1, first), (2, first / 2)]
    assert "epoch" not in child.data.metrics
    assert child.data.params["setting.recipe.epochs"] == "2"
    assert child.data.params["setting.model_settings"] == "{}"


def test_a_history_that_counts_no_epochs_is_numbered(store: Store, tmp_path: Path) -> None:
    suite = f"own:{tmp_path.name}"
    row = make_row(0.5, protocol={"suite": suite}).model_copy(update={"history": ({"loss": 0.5}, {"loss": 0.25})})
    store.commit(row, TWO_UNITS)
    assert sync(store).failure is None
    seen = Seen(tracking_uri(store), suite)
    points = seen.client.get_metric_history(seen.children[row.fingerprint].info.run_id, "loss")
    assert [(point.step, point.value) for point in points] == [(1, 0.5), (2, 0.25)]


def test_a_second_sync_sends_nothing(store: Store, tmp_path: Path) -> None:
    suite = f"own:{tmp_path.name}"
    (first, _) = fill(store, suite)
    assert sync(store).sent == 2
    again = sync(store)
    assert (again.sent, again.present, again.failure) == (0, 2, None)
    seen = Seen(tracking_uri(store), suite)
    assert (len(seen.parents), len(seen.children)) == (1, 2)
    assert len(seen.client.get_metric_history(seen.parent_of(first).info.run_id, "auc_mean")) == 1


def test_a_mean_is_logged_only_when_no_fold_is_missing(store: Store, tmp_path: Path) -> None:
    suite = f"own:{tmp_path.name}"
    rows = [make_row(value, fold=fold, protocol={"suite": suite}) for fold, value in enumerate((0.5, 1.0))]
    for expected, row in zip([{"folds": 1}, {"folds": 2, "auc_mean": 0.75}], rows, strict=True):
        with Tracker(store) as tracker:
            tracker.submit(store.commit(row, TWO_UNITS))
            assert tracker.close().failure is None
        assert Seen(tracking_uri(store), suite).parent_of(row).data.metrics == expected


def test_a_child_that_was_left_unfinished_is_finished_not_doubled(store: Store, tmp_path: Path) -> None:
    suite = f"own:{tmp_path.name}"
    (row, _) = fill(store, suite)
    assert sync(store).failure is None
    seen = Seen(tracking_uri(store), suite)
    run_id = seen.children[row.fingerprint].info.run_id
    seen.client.update_run(run_id, status="RUNNING")
    seen.client.update_run(seen.parent_of(row).info.run_id, status="RUNNING")  # as a killed process leaves them
    report = sync(store)
    assert (report.sent, report.present) == (1, 1)
    after = Seen(tracking_uri(store), suite)
    assert after.children[row.fingerprint].info.run_id == run_id
    assert {run.info.status for run in (*after.children.values(), *after.parents.values())} == {"FINISHED"}


def test_the_default_is_a_file_inside_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    store = Store(tmp_path / "store")
    rows = fill(store, "own:x")
    assert sync(store).failure is None
    assert (store.path / "mlflow.db").is_file()
    artifacts = list((store.path / "mlartifacts").glob("**/*.*"))
    assert sorted(path.name for path in artifacts) == sorted(
        ["card.json"] * 2 + [f"{row.fingerprint}.parquet" for row in rows]
    )
    cards = [json.loads(path.read_text())["fingerprint"] for path in artifacts if path.name == "card.json"]
    assert sorted(cards) == sorted(row.fingerprint for row in rows)
    assert store.rows() == sorted(rows, key=lambda row: row.fingerprint)  # the database is no row
