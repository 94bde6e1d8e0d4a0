"""The embedded default: simulated cohorts of all nine tasks, bags of digits, the probes, and the oracle beside them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hiptbench.boards import board_of, render
from hiptbench.files import write_text
from hiptbench.leaderboard import Cell, Leaderboard
from hiptbench.plans import make_plan
from hiptbench.requests import make_request
from hiptbench.runner import run
from hiptbench.sources.materialise import materialise
from hiptbench.store import Store
from hiptbench.suites import load_suite
from hiptbench.task_store import load_spec
from hiptbench.tracking import Tracker, tracking_uri

SUITES = ("hipt-2022-synthetic", "digits")
PROBES = ("mean_knn", "mean_logreg", "mean_cox")


@dataclass(frozen=True)
class Demo:
    """What the demo made.

    Attributes:
        board: The leaderboard.
        against_oracle: A table of what the probes reach beside what could be reached.
        tracking_uri: Where MLflow has the runs.
    """

    board: Leaderboard
    against_oracle: str
    tracking_uri: str


def run_demo(
    out: Path, *, executor: str = "processes", on_step: Callable[[int, int], None] = lambda done, total: None
) -> Demo:
    """Make the embedded data, run the probes, and write ``leaderboard.csv`` and ``oracle.md``.

    Args:
        out: Where data, store and leaderboard go; what is there already is not made again.
        executor: "serial" or "processes[:n]".
        on_step: Called with (steps done, steps in all).
    """
    tasks = [name for suite in SUITES for name in load_suite(suite).tasks]
    home, store = out / "home", Store(out / "store")
    for done, name in enumerate(tasks, start=1):
        materialise(name, home)
        on_step(done, len(tasks))
    tracker = Tracker(store)
    for suite in SUITES:
        plan = make_plan(make_request(suite=suite, baselines=PROBES, home=home))
        total, finished = len(plan.to_do(store)), 0

        def on_fold(row: object, *, total: int = total) -> None:
            nonlocal finished
            finished += 1
            on_step(finished, total)

        for row in run(plan, store, executor=executor, on_fold=on_fold).finished:
            tracker.submit(row)
    tracker.close()
    board = board_of(store)
    shown = Demo(board, _against_oracle(board.cells), tracking_uri(store))
    write_text(out / "leaderboard.csv", render(board, "csv"))
    write_text(out / "oracle.md", shown.against_oracle)
    return shown


def _against_oracle(cells: tuple[Cell, ...]) -> str:
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
