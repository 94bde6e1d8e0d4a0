"""The demo from pixels on: drawn slides, two encoders without weights, heads on both, a leaderboard with intervals."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hiptbench.boards import board_of, render
from hiptbench.cells import RANKED, Leaderboard
from hiptbench.errors import MetricError
from hiptbench.extraction.run import Step, extract_slides
from hiptbench.files import write_text
from hiptbench.plans import make_plan
from hiptbench.predictions import Predictions
from hiptbench.registry import make_extractor
from hiptbench.requests import make_request
from hiptbench.results import FoldResult
from hiptbench.runner import run
from hiptbench.slides.opening import find_slides
from hiptbench.slides.synthetic import SyntheticSlides, write_synthetic_slides
from hiptbench.sources.own import Columns, create_task
from hiptbench.statistics.bootstrap import interval
from hiptbench.statistics.draws import ESTIMAND
from hiptbench.store import Store
from hiptbench.task_store import load_task
from hiptbench.tasks import Task

EXTRACTORS = ("hipt", "resnet50")
GRADE, SURVIVAL = "drawn_grade", "drawn_survival"
BASELINES = {GRADE: ("mean_knn", "abmil"), SURVIVAL: ("mean_cox", "abmil")}
_COLUMNS = {
    GRADE: Columns(slide="slide", case="patient", label="label"),
    SURVIVAL: Columns(slide="slide", case="patient", time="time", event="event"),
}

OnStep = Callable[[str, float], object]


@dataclass(frozen=True)
class SlidesDemo:
    """What the demo made.

    Attributes:
        board: The leaderboard.
        intervals: A table of each method's metric with its 95 % interval.
    """

    board: Leaderboard
    intervals: str


def run_slides_demo(
    out: Path, *, slides: SyntheticSlides | None = None, executor: str = "processes", on_step: OnStep | None = None
) -> SlidesDemo:
    """Draw slides, extract features, run heads, and write ``leaderboard.csv`` and ``intervals.md``.

    Args:
        out: Where everything goes; what is there already is not made again.
        slides: The cohort to draw.
        executor: "serial", "processes[:n]" or "dask:local[:n]".
        on_step: Told what is being done, and which part of it is.

    Raises:
        HiptbenchError: If the folder cannot be written, or holds slides of other settings.
    """
    out = out.expanduser().absolute()
    tell = on_step or (lambda what, part: None)
    write_synthetic_slides(out, slides or SyntheticSlides(), lambda done, total: tell("drawing slides", done / total))
    for name in EXTRACTORS:
        _extract(out, name, tell)
    for task, columns in _COLUMNS.items():
        create_task(task, out / "labels.csv", columns, home=out / "home")
    store, planned = Store(out / "store"), set[str]()
    for name in EXTRACTORS:
        for task in _COLUMNS:
            planned |= _run(task, out / name, out / "home", store, executor, tell)
    rows = [row for row in store.rows() if row.fingerprint in planned]
    board = board_of(store)
    demo = SlidesDemo(board, _intervals(rows, store, out / "home"))
    write_text(out / "leaderboard.csv", render(board, "csv"))
    write_text(out / "intervals.md", demo.intervals)
    return demo


def _extract(out: Path, name: str, tell: OnStep) -> None:
    def on_step(step: Step) -> None:
        within = step.tiles_done / step.tiles if step.tiles else 0.0
        tell(f"features of {name}", (step.slides_done + within) / step.slides)

    extract_slides(
        find_slides(out / "slides"), make_extractor(name, {"random_weights": True}), out / name, on_step=on_step
    )


def _run(task: str, features: Path, home: Path, store: Store, executor: str, tell: OnStep) -> set[str]:
    """Run the task's baselines, and return the fingerprints of their folds, those that were there too."""
    plan = make_plan(make_request(tasks=[task], features=features, baselines=BASELINES[task], home=home))
    total, done = len(plan.to_do(store)), 0

    def on_fold(row: FoldResult) -> None:
        nonlocal done
        done += 1
        tell(f"{task} with {features.name}", done / total)

    run(plan, store, executor=executor, on_fold=on_fold)
    return {job.fingerprint for job in plan.jobs}


def _intervals(rows: list[FoldResult], store: Store, home: Path) -> str:
    """Return a Markdown table, a line a task and method, best first."""
    runs: dict[tuple[str, str], list[FoldResult]] = defaultdict(list)
    for row in rows:
        runs[row.protocol.task, f"{row.features}/{row.baseline}"].append(row)
    lines = []
    for (name, method), folds in runs.items():
        task = load_task(name, home)
        metric = RANKED[task.spec.kind]
        mean = sum(row.metrics[metric] for row in folds) / len(folds)
        shown = _interval([store.predictions(row) for row in folds], task)
        lines.append((name, -mean, f"| {name} | {method} | {metric} | {mean:.3f} | {shown} |"))
    head = ["| task | method | metric | mean of folds | 95 % interval |", "|---|---|---|---|---|"]
    return "\n".join([*head, *(line for *_, line in sorted(lines)), "", f"Intervals: {ESTIMAND}."]) + "\n"


def _interval(folds: list[Predictions], task: Task) -> str:
    try:
        return str(interval(folds, dict(zip(task.units, task.cases, strict=True))))
    except MetricError:
        return "too few patients"
