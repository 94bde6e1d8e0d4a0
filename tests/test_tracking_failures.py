"""A server that is dead, or none of MLflow's, and a run that fails, harm no result: `sync` sends them later."""

import http.server
import importlib
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from hiptbench.results import FoldResult
from hiptbench.store import Store
from hiptbench.tracking import Tracker, sync
from toys import fill, free_port

# MLflow 3.17 uses an option that SQLAlchemy 2.1 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy is deprecated:DeprecationWarning")


def test_a_dead_server_harms_nothing_and_sync_catches_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, suite = Store(tmp_path / "store"), f"own:{tmp_path.name}"
    dead = f"http://127.0.0.1:{free_port()}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", dead)
    begin = time.monotonic()
    with Tracker(store) as tracker:
        for row in fill(store, suite):
            tracker.submit(row)
        report = tracker.close()
    assert time.monotonic() - begin < 10
    assert (report.uri, report.sent) == (dead, 0)
    assert report.failure is not None
    assert f"the MLflow server {dead} does not answer" in report.failure
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    again = sync(store)
    assert (again.sent, again.failure) == (2, None)


@contextmanager
def web_server(answers: dict[str, int]) -> Iterator[str]:
    """Answer some paths with a status and all others with 404: a server, but none of MLflow's."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(answers.get(self.path, 404))
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        thread = threading.Thread(target=httpd.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{httpd.server_port}"
        finally:
            httpd.shutdown()
            thread.join()


@pytest.mark.parametrize("health", [200, 404])
def test_a_server_that_is_not_mlflows_harms_nothing(
    health: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path / "store")
    fill(store, "own:x")
    importlib.import_module("mlflow")  # which takes seconds of its own
    with web_server({"/health": health}) as uri:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
        begin = time.monotonic()
        report = sync(store)
    assert time.monotonic() - begin < 10
    assert report.sent == 0
    assert report.failure is not None
    assert "does not answer" not in report.failure


def test_a_run_that_fails_leaves_the_rest_to_sync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    store = Store(tmp_path / "store")
    rows = [row for number in range(5) for row in fill(store, "own:x", baseline=f"b{number}")]
    with pytest.raises(KeyboardInterrupt):
        submit_and_fail(store, rows)
    assert not any(thread.name.startswith("mlflow") for thread in threading.enumerate())
    report = sync(store)
    assert report.failure is None
    assert report.sent > 5
    assert report.sent + report.present == 10


def submit_and_fail(store: Store, rows: Sequence[FoldResult]) -> None:
    with Tracker(store) as tracker:
        for row in rows:
            tracker.submit(row)
        raise KeyboardInterrupt
