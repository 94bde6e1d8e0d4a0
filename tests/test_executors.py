"""Executors: by name, ended at once, and messages from what they run, which can harm nothing."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import executor_heads
from hiptbench.errors import RunError, UnknownNameError
from hiptbench.executors import EXECUTORS, SerialExecutor, make_executor
from hiptbench.messages import Message, send
from hiptbench.runner import run
from hiptbench.store import Store
from toys import baseline_file, make_home, plan_of


def test_an_unknown_executor_is_answered_with_what_exists() -> None:
    assert isinstance(make_executor("serial"), SerialExecutor)
    with pytest.raises(UnknownNameError, match=r"no executor 'procesess'. Did you mean 'processes'") as raised:
        make_executor("procesess")
    assert all(name in str(raised.value) for name in EXECUTORS)
    for name in ("", "serial:2", "dask", "dask:", "dask:lokal", "dask:localhost:8786", "dask:http://here:1"):
        with pytest.raises(UnknownNameError, match=f"no executor '{name}'"):
            make_executor(name)


@pytest.mark.parametrize("kind", ["processes", "dask:local"])
@pytest.mark.parametrize("count", ["", "0", "-1", "two", "²"])
def test_a_number_of_processes_is_positive(kind: str, count: str) -> None:
    with pytest.raises(RunError, match=f"'{kind}:{count}' needs a positive number of processes, such as {kind}:2"):
        make_executor(f"{kind}:{count}")


def test_without_dask_the_message_says_what_to_install() -> None:
    code = """
import sys
sys.modules["distributed"] = None  # as if it were not installed
from hiptbench.executors import make_executor
make_executor("serial")
make_executor("dask:local")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.endswith(
        "RunError: The executor 'dask' needs dask.distributed: pip install 'hiptbench[dask]'.\n"
    )


def test_a_stopped_executor_leaves_no_process(tmp_path: Path) -> None:
    pool = make_executor("processes:2", on_message=print)
    calls = [pool.submit(executor_heads.begin, tmp_path, 60) for _ in range(4)]
    while not list(tmp_path.iterdir()):
        time.sleep(0.05)
    workers = list(pool._pool._processes.values())  # type: ignore[attr-defined]
    start = time.monotonic()
    pool.stop()
    # The pool's own thread may be the one that reaps them: what it notes of them lags behind their end.
    while any(worker.is_alive() for worker in workers) and time.monotonic() < start + 10:
        time.sleep(0.05)
    assert time.monotonic() < start + 10
    assert all(call.exception(timeout=10) or True for call in calls if not call.cancelled())
    assert len(list(tmp_path.iterdir())) <= 2


def test_what_finished_calls_sent_has_been_heard_when_the_block_ends() -> None:
    heard: list[Message] = []
    with make_executor("processes:1", on_message=heard.append) as pool:
        assert [pool.submit(send, {"epoch": epoch}).result() for epoch in range(3)] == [None] * 3
    assert heard == [{"epoch": 0}, {"epoch": 1}, {"epoch": 2}]


def test_what_cannot_be_sent_is_lost_and_spoils_nothing() -> None:
    heard: list[Message] = []
    with make_executor("processes:1", on_message=heard.append) as pool:
        assert pool.submit(executor_heads.mumble).result() == "done"
    assert heard == [{"label": "clear"}]


def test_nobody_needs_to_listen() -> None:
    send({"epoch": 1})
    for name in ("serial", "processes:1"):
        with make_executor(name) as pool:
            assert pool.submit(send, {"epoch": 1}).result() is None


def test_who_listens_to_one_call_does_not_listen_to_what_follows() -> None:
    heard: list[Message] = []
    make_executor("serial", on_message=heard.append).submit(send, {"epoch": 1})
    send({"epoch": 2})
    make_executor("serial").submit(send, {"epoch": 3})
    assert heard == [{"epoch": 1}]


@pytest.mark.parametrize("executor", ["serial", "processes:2"])
def test_a_run_hands_on_what_its_folds_send(executor: str, tmp_path: Path) -> None:
    task = make_home(tmp_path, folds=3)
    plan = plan_of(tmp_path, task.name, baseline_file(tmp_path, "telling", "executor_heads:Telling"))
    heard: list[dict[str, Any]] = []
    run(plan, Store(tmp_path / "store"), executor=executor, on_message=lambda message: heard.append(dict(message)))
    told = [message for message in heard if "epoch" in message]
    assert len(heard) - len(told) == 3  # each fold says when it begins
    first = sorted(split.train[0] for split in task.splits)
    for epoch, loss in ((1, 0.5), (2, float("inf"))):
        of_epoch = [message for message in told if message["epoch"] == epoch]
        assert sorted(message["label"] for message in of_epoch) == first
        assert [message["loss"] for message in of_epoch] == [loss] * 3
    assert len(told) == 6


@pytest.mark.parametrize("executor", ["serial", "processes:1"])
def test_who_cannot_hear_spoils_nothing(executor: str, tmp_path: Path) -> None:
    task = make_home(tmp_path, folds=2)
    plan = plan_of(tmp_path, task.name, baseline_file(tmp_path, "telling", "executor_heads:Telling"))
    asked = []

    def deaf(message: Message) -> None:
        asked.append(os.getpid())
        raise ValueError(message)

    assert len(run(plan, Store(tmp_path / "store"), executor=executor, on_message=deaf).finished) == 2
    assert len(asked) >= 4
    assert set(asked) == {os.getpid()}
