"""Methods of a store held against one reference, as a user names them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from hiptbench.errors import StoreError, UnknownNameError
from hiptbench.families import Family, FamilyKey, by_family, compare_with, held_against, left_out
from hiptbench.joining import Joined
from hiptbench.pairs import Drawn, draw
from hiptbench.panels import Panel, PanelKey, find_method, panels, refuse_other_protocols
from hiptbench.statistics.bootstrap import DRAWS

EVERY = "all"
"""Stands for every method."""

_NOT_ASKED = "the task was not asked for"

OnPanel = Callable[[int, int], object]


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
    wanted = [panel for panel in found if held_against(panel, held, chosen)]
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
