"""A run that is killed or interrupted loses no finished fold, leaves no process, and goes on where it stopped."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from hiptbench.runner import run
from hiptbench.store import Store
from hiptbench.verify import verify
from toys import baseline_file, make_home, plan_of

FOLDS = 8
TESTS = Path(__file__).parent


def wait_for(what: Callable[[], object], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, f"waited {seconds} s in vain"
        time.sleep(0.05)


def done(store: Store) -> int:
    return len(list(store.path.glob("rows/*/*.json")))


class Command:
    """`hiptbench run` of a slow head on a toy task, as a process group of its own, as a terminal would start it."""

    def __init__(self, home: Path) -> None:
        self.task = make_home(home, folds=FOLDS)
        self.home, self.store = home, Store(home / "store")
        self.slow = baseline_file(home, "slow", "own_heads:Slow")
        self.started: list[psutil.Process] = []

    def start(self) -> subprocess.Popen[bytes]:
        verb = [sys.executable, "-m", "hiptbench.cli", "run", "--no-track", "--executor", "processes:2"]
        place = ["--home", str(self.home), "--store", str(self.store.path)]
        what = ["--task", self.task.name, "--features", str(self.home / "toy"), "--baseline", self.slow]
        path = os.pathsep.join([str(TESTS), *filter(None, [os.environ.get("PYTHONPATH")])])
        with (self.home / "output").open("w") as output:  # no pipe: a worker that is left behind would hold it open
            process = subprocess.Popen(
                [*verb, *place, *what],
                env=os.environ | {"PYTHONPATH": path, "SLOW_SECONDS": "1"},
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self.started.append(psutil.Process(process.pid))
        return process

    def output(self) -> str:
        return (self.home / "output").read_text()

    def start_and_wait(self, folds: int) -> subprocess.Popen[bytes]:
        """Start and wait until some folds, but not all, are in the store."""
        process = self.start()
        wait_for(lambda: done(self.store) >= folds or process.poll() is not None)
        self.started += self.started[0].children(recursive=True)
        assert len(self.started) >= 3  # two workers
        return process

    def alive(self) -> list[psutil.Process]:
        return [p for p in self.started if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]


@pytest.fixture
def command(tmp_path: Path) -> Iterator[Command]:
    made = Command(tmp_path / "data")
    yield made
    for process in made.alive():
        process.kill()


def assert_goes_on(command: Command) -> None:
    """Assert that the store holds whole folds only, and that what is missing, and no more, is run now."""
    plan = plan_of(command.home, command.task.name, command.slow)
    before = {row.fold for row in command.store.rows()}
    assert 0 < len(before) < FOLDS
    assert verify(command.store, command.home).verified == len(before)
    report = run(plan, command.store, executor="serial")
    assert {row.fold for row in report.finished} == set(range(FOLDS)) - before
    assert report.done_before == len(before)
    undisturbed = Store(command.home / "undisturbed")
    run(plan, undisturbed, executor="serial")
    outside = {"timing": None}
    assert [r.model_copy(update=outside) for r in command.store.rows()] == [
        r.model_copy(update=outside) for r in undisturbed.rows()
    ]  # fingerprints, metrics and the hashes of the predictions


def test_a_killed_run_leaves_whole_folds_and_no_process(command: Command) -> None:
    process = command.start_and_wait(2)
    process.kill()
    process.wait()
    wait_for(lambda: not command.alive(), 20)  # a worker notices that its parent is gone
    assert_goes_on(command)


def test_an_interrupted_run_says_so_and_leaves_no_process(command: Command) -> None:
    process = command.start_and_wait(2)
    os.killpg(process.pid, signal.SIGINT)  # a terminal sends it to every process of the group
    assert process.wait(20) == 130
    assert "Interrupted" in command.output()
    assert "Traceback" not in command.output()
    wait_for(lambda: not command.alive(), 5)
    assert_goes_on(command)
    assert command.start().wait(60) == 0
    assert f"Nothing to do: all {FOLDS} folds are in {command.store.path}" in command.output()
