"""Runs of one Protocol and metric: the only ones whose numbers may be held against each other."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from hiptbench.report.bars import Axis, fold_axis, interval_axis
from hiptbench.report.data import ReportData
from hiptbench.report.run_data import RunReport
from hiptbench.report.wording import metric_name, percent
from hiptbench.results import Protocol


@dataclass(frozen=True)
class Group:
    """Comparable runs, the best first.

    Attributes:
        id: Short name of the Protocol with the metric.
        runs: The runs; at least one.
    """

    id: str
    runs: tuple[RunReport, ...]

    @property
    def protocol(self) -> Protocol:
        """What the runs have in common."""
        return self.runs[0].protocol

    @property
    def task(self) -> tuple[str, str]:
        """Suite and task."""
        return self.protocol.suite, self.protocol.task

    @property
    def metric(self) -> str:
        """The metric, as people call it."""
        return metric_name(self.runs[0].metric)

    @cached_property
    def axis(self) -> Axis:
        """The axis of the runs' intervals."""
        return interval_axis(self.runs)

    @cached_property
    def fold_axis(self) -> Axis:
        """The axis of the runs' folds."""
        return fold_axis(self.runs)

    @property
    def trained_on(self) -> str:
        """The training part, and how a fraction of it was drawn."""
        protocol = self.protocol
        if protocol.fraction == 1:
            return "the whole training part"
        rule = f", drawn by {protocol.fraction_rule}" if protocol.fraction_rule else ""
        draws = "" if protocol.draws == 1 else f", mean over {protocol.draws} draws"
        return f"{percent(protocol.fraction)} of the training {protocol.unit}s{rule}{draws}"

    @property
    def events(self) -> int | None:
        """Events among the evaluated units, as any of the runs knows them."""
        return next((run.n_events for run in self.runs if run.n_events is not None), None)

    @property
    def evaluated(self) -> str:
        """What the numbers stand on."""
        protocol = self.protocol
        parts = [f"{protocol.evaluated_units} {protocol.unit}s"]
        parts += [] if self.events is None else [f"{self.events} events"]
        parts += [f"{protocol.missing_units} of the cohort missing, so not ranked"] if protocol.missing_units else []
        return ", ".join(parts)

    @property
    def without_interval(self) -> Mapping[str, int]:
        """Why runs have no interval, and how many of them for each reason."""
        return Counter(run.interval_why or "none was computed" for run in self.runs if not run.interval)


def groups_of(data: ReportData) -> list[Group]:
    """Return the groups of a report in the order of its tasks, each task's by rising fraction."""
    found: dict[str, list[RunReport]] = defaultdict(list)
    for run in data.runs:
        found[run.protocol_id].append(run)
    groups = [Group(name, tuple(sorted(own, key=_best_first))) for name, own in found.items()]
    known = [(task.suite, task.name) for task in data.tasks]
    order = {task: index for index, task in enumerate(dict.fromkeys([*known, *(one.task for one in groups)]))}
    return sorted(groups, key=lambda one: (order[one.task], one.protocol.fraction, one.id))


def _best_first(run: RunReport) -> tuple[float, str, str]:
    return -run.mean, run.method, run.card
