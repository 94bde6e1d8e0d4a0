"""What the page of a task shows, beside the task itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from hiptbench.report.addresses import Addresses
from hiptbench.report.bars import Axis
from hiptbench.report.curves import groups_figure, roc_figure
from hiptbench.report.data import ReportData
from hiptbench.report.efficiency import efficiency_figures
from hiptbench.report.family_data import Comparison, Family
from hiptbench.report.figure import Figure
from hiptbench.report.groups import Group
from hiptbench.report.svg import roomy
from hiptbench.report.task_data import TaskReport

_CURVES = 3
"""Of how many methods a task's page shows curves; those of the others are on their cards."""


@dataclass(frozen=True)
class Differences:
    """The comparisons of a family on one task.

    Attributes:
        family: The family.
        rows: Its comparisons on the task, the largest difference first.
    """

    family: Family
    rows: tuple[Comparison, ...]

    @property
    def axis(self) -> Axis:
        """The axis of the differences, with zero marked."""
        ends = [0.0, *(row.difference for row in self.rows)]
        ends += [end for row in self.rows if row.interval for end in (row.interval.low, row.interval.high)]
        return Axis(*roomy(ends), neutral=0.0)

    @property
    def drawn(self) -> bool:
        """Whether any comparison has an interval."""
        return any(row.interval for row in self.rows)

    @property
    def tests(self) -> str:
        """The tests behind the p-values."""
        return "; ".join(dict.fromkeys(row.test for row in self.rows))

    @property
    def sensitivities(self) -> list[str]:
        """What other choices within the tests would have given."""
        return list(dict.fromkeys(row.sensitivity for row in self.rows if row.sensitivity))

    @property
    def reasons(self) -> list[str]:
        """Why there are no intervals, where there are none."""
        return list(dict.fromkeys(row.interval_why for row in self.rows if row.interval_why and not row.interval))


def task_page(data: ReportData, task: TaskReport, groups: Sequence[Group], at: Addresses) -> dict[str, Any]:
    """Return what the template of a task is filled with.

    Args:
        data: The report.
        task: The task.
        groups: Its groups of comparable runs, by rising fraction.
        at: Links as written on the task's page.
    """
    runs = [run for group in groups for run in group.runs]
    largest = [group for group in groups if group.protocol.fraction == groups[-1].protocol.fraction]
    return {
        "task": task,
        "suite": next((suite for suite in data.suites if suite.name == task.suite), None),
        "groups": groups,
        "comparisons": list(_differences(data.families, task)),
        "curves": _curves(largest),
        "curves_of": largest[0].trained_on if largest else None,
        "efficiency": list(efficiency_figures(task, runs, lambda run: at.card(run.card))),
    }


def lint_facts(task: TaskReport) -> list[tuple[str, int | float | str]]:
    """Return the linter's numbers of the whole, by name as people read it; what is not known is left out."""
    return [(name.replace("_", " "), value) for name, value in task.lint_facts.items() if value is not None]


def _differences(families: Sequence[Family], task: TaskReport) -> list[Differences]:
    found = []
    for family in families:
        rows = [one for one in family.comparisons if (family.suite, one.task) == (task.suite, task.name)]
        if rows:
            found.append(Differences(family, tuple(sorted(rows, key=lambda row: (-row.difference, row.method)))))
    return found


def _curves(groups: Sequence[Group]) -> list[Figure]:
    """Return the curves of the best runs that have some."""
    drawn = (roc_figure(run) or groups_figure(run) for group in groups for run in group.runs)
    return list(islice((figure for figure in drawn if figure), _CURVES))
