"""Methods of a store held against one reference, task by task and across tasks, in families that are adjusted."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from hiptbench.errors import StoreError
from hiptbench.joining import Joined
from hiptbench.pairs import Drawn, TaskComparison, adjusted, compare_pair, draw
from hiptbench.panels import Panel, PanelKey, by_family, find_method, panels, refuse_other_protocols
from hiptbench.results import ResultKind
from hiptbench.statistics.bootstrap import DRAWS
from hiptbench.statistics.draws import Draws
from hiptbench.statistics.friedman import Friedman, friedman
from hiptbench.statistics.ranks import AcrossTasks, Ranks, against, complete_methods, mean_ranks
from hiptbench.task_spec import Kind

EVERY = "all"
"""Stands for every method."""

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
        tasks: The tasks that have the reference.
        comparisons: Every other method on every task that has it.
        across: Methods complete on the tasks against the reference, over tasks.
        ranks: Their mean ranks; None where draws are missing.
        friedman: Friedman's test of them; None for fewer than two tasks or three methods.
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

    Args:
        methods: Names; see ``find_method``. "all" stands for every method.
        joined: The results beside the tasks.
        reference: The method that the others are held against; the last one named by default.
        suite: Only this suite.
        tasks: Only these tasks.
        fraction: Only this training fraction.
        draws: Draws of patients.
        on_panel: Called with (panels drawn, panels in all).

    Returns:
        One family for each suite, fraction, kind of task and kind of results that has something to compare.

    Raises:
        UnknownNameError: If a name is unknown.
        StoreError: If there are no results, only one method is named, or two have no Protocol in common.
    """
    found = [
        panel
        for panel in panels(joined.results.rows())
        if suite in (None, panel.protocol.suite)
        and fraction in (None, panel.protocol.fraction)
        and (not tasks or panel.protocol.task in tasks)
    ]
    against_all = EVERY in methods
    names = [find_method(name, found) for name in methods if name != EVERY]
    held = find_method(reference, found) if reference else names[-1] if names else None
    others = [name for name in names if name != held]
    if held is None or not (others or against_all):
        raise StoreError("Name two methods, the second being the reference, or 'all' and a --reference.")
    for name in others:
        refuse_other_protocols(name, held, found)
    wanted = [panel for panel in found if panel.run(held) and (against_all or any(map(panel.run, others)))]
    drawn: dict[PanelKey, Drawn] = {}
    for number, panel in enumerate(wanted, start=1):
        drawn[panel.key] = draw(panel, joined, draws=draws)
        if on_panel:
            on_panel(number, len(wanted))
    chosen = () if against_all else others
    families = [compare_with(held, group, drawn, joined, chosen) for group in by_family(wanted).values()]
    return [family for family in families if family.comparisons]


def compare_with(
    reference: str, group: Sequence[Panel], drawn: Mapping[PanelKey, Drawn], joined: Joined, methods: Sequence[str] = ()
) -> Family:
    """Compare methods with one reference within a family.

    Args:
        reference: Name of the reference.
        group: One panel a task, all of one suite, fraction, kind of task and kind of results.
        drawn: The draws of each panel, by its key.
        joined: Results beside the tasks.
        methods: Methods to compare; all of them by default.
    """
    usable = [panel for panel in group if panel.run(reference)]
    raw = [
        compare_pair(panel, run, reference, drawn[panel.key], joined)
        for panel in usable
        for run in panel.runs
        if run.name != reference and (not methods or run.name in methods)
    ]
    draws = {panel.protocol.task: of for panel in usable if isinstance(of := drawn[panel.key], Draws)}
    protocol = group[0].protocol
    family = Family(
        suite=protocol.suite,
        fraction=protocol.fraction,
        task_kind=protocol.task_kind,
        kind=group[0].kind,
        reference=reference,
        tasks=tuple(panel.protocol.task for panel in usable),
        comparisons=adjusted(raw),
    )
    if len(draws) < len(usable):
        return family
    chosen = {task: _chosen(of, (reference, *methods)) if methods else of for task, of in draws.items()}
    return _across(family, chosen)


def _chosen(draws: Draws, methods: Sequence[str]) -> Draws:
    """Return the draws of those of the methods that are there, in the order given."""
    names = tuple(name for name in methods if name in draws.methods)
    rows = [draws.methods.index(name) for name in names]
    return replace(draws, methods=names, estimates=draws.estimates[rows], values=draws.values[rows])


def _across(family: Family, draws: Mapping[str, Draws]) -> Family:
    complete = complete_methods(draws)
    if len(complete) < 2:
        return family
    table = np.array([_chosen(of, complete).estimates for of in draws.values()])
    return replace(
        family,
        across=against(family.reference, draws),
        ranks=mean_ranks(draws),
        friedman=friedman(table) if table.shape[0] > 1 and table.shape[1] > 2 else None,
    )
