"""The embedded default: simulated cohorts of all nine tasks, bags of digits, the probes, and the oracle beside them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from hiptbench.boards import board_of, render
from hiptbench.cells import Cell, Leaderboard
from hiptbench.files import write_text
from hiptbench.plans import make_plan
from hiptbench.requests import make_request
from hiptbench.results import FoldResult
from hiptbench.runner import run
from hiptbench.sources.materialise import materialise
from hiptbench.store import Store
from hiptbench.suites import load_suite
from hiptbench.task_store import load_spec
from hiptbench.tracking import SyncReport, Tracker

SUITES = ("hipt-2022-synthetic", "digits")
PROBES = ("mean_knn", "mean_logreg", "mean_cox")

OnStep = Callable[[int, int], None]


@dataclass(frozen=True)
class Demo:
    """What the demo made.

    Attributes:
        board: The leaderboard.
        against_oracle: A table of what the probes reach beside what could be reached.
        tracked: What was sent to MLflow, and where.
    """

    board: Leaderboard
    against_oracle: str
    tracked: SyncReport


def run_demo(out: Path, *, executor: str = "processes", on_step: OnStep | None = None) -> Demo:
    """Make the embedded data, run the probes, and write ``leaderboard.csv`` and ``oracle.md``.

    Args:
        out: Where data, store and leaderboard go; what is there already is not made again.
        executor: "serial", "processes[:n]" or "dask:local[:n]".
        on_step: Called with (steps done, steps in all).

    Raises:
        HiptbenchError: If the folder cannot be written, or the data made are not the registry's.
    """
    out = out.expanduser().absolute()  # MLflow names its files by URI, which cannot be relative
    home, store = out / "home", Store(out / "store")
    _make_data(home, on_step)
    with Tracker(store) as tracker:
        for suite in SUITES:
            _run_suite(suite, home, store, tracker, executor=executor, on_step=on_step)
        tracked = tracker.close()
    board = board_of(store)
    shown = Demo(board, _against_oracle(board.cells), tracked)
    write_text(out / "leaderboard.csv", render(board, "csv"))
    write_text(out / "oracle.md", shown.against_oracle)
    return shown


def _make_data(home: Path, on_step: OnStep | None) -> None:
    tasks = [name for suite in SUITES for name in load_suite(suite).tasks]
    for done, name in enumerate(tasks, start=1):
        materialise(name, home)
        if on_step:
            on_step(done, len(tasks))


def _run_suite(
    suite: str, home: Path, store: Store, tracker: Tracker, *, executor: str, on_step: OnStep | None
) -> None:
    plan = make_plan(make_request(suite=suite, baselines=PROBES, home=home))
    total, finished = len(plan.to_do(store)), 0

    def on_fold(row: FoldResult) -> None:
        nonlocal finished
        finished += 1
        tracker.submit(row)
        if on_step:
            on_step(finished, total)

    run(plan, store, executor=executor, on_fold=on_fold)


def _against_oracle(cells: Sequence[Cell]) -> str:
    """Return a Markdown table: a line a task, the probes' means at full training size, and the oracle's."""
    lines = ["| task | metric | " + " | ".join(PROBES) + " | oracle |", "|---|---|" + "---|" * (len(PROBES) + 1)]
    full = [cell for cell in cells if cell.fraction == 1]
    for task in dict.fromkeys(cell.task for cell in full):
        means = {cell.baseline: f"{cell.mean:.3f}" for cell in full if cell.task == task}
        oracle = load_spec(task).oracle
        metric = next(cell.metric for cell in full if cell.task == task)
        best = f"{oracle.value:.3f}" if oracle else "not known"
        lines.append(f"| {task} | {metric} | " + " | ".join(means.get(p, "") for p in PROBES) + f" | {best} |")
    return "\n".join(lines) + "\n"
