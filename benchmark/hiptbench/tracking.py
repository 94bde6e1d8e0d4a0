"""Send results to MLflow: a parent run per task x method x fraction, a child run per fold. Nothing depends on it."""

import logging
import os
import time
import urllib.error
import urllib.request
from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from types import TracebackType
from typing import Any

from hiptbench.errors import HiptbenchError, TrackingError
from hiptbench.files import sha256_json
from hiptbench.results import FoldResult
from hiptbench.store import Store

_TAG = "hiptbench.fingerprint"
_CELL = "hiptbench.cell"
_MOST_METRICS = 1000  # in one request to MLflow


@dataclass(frozen=True)
class SyncReport:
    """What was sent: how many folds, how many the server had already, and why it stopped, if it did."""

    uri: str
    sent: int
    present: int
    failure: str | None = None


def tracking_uri(store: Store) -> str:
    """Return where results are tracked: ``MLFLOW_TRACKING_URI``, otherwise an SQLite file inside the store."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{store.path / 'mlflow.db'}"


class Tracker:
    """Sends rows in the background, in the order given; a server that fails is reported by ``close``.

    As a context manager it ends its thread in any case: where the block fails or is interrupted, what was not sent yet
    is left to ``sync``.

    Args:
        store: The store that the rows are committed to.
    """

    def __init__(self, store: Store) -> None:
        self._session = _Session(store, tracking_uri(store))
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="mlflow")
        self._sent = self._present = 0
        self._failure: str | None = None
        self._thread.submit(self._guard, self._session.connect)

    def __enter__(self) -> "Tracker":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.shutdown(cancel_futures=kind is not None)

    def submit(self, row: FoldResult) -> None:
        """Send a committed row; returns at once."""
        self._thread.submit(self._guard, self._send, row)

    def close(self) -> SyncReport:
        """Wait until everything is sent, close the parent runs, and report."""
        self._thread.submit(self._guard, self._session.finish)
        self._thread.shutdown()
        return SyncReport(self._session.uri, self._sent, self._present, self._failure)

    def _send(self, row: FoldResult) -> None:
        if self._session.log(row):
            self._sent += 1
        else:
            self._present += 1

    def _guard(self, call: Any, *args: Any) -> None:
        """Run a call unless an earlier one failed: a broken server must fail nothing, and be asked only once."""
        if self._failure is not None:
            return
        try:
            call(*args)
        except HiptbenchError as error:
            self._failure = str(error)
        except Exception as error:  # noqa: BLE001 - MLflow raises many kinds, and none may end a run
            self._failure = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"


def sync(store: Store) -> SyncReport:
    """Send every row of a store that the MLflow server does not have.

    Raises:
        StoreError: If a row is damaged.
    """
    rows = store.rows()
    with Tracker(store) as tracker:
        for row in rows:
            tracker.submit(row)
        return tracker.close()


class _Session:
    """One connection to an MLflow server, and what is known of the runs that it has."""

    def __init__(self, store: Store, uri: str) -> None:
        self.store, self.uri = store, uri
        self._experiments: dict[str, str] = {}
        self._done: dict[str, str] = {}  # fingerprint of a sent fold, or cell of a parent, to run id
        self._begun: dict[str, str] = {}  # fingerprint to run id of a child that an earlier session left unfinished
        self._open: set[str] = set()  # cells whose parent has yet to be closed

    def connect(self) -> None:
        """Fail fast if a server does not answer: MLflow itself would retry for minutes."""
        if not self.uri.startswith(("http://", "https://")):
            self.store.path.mkdir(parents=True, exist_ok=True)
            return
        try:
            with urllib.request.urlopen(f"{self.uri.rstrip('/')}/health", timeout=5) as answer:
                answer.read()
        except urllib.error.HTTPError as error:
            error.close()  # it answers; not every host of MLflow has a page of that name
        except (OSError, ValueError) as error:
            raise TrackingError(f"the MLflow server {self.uri} does not answer ({error})") from error

    @cached_property
    def client(self) -> Any:
        """The client, made when the first row is sent: importing MLflow takes seconds."""
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")  # seven by default, which take minutes
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # nothing may leave a hospital unasked
        from mlflow import MlflowClient

        logging.getLogger("mlflow").setLevel(logging.WARNING)  # it announces each step of making its database
        return MlflowClient(tracking_uri=self.uri)

    def log(self, row: FoldResult) -> bool:
        """Log one fold as a child run; return False if the server has it already."""
        experiment = self._experiment(row.protocol.suite)
        if row.fingerprint in self._done:
            return False
        cell = _cell(row)
        if cell not in self._done:
            name = f"{row.protocol.task} {row.features}/{row.baseline} {row.protocol.fraction:g}"
            self._done[cell] = self._create_run(experiment, name, {_CELL: cell})
            self._log_batch(self._done[cell], {}, _params(row))
        self._open.add(cell)
        self._done[row.fingerprint] = self._log_child(experiment, self._done[cell], row)
        return True

    def finish(self) -> None:
        """Give each parent run that was touched the mean of its folds, unless some are missing, and close it."""
        cells: dict[str, list[FoldResult]] = defaultdict(list)
        for row in self.store.rows() if self._open else ():
            cells[_cell(row)].append(row)
        for cell in self._open & set(cells):
            self._log_batch(self._done[cell], _means(cells[cell]), {})
            self.client.set_terminated(self._done[cell])

    def _experiment(self, suite: str) -> str:
        if suite not in self._experiments:
            name = f"hiptbench/{suite}"
            found = self.client.get_experiment_by_name(name)
            experiment: str = found.experiment_id if found else self._create_experiment(name)
            self._learn_runs(experiment)
            self._experiments[suite] = experiment
        return self._experiments[suite]

    def _create_experiment(self, name: str) -> str:
        local = self.uri.startswith("sqlite:")
        place = (self.store.path / "mlartifacts").as_uri() if local else None
        experiment: str = self.client.create_experiment(name, artifact_location=place)
        return experiment

    def _learn_runs(self, experiment: str) -> None:
        token = None
        while True:
            page = self.client.search_runs([experiment], max_results=1000, page_token=token)
            for run in page:
                self._learn_run(run.info.run_id, run.data.tags, finished=run.info.status == "FINISHED")
            token = page.token
            if not token:
                return

    def _learn_run(self, run_id: str, tags: Mapping[str, str], *, finished: bool) -> None:
        if _CELL in tags:
            self._done[tags[_CELL]] = run_id
            self._open |= set() if finished else {tags[_CELL]}
        elif _TAG in tags:
            (self._done if finished else self._begun)[tags[_TAG]] = run_id

    def _log_child(self, experiment: str, parent: str, row: FoldResult) -> str:
        executor = (row.timing and row.timing.executor) or "unknown"
        tags = {_TAG: row.fingerprint, "mlflow.parentRunId": parent, "hiptbench.kind": row.kind}
        tags["hiptbench.executor"] = executor
        name = f"fold {row.fold} seed {row.seed}" + (f" draw {row.draw}" if row.protocol.draws > 1 else "")
        run_id = self._begun.get(row.fingerprint) or self._create_run(experiment, name, tags)
        self._log_batch(run_id, row.metrics, _params(row) | {"fold": row.fold, "draw": row.draw, "seed": row.seed})
        self._log_curves(run_id, row)
        self.client.log_text(run_id, row.model_dump_json(indent=1), "card.json")
        self.client.log_artifact(run_id, str(self.store.predictions_path(row.fingerprint)), "predictions")
        self.client.set_terminated(run_id)  # only a finished child counts as sent
        return run_id

    def _create_run(self, experiment: str, name: str, tags: Mapping[str, str]) -> str:
        run_id: str = self.client.create_run(experiment, run_name=name, tags=dict(tags)).info.run_id
        return run_id

    def _log_curves(self, run_id: str, row: FoldResult) -> None:
        """Send what training measured, epoch by epoch, in batches as large as MLflow takes."""
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        points = [
            Metric(name, value, now, int(measured.get("epoch", position)))
            for position, measured in enumerate(row.history, start=1)
            for name, value in measured.items()
            if name != "epoch"
        ]
        for begin in range(0, len(points), _MOST_METRICS):
            self.client.log_batch(run_id, metrics=points[begin : begin + _MOST_METRICS])

    def _log_batch(self, run_id: str, metrics: Mapping[str, float], params: Mapping[str, object]) -> None:
        from mlflow.entities import Metric, Param

        now = int(time.time() * 1000)
        self.client.log_batch(
            run_id,
            metrics=[Metric(name, value, now, 0) for name, value in metrics.items()],
            params=[Param(name, str(value)) for name, value in params.items()],
        )


def _cell(row: FoldResult) -> str:
    """Return what the folds of one parent run have in common."""
    return sha256_json([row.protocol.model_dump(), row.features, row.baseline, row.provenance.variant])


def _means(rows: Sequence[FoldResult]) -> dict[str, float]:
    """Return the mean of each metric; nothing but the number of folds where a seed lacks some of them."""
    runs = {(row.seed, row.draw) for row in rows}
    means = {"folds": float(len(rows))}
    if len(rows) == len(runs) * rows[0].protocol.folds:
        means |= {f"{name}_mean": sum(row.metrics[name] for row in rows) / len(rows) for name in rows[0].metrics}
    return means


def _params(row: FoldResult) -> dict[str, object]:
    """Return Protocol and Provenance as flat parameters."""
    provenance = row.provenance.model_dump(exclude={"settings", "versions"})
    settings = _flat("setting", row.provenance.settings)
    versions = {f"version.{name}": value for name, value in row.provenance.versions.items()}
    method = {"features": row.features, "baseline": row.baseline}
    return method | row.protocol.model_dump() | provenance | settings | versions


def _flat(prefix: str, values: Mapping[str, Any]) -> dict[str, object]:
    """Return nested values by their dotted names."""
    flat: dict[str, object] = {}
    for name, value in values.items():
        key = f"{prefix}.{name}"
        flat |= _flat(key, value) if isinstance(value, Mapping) and value else {key: value}
    return flat
