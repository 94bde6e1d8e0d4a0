"""Send results to MLflow: a parent run per task x method x fraction, a child run per fold. Nothing depends on it."""

import os
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from hiptbench.errors import HiptbenchError, TrackingError
from hiptbench.files import sha256_json
from hiptbench.results import FoldResult
from hiptbench.store import Store

_TAG = "hiptbench.fingerprint"
_CELL = "hiptbench.cell"


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

    Args:
        store: The store that the rows are committed to.
    """

    def __init__(self, store: Store) -> None:
        self._session = _Session(store, tracking_uri(store))
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="mlflow")
        self._sent = self._present = 0
        self._failure: str | None = None
        self._thread.submit(self._guard, self._session.connect)

    def submit(self, row: FoldResult) -> None:
        """Send a committed row; returns at once."""
        self._thread.submit(self._guard, self._send, row)

    def close(self) -> SyncReport:
        """Wait until everything is sent, close the parent runs, and report."""
        self._thread.submit(self._guard, self._session.finish)
        self._thread.shutdown(wait=True)
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


def sync(store: Store, rows: Iterable[FoldResult] | None = None) -> SyncReport:
    """Send every row of a store that the MLflow server does not have.

    Args:
        store: The store.
        rows: The rows to send; all that were run here by default.
    """
    tracker = Tracker(store)
    for row in store.rows() if rows is None else rows:
        if row.kind != "published":
            tracker.submit(row)
    return tracker.close()


class _Session:
    """One connection to an MLflow server."""

    def __init__(self, store: Store, uri: str) -> None:
        self.store, self.uri = store, uri
        self._experiments: dict[str, str] = {}
        self._known: dict[str, dict[str, str]] = {}
        self._values: dict[str, dict[str, list[float]]] = {}

    def connect(self) -> None:
        """Fail fast if a server does not answer: MLflow itself would retry for minutes."""
        if not self.uri.startswith(("http://", "https://")):
            self.store.path.mkdir(parents=True, exist_ok=True)
            return
        try:
            with urllib.request.urlopen(f"{self.uri.rstrip('/')}/health", timeout=5) as answer:
                answer.read()
        except (urllib.error.URLError, TimeoutError, ValueError) as error:
            raise TrackingError(f"the MLflow server {self.uri} does not answer ({error})") from error
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")

    @cached_property
    def client(self) -> Any:
        """The client, made when the first row is sent: importing MLflow takes seconds."""
        import logging

        from mlflow import MlflowClient

        logging.getLogger("mlflow").setLevel(logging.WARNING)  # it announces each step of making its database
        return MlflowClient(tracking_uri=self.uri)

    def log(self, row: FoldResult) -> bool:
        """Log one fold as a child run; return False if the server has it already."""
        experiment = self._experiment(row.protocol.suite)
        cell = sha256_json([row.protocol.model_dump(), row.features, row.baseline, row.provenance.variant])
        for metric, value in row.metrics.items():
            self._values.setdefault(cell, {}).setdefault(metric, []).append(value)
        known = self._known[experiment]
        if row.fingerprint in known:
            return False
        if cell not in known:
            name = f"{row.protocol.task} {row.features}/{row.baseline} {row.protocol.fraction:g}"
            parent = self.client.create_run(experiment, run_name=name, tags={_CELL: cell})
            self._log_batch(parent.info.run_id, {}, _params(row))
            known[cell] = parent.info.run_id
        known[row.fingerprint] = self._log_child(experiment, known[cell], row)
        return True

    def finish(self) -> None:
        """Give each parent run touched its mean over folds, and mark it finished."""
        runs = {name: run for known in self._known.values() for name, run in known.items()}
        for cell, metrics in self._values.items():
            if cell in runs:
                means = {f"{metric}_mean": sum(values) / len(values) for metric, values in metrics.items()}
                self._log_batch(runs[cell], means | {"folds": float(len(next(iter(metrics.values()))))}, {})
                self.client.set_terminated(runs[cell])

    def _experiment(self, suite: str) -> str:
        if suite not in self._experiments:
            name = f"hiptbench/{suite}"
            found = self.client.get_experiment_by_name(name)
            self._experiments[suite] = found.experiment_id if found else self._create_experiment(name)
            self._known[self._experiments[suite]] = self._runs_of(self._experiments[suite])
        return self._experiments[suite]

    def _create_experiment(self, name: str) -> str:
        local = self.uri.startswith("sqlite:")
        place = (self.store.path / "mlartifacts").as_uri() if local else None
        experiment: str = self.client.create_experiment(name, artifact_location=place)
        return experiment

    def _runs_of(self, experiment: str) -> dict[str, str]:
        """Return fingerprint or cell to run id, of everything that the server has."""
        found: dict[str, str] = {}
        token = None
        while True:
            page = self.client.search_runs([experiment], max_results=1000, page_token=token)
            for run in page:
                key = run.data.tags.get(_TAG) if run.info.status == "FINISHED" else None
                key = key or run.data.tags.get(_CELL)
                if key:
                    found[key] = run.info.run_id
            token = page.token
            if not token:
                return found

    def _log_child(self, experiment: str, parent: str, row: FoldResult) -> str:
        tags = {_TAG: row.fingerprint, "mlflow.parentRunId": parent, "hiptbench.kind": row.kind}
        child = self.client.create_run(experiment, run_name=f"fold {row.fold} seed {row.seed}", tags=tags)
        run_id: str = child.info.run_id
        self._log_batch(run_id, row.metrics, _params(row) | {"fold": row.fold, "draw": row.draw, "seed": row.seed})
        self.client.log_text(run_id, row.model_dump_json(indent=1), "card.json")
        self.client.log_artifact(run_id, str(self.store.predictions_path(row.fingerprint)), "predictions")
        self.client.set_terminated(run_id)  # only a finished child counts as sent
        return run_id

    def _log_batch(self, run_id: str, metrics: Mapping[str, float], params: Mapping[str, object]) -> None:
        import time

        from mlflow.entities import Metric, Param

        now = int(time.time() * 1000)
        self.client.log_batch(
            run_id,
            metrics=[Metric(name, value, now, 0) for name, value in metrics.items()],
            params=[Param(name, str(value)) for name, value in params.items()],
        )


def _params(row: FoldResult) -> dict[str, object]:
    """Return Protocol and Provenance as flat parameters."""
    provenance = row.provenance.model_dump(exclude={"settings", "versions"})
    settings = {f"setting.{name}": value for name, value in row.provenance.settings.items()}
    versions = {f"version.{name}": value for name, value in row.provenance.versions.items()}
    method = {"features": row.features, "baseline": row.baseline}
    return method | row.protocol.model_dump() | provenance | settings | versions
