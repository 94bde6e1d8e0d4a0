"""Running a probe on the three subtyping tasks: 10 folds at 25 % and 100 %, results also to MLflow, as by default."""

import sys
from statistics import median

from .framework import Benchmark, Measurement, Skip
from .processes import hiptbench, peak_pss, seconds_of
from .workspace import Workspace

_RUNS = 3


def _knn_suite(workspace: Workspace) -> Measurement:
    command = [_command(workspace) for _ in range(_RUNS)]
    value = median(seconds_of(one) for one in command)
    return Measurement(value, f"a fresh store, median of {_RUNS} whole processes; {workspace.subtyping.told}")


def _knn_suite_peak(workspace: Workspace) -> Measurement:
    if not sys.platform.startswith("linux"):
        raise Skip("needs Linux, for /proc/<pid>/smaps_rollup")
    peak = peak_pss(_command(workspace)) / 1e9
    return Measurement(peak, f"sum of PSS over the process tree, sampled every 50 ms; {workspace.subtyping.told}")


def _command(workspace: Workspace) -> tuple[str, ...]:
    prepared = workspace.subtyping
    tasks = [word for task in prepared.tasks for word in ("--task", task)]
    where = ("--home", prepared.home, "--store", workspace.fresh())
    return hiptbench("run", *tasks, "--baseline", "mean_knn", "--fraction", "0.25,1", *where)


BENCHMARKS = (
    Benchmark(
        id="run.knn_suite",
        name="`hiptbench run` of mean_knn on three subtyping tasks, 60 folds, MLflow on",
        unit="s",
        better="lower",
        aim=10,
        measure=_knn_suite,
    ),
    Benchmark(
        id="run.knn_suite_peak",
        name="Peak memory of `hiptbench run` of mean_knn on three subtyping tasks",
        unit="GB",
        better="lower",
        aim=1.5,
        measure=_knn_suite_peak,
    ),
)
