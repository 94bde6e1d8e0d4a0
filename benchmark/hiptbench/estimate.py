"""How long a run will take: from folds that the store has, or from two short fits."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from threadpoolctl import threadpool_limits

from hiptbench.errors import HiptbenchError
from hiptbench.evaluation import evaluate_split
from hiptbench.fractions import strata, stratified_order
from hiptbench.jobs import Job, load_inputs
from hiptbench.results import FoldResult

_FEW, _MORE = 32, 64
_Cell = tuple[str, str, str, float, str]  # features, baseline, task, fraction, device
_Method = tuple[str, str, str]  # features, baseline, kind of task


@dataclass(frozen=True)
class Estimate:
    """What a run will cost.

    Attributes:
        seconds: Time on one core, of the folds whose cost is known.
        unknown: Methods whose cost is not known, with the reason.
    """

    seconds: float
    unknown: tuple[str, ...]


@dataclass(frozen=True)
class _Line:
    """Seconds of a fold as a line over its training units."""

    start: float
    per_unit: float


def estimate(
    jobs: Sequence[Job], rows: Iterable[FoldResult], *, on_probe: Callable[[str], object] | None = None
) -> Estimate:
    """Estimate what jobs cost.

    A fold costs what folds of its method, task and fraction took in the store. Where there are none, the method is
    fitted on 32 and on 64 training units of the first task of that kind, and the time is continued along that line.

    Args:
        jobs: What is to be run.
        rows: Folds that were run before.
        on_probe: Called with what is about to be fitted.
    """
    took: dict[_Cell, list[float]] = defaultdict(list)
    for row in rows:
        if row.timing:
            took[_cell(row)].append(row.timing.seconds)
    lines: dict[_Method, _Line | str] = {}
    seconds = 0.0
    for cell, group in _cells(jobs).items():
        if cell in took:
            seconds += float(np.mean(took[cell])) * len(group)
            continue
        first = group[0]
        method = (first.features, first.baseline.name, first.protocol.task_kind)
        if method not in lines:
            if on_probe:
                on_probe(first.label)
            lines[method] = _probe(first)
        line = lines[method]
        if isinstance(line, _Line):
            seconds += (line.start + line.per_unit * _training_units(first)) * len(group)
    return Estimate(seconds, tuple(reason for reason in lines.values() if isinstance(reason, str)))


def _cells(jobs: Iterable[Job]) -> dict[_Cell, list[Job]]:
    groups: dict[_Cell, list[Job]] = defaultdict(list)
    for job in jobs:
        protocol = job.protocol
        cell = (job.features, job.baseline.name, protocol.task, protocol.fraction, job.provenance.device)
        groups[cell].append(job)
    return groups


def _cell(row: FoldResult) -> _Cell:
    return row.features, row.baseline, row.protocol.task, row.protocol.fraction, row.provenance.device


def _training_units(job: Job) -> float:
    task, _ = load_inputs(job)
    return job.protocol.fraction * len(task.split(job.fold).train)


def _probe(job: Job) -> _Line | str:
    """Fit a job's method twice on few units; return the line through the times, or why it could not be fitted."""
    task, features = load_inputs(job)
    whole = job.split_of(task)
    patients = [task.case(unit) for unit in whole.train]
    unit_of = dict(zip(patients, whole.train, strict=True))
    order = stratified_order(patients, strata(task.targets(whole.train)), np.random.default_rng(0))

    def seconds(count: int) -> float:
        part = replace(whole, train=tuple(unit_of[patient] for patient in order[:count]))
        begin = time.perf_counter()
        with threadpool_limits(limits=1):
            evaluate_split(task, part, features, job.baseline.make_head(), seed=job.seed)
        return time.perf_counter() - begin

    try:
        seconds(_FEW)  # imports libraries
        few, more = seconds(_FEW), seconds(_MORE)
    except HiptbenchError as error:
        return f"{job.label}: {error}"
    first, second = min(_FEW, len(order)), min(_MORE, len(order))
    per_unit = max(0.0, more - few) / (second - first) if second > first else few / first
    return _Line(max(0.0, few - per_unit * first), per_unit)
