"""Methods of a store held against one reference, task by task and across tasks, in families that are adjusted."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from hiptbench.errors import StoreError, UnknownNameError
from hiptbench.joining import Joined
from hiptbench.pairs import Drawn, TaskComparison, adjusted, compare_pair, draw
from hiptbench.panels import (
    FamilyKey,
    Panel,
    PanelKey,
    Run,
    by_family,
    find_method,
    left_out,
    panels,
    refuse_other_protocols,
)
from hiptbench.results import ResultKind
from hiptbench.statistics.bootstrap import DRAWS
from hiptbench.statistics.draws import Draws
from hiptbench.statistics.friedman import Friedman, friedman
from hiptbench.statistics.holm import holm
from hiptbench.statistics.ranks import AcrossTasks, Ranks, against, complete_methods, mean_ranks, nested_tasks
from hiptbench.task_spec import Kind

EVERY = "all"
"""Stands for every method."""

_NOT_ASKED = "the task was not asked for"

OnPanel = Callable[[int, int], object]


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


def compare_methods(
    methods: Sequence[str],
    joined: Joined,
    *,
    reference: str | None = None,
    suite: str | None = None,
    tasks: Sequence[str] = (),
    fraction: float | None = None,
    draws: int = DRAWS,
    on_panel: OnPanel | None = None,
) -> list[Family]:
    """Compare methods of a store, as a user names them.

    The family that p are adjusted in is what the user declares: the methods named, or all, against the reference, on
    every task of a suite, fraction and kind. Naming tasks chooses what is shown and changes no p.

    Args:
        methods: Names; see ``find_method``. "all" stands for every method.
        joined: The results beside the tasks.
        reference: The method that the others are held against; the last one named by default.
        suite: Only this suite.
        tasks: Show only these tasks.
        fraction: Only this training fraction.
        draws: Draws of patients.
        on_panel: Called with (panels drawn, panels in all).

    Returns:
        One family for each suite, fraction, kind of task and kind of results that has something to compare, or would
        have but for what was left out.

    Raises:
        UnknownNameError: If a name is unknown.
        StoreError: If only one method is named, two have no Protocol in common, or nothing remains to be compared.
    """
    found = _chosen_panels(panels(joined.results.rows()), suite, tasks, fraction)
    against_all = EVERY in methods
    named = [find_method(name, found) for name in methods if name != EVERY]
    held = find_method(reference, found) if reference else named[-1] if named else None
    others = list(dict.fromkeys(name for name in named if name != held))
    if held is None or not (others or against_all):
        raise StoreError("Name two methods, the second being the reference, or 'all' and a --reference.")
    for name in others:
        refuse_other_protocols(name, held, found)
    chosen = () if against_all else tuple(others)
    wanted = [panel for panel in found if _compared(panel, held, chosen)]
    groups = by_family(wanted)
    notes = left_out(wanted, groups)
    drawn = _drawn(groups, joined, None if against_all else (*others, held), tasks, draws, on_panel)
    families = [
        replace(compare_with(held, group, drawn, joined, chosen, shown=tasks), left_out=tuple(notes.get(key, ())))
        for key, group in groups.items()
    ]
    families = [family for family in families if family.comparisons]
    lost = [note for key, of_family in notes.items() if key not in groups for note in of_family]
    if not families:
        raise StoreError(f"Nothing can be compared with {held} here{_because(lost, tasks)}.")
    return [replace(families[0], left_out=(*families[0].left_out, *lost)), *families[1:]]


def _because(lost: Sequence[str], tasks: Sequence[str]) -> str:
    if lost:
        return f": there is only {'; '.join(lost)}"
    return f" on {', '.join(tasks)}" if tasks else ": no method stands beside it on any task"


def _chosen_panels(
    found: Sequence[Panel], suite: str | None, tasks: Sequence[str], fraction: float | None
) -> list[Panel]:
    """Return the panels of a suite and fraction, having refused what no panel has."""
    kept = list(found)
    if suite:
        suites = dict.fromkeys(panel.protocol.suite for panel in kept)
        if suite not in suites:
            raise UnknownNameError("suite in these results", suite, suites)
        kept = [panel for panel in kept if panel.protocol.suite == suite]
    if fraction is not None:
        fractions = dict.fromkeys(panel.protocol.fraction for panel in kept)
        if fraction not in fractions:
            raise UnknownNameError("fraction in these results", f"{fraction:g}", [f"{one:g}" for one in fractions])
        kept = [panel for panel in kept if panel.protocol.fraction == fraction]
    there = dict.fromkeys(panel.protocol.task for panel in kept)
    for task in tasks:
        if task not in there:
            raise UnknownNameError("task in these results", task, there)
    return kept


def _compared(panel: Panel, reference: str, methods: Sequence[str]) -> list[Run]:
    """Return the runs that a panel has beside the reference, of the methods named if any are; none without it."""
    if panel.run(reference) is None:
        return []
    return [run for run in panel.runs if run.name != reference and (not methods or run.name in methods)]


def _drawn(
    groups: Mapping[FamilyKey, Sequence[Panel]],
    joined: Joined,
    names: Sequence[str] | None,
    tasks: Sequence[str],
    draws: int,
    on_panel: OnPanel | None,
) -> dict[PanelKey, Drawn]:
    """Return the draws of the tasks asked for, and of those of one split, whose p comes from them."""
    every = [panel for group in groups.values() for panel in group]
    drawn: dict[PanelKey, Drawn] = {panel.key: _NOT_ASKED for panel in every}
    wanted = [one for one in every if not tasks or one.protocol.task in tasks or one.protocol.folds == 1]
    for number, panel in enumerate(wanted, start=1):
        drawn[panel.key] = draw(panel, joined, draws=draws, names=names)
        if on_panel:
            on_panel(number, len(wanted))
    return drawn


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
    usable = [panel for panel in group if _compared(panel, reference, methods)]
    every = adjusted(
        [
            compare_pair(panel, run, reference, drawn[panel.key], joined)
            for panel in usable
            for run in _compared(panel, reference, methods)
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
