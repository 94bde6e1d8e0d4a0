"""What of some results a figure may show: complete cells of one rule for fractions, and the values to reproduce."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hiptbench.cells import Cell, leaderboard
from hiptbench.claims import read_reproduction
from hiptbench.export import Export
from hiptbench.fractions import BY_PATIENTS
from hiptbench.published import PublishedFold
from hiptbench.published_rows import as_results, load_published
from hiptbench.reproduction import assess
from hiptbench.results import FoldResult
from hiptbench.store import Store
from hiptbench.suites import load_suite, suite_names, suite_of

Place = tuple[str, str, str]
"""Protocol, features and baseline of a cell."""


@dataclass(frozen=True)
class Selection:
    """The cells that a figure may show, and what was left out of them.

    Attributes:
        cells: In the leaderboard's order, all on complete cohorts.
        notes: What was left out.
    """

    cells: tuple[Cell, ...]
    notes: tuple[str, ...]


def select(
    results: Store | Export, *, suite: str | None = None, kind: str | None = None, by_patients: bool = False
) -> Selection:
    """Return the leaderboard's cells that may stand in one figure.

    Args:
        results: A store or an export; the published rows it holds are rows as any.
        suite: Only rows of this suite.
        kind: Only rows of this kind.
        by_patients: Whether fractions below 1 are those drawn by patients and not those drawn by the suite's rule.
    """
    rows = [*results.rows(), *as_results(load_published(results.path))]
    wanted = [row for row in rows if suite in (None, row.protocol.suite) and kind in (None, row.kind)]
    rules = {key: _rule(*key, by_patients=by_patients) for key in {_suite_and_task(row) for row in wanted}}
    drawn = [row for row in wanted if row.protocol.fraction_rule in (None, rules[_suite_and_task(row)])]
    board = leaderboard(drawn)
    complete = tuple(cell for cell in board.cells if not cell.missing_slides)
    left_out = _left_out(len(wanted) - len(drawn), len(board.cells) - len(complete))
    return Selection(complete, (*board.notes, *left_out))


def _suite_and_task(row: FoldResult) -> tuple[str, str]:
    return row.protocol.suite, row.protocol.task


def _rule(suite: str, task: str, *, by_patients: bool) -> str | None:
    """Return the rule that fractions are drawn by, as a Protocol states it."""
    known = load_suite(suite) if suite in suite_names() else suite_of(task)
    rule = BY_PATIENTS if by_patients else known.fractions.rule
    return rule.stated if rule else None


def _left_out(other_rule: int, incomplete: int) -> list[str]:
    notes = []
    if other_rule:
        notes.append(f"{other_rule} folds at fractions drawn by another rule are not drawn (--fraction-rule).")
    if incomplete:
        notes.append(f"{incomplete} numbers of incomplete cohorts are not drawn.")
    return notes


def published_values(folds: Sequence[PublishedFold]) -> Mapping[Place, float | None]:
    """Return the published value that each claim of ours is held against.

    Args:
        folds: The authors' folds, as imported; printed values need none.

    Returns:
        Place of our cell to the value; None where it was never printed and the folds are not at hand.
    """
    claims = assess(read_reproduction(), (), folds)
    return {(one.protocol, one.claim.features, one.claim.baseline): one.reference.mean for one in claims}


def values_missing(cells: Sequence[Cell], published: Mapping[Place, float | None]) -> int:
    """Return how many cells have a published value to reproduce that was never printed and is not at hand."""
    return sum(published.get((cell.protocol, cell.features, cell.baseline), 0.0) is None for cell in cells)
