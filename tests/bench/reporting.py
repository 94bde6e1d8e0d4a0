"""The pages of the nine tasks, all derived anew: intervals, comparisons, curves, and a card behind every number."""

import shutil

from hiptbench.report.stored import FILE

from .framework import Benchmark, Measurement, Skip
from .processes import hiptbench, seconds_of
from .workspace import REPOSITORY, VARIABLE, Workspace


def _nine_tasks(workspace: Workspace) -> Measurement:
    if not workspace.real_data:
        raise Skip(f"needs the labels of the nine tasks: {VARIABLE} is not set")
    results = workspace.fresh() / "results"
    shutil.copytree(REPOSITORY / "results", results, ignore=shutil.ignore_patterns(FILE))
    where = ("--store", results, "--home", workspace.subtyping.home, "--out", workspace.fresh() / "report")
    seconds = seconds_of(hiptbench("report", "--suite", "hipt-2022", *where))
    return Measurement(seconds, "from the committed rows and predictions of hipt-2022, one whole process")


BENCHMARKS = (
    Benchmark(
        id="report.nine_tasks",
        name="`hiptbench report` of the nine tasks as published, every method of the board",
        unit="s",
        better="lower",
        aim=60,
        measure=_nine_tasks,
    ),
)
