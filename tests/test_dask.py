"""Folds on dask: the store of a serial run, whatever dies, on a cluster of our own and on one of others."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

import executor_heads
from hiptbench.errors import HiptbenchError, RunError
from hiptbench.executors import make_executor
from hiptbench.messages import Message
from hiptbench.plans import Plan
from hiptbench.results import FoldResult
from hiptbench.runner import run
from hiptbench.store import Store
from toys import baseline_file, free_port, make_home, plan_of

dask = pytest.importorskip("dask", reason="needs the extra 'dask'")
dask_cluster = pytest.importorskip("hiptbench.executors.dask_cluster", reason="needs the extra 'dask'")

TESTS = Path(__file__).parent
ENVIRONMENT = os.environ | {"PYTHONPATH": os.pathsep.join([str(TESTS), *filter(None, [os.environ.get("PYTHONPATH")])])}


def wait_for(what: Callable[[], object], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, f"waited {seconds} s in vain"
        time.sleep(0.02)


class Cluster:
    """A scheduler and two workers, as others would start them; the second worker has two threads."""

    def __init__(self, folder: Path, end: ExitStack) -> None:
        self._folder, self._end = folder, end
        port = free_port()
        self.address = f"tcp://127.0.0.1:{port}"
        self.scheduler = self._start("scheduler", "--host", "127.0.0.1", "--port", str(port))
        threads = ("--no-nanny", "--local-directory", str(folder), "--nthreads")
        self.workers = [self._start("worker", self.address, *threads, number) for number in "12"]

    @property
    def executor(self) -> str:
        return f"dask:{self.address}"

    def _start(self, *verb: str) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "dask", *verb, "--no-dashboard"]
        with (self._folder / verb[0]).open("ab") as log:
            process = subprocess.Popen(command, env=ENVIRONMENT, stdout=log, stderr=log)
        self._end.enter_context(process)
        self._end.callback(process.kill)
        return process


@contextmanager
def started(folder: Path) -> Iterator[Cluster]:
    with ExitStack() as end:
        yield Cluster(folder, end)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with started(tmp_path_factory.mktemp("cluster")) as made:
        yield made


def contents(store: Store) -> list[tuple[FoldResult, bytes]]:
    """Return all that a store holds, but when and where."""
    rows = [row.model_copy(update={"timing": None}) for row in store.rows()]
    return [(row, store.predictions_path(row.fingerprint).read_bytes()) for row in rows]


def troubled(home: Path, head: str, **settings: object) -> Plan:
    """Plan four folds, of which fold 2 is in trouble."""
    task = make_home(home, evaluate_on="val", folds=4)
    method = baseline_file(home, "troubled", head, lacking=task.splits[2].val[0], **settings)
    return plan_of(home, task.name, method)


FOLD = "toy_classification, toy/troubled, fold 2, seed 1"


@pytest.fixture
def mortal(tmp_path: Path) -> Plan:
    (tmp_path / "graves").mkdir()
    return troubled(tmp_path, "executor_heads:Mortal", deaths=1, graves=str(tmp_path / "graves"))


def test_a_local_cluster_leaves_the_store_of_a_serial_run_whatever_dies(mortal: Plan, tmp_path: Path) -> None:
    here, there = Store(tmp_path / "here"), Store(tmp_path / "there")
    report = run(mortal, there, executor="dask:local:2")
    assert list((tmp_path / "graves").iterdir())  # a worker was killed in the midst of a fold
    run(mortal, here, executor="serial")
    assert len(report.finished) == 4
    assert contents(there) == contents(here)
    assert {row.timing.executor for row in report.finished if row.timing} == {"dask:local:2"}
    assert not local_workers()


def local_workers() -> list[psutil.Process]:
    """Return the processes that a local cluster of this one has running."""
    found = psutil.Process().children(recursive=True)
    return [p for p in found if "spawn_main" in " ".join(p.cmdline()) and p.status() != psutil.STATUS_ZOMBIE]


def test_a_fold_that_kills_every_worker_fails_the_run(mortal: Plan, tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    # A worker may have been given fold 3 beforehand, and dask does not tell which of the two it died from.
    problem = r"fold [23], seed 1: the workers that it was given to died, .* neighbour. .* run the same command again"
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        pytest.raises(RunError, match=problem),
    ):
        run(mortal, store, executor="dask:local:1")
    assert {row.fold for row in store.rows()} <= {0, 1, 3}
    assert not local_workers()


def test_a_cluster_of_others_leaves_the_store_of_a_serial_run_and_runs_on(cluster: Cluster, tmp_path: Path) -> None:
    task = make_home(tmp_path, "survival")
    plan = plan_of(tmp_path, task.name, "mean_cox")
    stores = [Store(tmp_path / name) for name in ("serial", "first", "second")]
    for store, executor in zip(stores, ("serial", cluster.executor, cluster.executor), strict=True):
        assert len(run(plan, store, executor=executor).finished) == 6
    assert contents(stores[0]) == contents(stores[1]) == contents(stores[2])
    assert all(process.poll() is None for process in (cluster.scheduler, *cluster.workers))


@pytest.mark.parametrize(
    ("how", "error", "problem", "notes"),
    [
        ("mendable", RunError, f"{FOLD}: this head does not like this fold", []),
        ("bug", ZeroDivisionError, "a bug in somebody's head", [f"This was {FOLD}. Finished folds are kept."]),
    ],
)
def test_a_fold_that_fails_is_not_run_again(
    how: str, error: type[Exception], problem: str, notes: list[str], cluster: Cluster, tmp_path: Path
) -> None:
    plan, store = troubled(tmp_path, "own_heads:Troubled", how=how), Store(tmp_path / "store")
    with pytest.raises(error, match=problem) as raised:
        run(plan, store, executor=cluster.executor)
    assert {row.fold for row in store.rows()} <= {0, 1, 3}
    assert getattr(raised.value, "__notes__", []) == notes


@pytest.fixture
def telling(tmp_path: Path) -> Plan:
    task = make_home(tmp_path, folds=3)
    return plan_of(tmp_path, task.name, baseline_file(tmp_path, "telling", "executor_heads:Telling"))


def test_a_run_hands_on_what_its_folds_send(telling: Plan, cluster: Cluster, tmp_path: Path) -> None:
    heard: list[dict[str, Any]] = []
    report = run(
        telling, Store(tmp_path / "store"), executor=cluster.executor, on_message=lambda m: heard.append(dict(m))
    )
    assert len(report.finished) == 3
    told = [message for message in heard if "epoch" in message]
    labels = {str(message["label"]) for message in told}
    assert len(labels) >= 2  # two folds may have their first unit in common
    for epoch, loss in ((1, 0.5), (2, float("inf"))):
        of_epoch = [message for message in told if message["epoch"] == epoch]
        assert of_epoch == [{"label": m["label"], "epoch": epoch, "loss": loss} for m in of_epoch]
        assert {m["label"] for m in of_epoch} == labels
        assert len(of_epoch) == 3


def test_messages_spoil_nothing(telling: Plan, cluster: Cluster, tmp_path: Path) -> None:
    heard: list[Message] = []

    def deaf(message: Message) -> None:
        heard.append(message)
        raise ValueError(message)

    with make_executor(cluster.executor, on_message=deaf) as pool:
        assert pool.submit(executor_heads.mumble).result() == "done"
        assert heard == [{"label": "clear"}]
    assert len(run(telling, Store(tmp_path / "store"), executor=cluster.executor).finished) == 3


def test_equal_calls_are_two_calls_and_each_has_its_process_for_itself(cluster: Cluster, tmp_path: Path) -> None:
    with make_executor(cluster.executor) as pool:
        assert all(call.result() for call in [pool.submit(executor_heads.alone, tmp_path) for _ in range(6)])
        calls = [pool.submit(executor_heads.begin, tmp_path, seconds=0) for _ in range(4)]
        assert [call.result() for call in calls] == [None] * 4
        assert len(list(tmp_path.iterdir())) == 4


def test_what_has_not_begun_on_a_cluster_of_others_is_taken_back(cluster: Cluster, tmp_path: Path) -> None:
    with make_executor(cluster.executor) as pool:
        for _ in range(20):
            pool.submit(executor_heads.begin, tmp_path, 0.5)
        wait_for(lambda: list(tmp_path.iterdir()))
    with make_executor(cluster.executor) as pool:
        assert pool.submit(abs, -1).result(20) == 1
    time.sleep(1)
    assert len(list(tmp_path.iterdir())) < 10


def test_a_local_cluster_ends_at_once_with_what_it_runs(tmp_path: Path) -> None:
    pool = make_executor("dask:local:2")
    for _ in range(4):
        pool.submit(executor_heads.begin, tmp_path, 60)
    wait_for(lambda: len(list(tmp_path.iterdir())) == 2)
    assert len(local_workers()) == 2
    start = time.monotonic()
    pool.stop()
    assert time.monotonic() - start < 3
    assert not local_workers()


def test_a_scheduler_that_is_lost_fails_the_run(telling: Plan, tmp_path: Path, capfd: Any) -> None:
    (tmp_path / "cluster").mkdir()
    with (
        started(tmp_path / "cluster") as lost,
        pytest.raises(RunError, match=r"fold ., seed 1: the dask scheduler dropped it or cannot be reached any more\."),
    ):
        run(
            telling,
            Store(tmp_path / "store"),
            executor=lost.executor,
            on_message=lambda _: lost.scheduler.kill(),
        )
    assert capfd.readouterr().err == ""


@contextmanager
def listening(answer: bytes) -> Iterator[str]:
    """Listen, and answer the first connection with these bytes, as something that is no scheduler."""
    with socket.create_server(("127.0.0.1", 0)) as server, ExitStack() as end:

        def accept() -> None:
            connection = end.enter_context(server.accept()[0])
            connection.sendall(answer)

        threading.Thread(target=accept, daemon=True).start()
        yield f"dask:tcp://127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0-OpenSSH_9.6\r\n"])
def test_what_is_no_scheduler_is_named(answer: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask_cluster, "CONNECT_SECONDS", 1)
    with listening(answer) as name, pytest.raises(RunError, match=f"no dask scheduler at {name[5:]}: .*--executor"):
        make_executor(name)


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("tcp://127.0.0.1:FREE", "no answer in 1 s. Start one with `dask scheduler`"),
        ("tcp://127.0.0.1", "missing port number"),
        ("tcp://", "missing port number"),
        ("tls://127.0.0.1:8786", "TLS expects .* check your TLS configuration"),
    ],
)
def test_an_address_where_nobody_listens(address: str, problem: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask_cluster, "CONNECT_SECONDS", 1)
    address = address.replace("FREE", str(free_port()))
    with pytest.raises(RunError, match=f"There is no dask scheduler at {address}: {problem}") as raised:
        make_executor(f"dask:{address}")
    assert isinstance(raised.value, HiptbenchError)


def test_an_interrupted_run_ends_its_cluster_and_goes_on_later(tmp_path: Path) -> None:
    task = make_home(tmp_path)
    slow, store = baseline_file(tmp_path, "slow", "own_heads:Slow"), Store(tmp_path / "store")
    where = ["--home", str(tmp_path), "--store", str(store.path), "--no-track", "--executor", "dask:local:2"]
    what = ["--task", task.name, "--features", str(tmp_path / "toy"), "--baseline", slow]
    command = [sys.executable, "-m", "hiptbench.cli", "run", *what, *where]
    with (tmp_path / "output").open("w") as output:
        slowly = ENVIRONMENT | {"SLOW_SECONDS": "1"}
        process = subprocess.Popen(command, env=slowly, stdout=output, stderr=output, start_new_session=True)
    wait_for(lambda: store.rows() or process.poll() is not None)
    assert process.poll() is None, (tmp_path / "output").read_text()
    running = psutil.Process(process.pid).children(recursive=True)
    os.killpg(process.pid, signal.SIGINT)  # a terminal sends it to every process of the group
    assert process.wait(20) == 130
    said = (tmp_path / "output").read_text()
    assert "Interrupted" in said
    assert "Traceback" not in said
    wait_for(lambda: not [p for p in running if p.is_running() and p.status() != psutil.STATUS_ZOMBIE], 5)
    plan = plan_of(tmp_path, task.name, slow)
    assert 0 < len(plan.to_do(store)) < 6
    run(plan, store, executor="serial")
    run(plan, undisturbed := Store(tmp_path / "undisturbed"), executor="serial")
    assert contents(store) == contents(undisturbed)
