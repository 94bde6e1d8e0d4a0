"""Families of comparisons: the tasks of one suite, fraction and kind, whose methods are held against one reference."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from hiptbench.cells import registered_suites
from hiptbench.joining import Joined
from hiptbench.pairs import Drawn, TaskComparison, adjusted, compare_pair
from hiptbench.panels import Panel, PanelKey, Run
from hiptbench.results import ResultKind
from hiptbench.statistics.draws import Draws
from hiptbench.statistics.friedman import Friedman, friedman
from hiptbench.statistics.holm import holm
from hiptbench.statistics.ranks import AcrossTasks, Ranks, against, complete_methods, mean_ranks, nested_tasks
from hiptbench.suites import Suite
from hiptbench.task_spec import Kind

FamilyKey = tuple[str, float, str, Kind, ResultKind]
"""Suite, fraction, its rule, kind of task and kind of results: what one family of comparisons has in common."""


@dataclass(frozen=True)
class Family:
    """Comparisons that are adjusted together: results of one kind in one suite, at one fraction, on one kind of task.

    Attributes:
        suite: Name of the suite.
        fraction: Training fraction.
        task_kind: Kind of the tasks.
        kind: Kind of the results.
        reference: The one method that the others are held against.
        tasks: The tasks shown: those asked for that have the reference and a method to hold against it.
        comparisons: The methods on these tasks.
        across: Methods complete on the tasks against the reference, over tasks; their p are adjusted among themselves.
        ranks: Their mean ranks; None where ``across_why`` says so.
        friedman: Friedman's test of them; None for fewer than two tasks or three methods.
        fraction_rule: How the fraction was drawn; None at 1.
        size: Number of comparisons that were adjusted together, shown or not.
        nested: Task that does not count over tasks, to the one that has all of its patients.
        across_why: Why nothing is said over tasks; None where something is, or there is one task.
        left_out: What else of the family is not compared, and why.
    """

    suite: str
    fraction: float
    task_kind: Kind
    kind: ResultKind
    reference: str
    tasks: tuple[str, ...]
    comparisons: tuple[TaskComparison, ...]
    across: tuple[AcrossTasks, ...] = ()
    ranks: Ranks | None = None
    friedman: Friedman | None = None
    fraction_rule: str | None = None
    size: int = 0
    nested: Mapping[str, str] = field(default_factory=dict)
    across_why: str | None = None
    left_out: tuple[str, ...] = ()


def by_family(found: Iterable[Panel]) -> dict[FamilyKey, list[Panel]]:
    """Group panels of complete cohorts into families, tasks in their suite's order.

    Where a task has several Protocols in a family, such as cohorts of two versions, the one with the most runs stands.
    """
    suites = registered_suites()
    families: dict[FamilyKey, dict[str, Panel]] = defaultdict(dict)
    for panel in sorted(found, key=lambda panel: -len(panel.runs)):
        if not panel.protocol.missing_slides:
            families[family_of(panel)].setdefault(panel.protocol.task, panel)
    return {key: _in_order(tasks, suites.get(key[0])) for key, tasks in sorted(families.items())}


def family_of(panel: Panel) -> FamilyKey:
    """Return the family that a panel's comparisons belong to."""
    protocol = panel.protocol
    return protocol.suite, protocol.fraction, protocol.fraction_rule or "", protocol.task_kind, panel.kind


def left_out(found: Iterable[Panel], families: Mapping[FamilyKey, Sequence[Panel]]) -> dict[FamilyKey, list[str]]:
    """Return which panels stand in none of the families that were made of them, and why, in words."""
    notes: dict[FamilyKey, list[str]] = defaultdict(list)
    for panel in found:
        key, task, lacking = family_of(panel), panel.protocol.task, panel.protocol.missing_slides
        if lacking:
            notes[key].append(f"{task} in a cohort that lacks {lacking} slides ({panel.id})")
        elif panel not in families.get(key, ()):
            notes[key].append(f"{task} under another Protocol, which has fewer methods ({panel.id})")
    return notes


def _in_order(tasks: Mapping[str, Panel], suite: Suite | None) -> list[Panel]:
    order = suite.tasks if suite else sorted(tasks)
    return [tasks[task] for task in order if task in tasks]


def held_against(panel: Panel, reference: str, methods: Sequence[str]) -> list[Run]:
    """Return the runs of a panel that can be held against its reference.

    Args:
        panel: The panel.
        reference: Name of the reference.
        methods: Names of the methods wanted; all of them where there is none.

    Returns:
        The runs beside the reference, best first; none where the panel lacks it.
    """
    if panel.run(reference) is None:
        return []
    return [run for run in panel.runs if run.name != reference and (not methods or run.name in methods)]


def compare_with(
    reference: str,
    group: Sequence[Panel],
    drawn: Mapping[PanelKey, Drawn],
    joined: Joined,
    methods: Sequence[str] = (),
    *,
    shown: Sequence[str] = (),
) -> Family:
    """Compare methods with one reference within a family.

    Args:
        reference: Name of the reference.
        group: One panel a task, all of one suite, fraction, kind of task and kind of results.
        drawn: The draws of each panel, by its key.
        joined: Results beside the tasks.
        methods: Methods to compare; all of them by default.
        shown: Tasks to show of the family; all of them by default.
    """
    usable = [panel for panel in group if held_against(panel, reference, methods)]
    every = adjusted(
        [
            compare_pair(panel, run, reference, drawn[panel.key], joined)
            for panel in usable
            for run in held_against(panel, reference, methods)
        ]
    )
    protocol, tasks = group[0].protocol, [panel.protocol.task for panel in usable]
    family = Family(
        suite=protocol.suite,
        fraction=protocol.fraction,
        task_kind=protocol.task_kind,
        kind=group[0].kind,
        reference=reference,
        tasks=tuple(task for task in tasks if not shown or task in shown),
        comparisons=tuple(one for one in every if not shown or one.task in shown),
        fraction_rule=protocol.fraction_rule,
        size=len(every),
    )
    draws: dict[str, Draws] = {}
    for panel in usable:
        of = drawn[panel.key]
        if isinstance(of, str):
            why = f"there are no draws of {panel.protocol.task}: {of}" if len(usable) > 1 else None
            return replace(family, across_why=why)
        draws[panel.protocol.task] = _chosen(of, (reference, *methods)) if methods else of
    return _across(family, draws)


def _chosen(draws: Draws, methods: Sequence[str]) -> Draws:
    """Return the draws of those of the methods that are there, in the order given."""
    names = tuple(name for name in methods if name in draws.methods)
    rows = [draws.methods.index(name) for name in names]
    return replace(draws, methods=names, estimates=draws.estimates[rows], values=draws.values[rows])


def _across(family: Family, draws: Mapping[str, Draws]) -> Family:
    """Return the family with what is said over its tasks, of which those with nested cohorts do not count."""
    if not draws:
        return replace(family, across_why="no task has the reference beside another method")
    nested = nested_tasks(draws)
    counted = {task: of for task, of in draws.items() if task not in nested}
    complete = complete_methods(counted)
    if len(complete) < 2:
        return replace(family, nested=nested, across_why="no method but the reference stands on every task")
    across = against(family.reference, counted)
    p = holm({one.method: one.difference.p for one in across})
    table = np.array([_chosen(of, complete).estimates for of in counted.values()])
    return replace(
        family,
        nested=nested,
        across=tuple(replace(one, adjusted=p[one.method]) for one in across),
        ranks=mean_ranks(counted),
        friedman=friedman(table) if table.shape[0] > 1 and table.shape[1] > 2 else None,
    )
