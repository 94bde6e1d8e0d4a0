"""Leaderboards of a store, with the published rows beside it, as text."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from hiptbench.cells import COLUMNS, Cell, Leaderboard, leaderboard
from hiptbench.export import Export, open_results
from hiptbench.published_rows import as_results, load_published
from hiptbench.store import Store
from hiptbench.tables import OurCell

PUBLISHED_NOTE = (
    "Rows marked published are the authors' own folds, as they are; "
    "`hiptbench table NAME` says which errata touch them."
)


def board_of(
    results: Store | Export,
    *,
    suite: str | None = None,
    kind: str | None = None,
    metrics: Sequence[str] | None = None,
    all_variants: bool = False,
) -> Leaderboard:
    """Return the leaderboard of a store or an export, with the published rows it holds.

    Args:
        results: A store or an export.
        suite: Only rows of this suite.
        kind: Only rows of this kind.
        metrics: Metrics to show; those that tasks are ranked by by default.
        all_variants: Whether to show every provenance.
    """
    rows = [*results.rows(), *as_results(load_published(results.path))]
    chosen = [row for row in rows if suite in (None, row.protocol.suite) and kind in (None, row.kind)]
    board = leaderboard(chosen, metrics=metrics, all_variants=all_variants)
    if all(cell.kind != "published" for cell in board.cells):
        return board
    return Leaderboard(board.cells, (*board.notes, PUBLISHED_NOTE))


def our_cells(store: Path) -> list[OurCell]:
    """Return a store's measured cells on complete cohorts, as the paper's tables take them; none without a store."""
    if not store.is_dir():
        return []
    cells = board_of(open_results(store), suite="hipt-2022", kind="measured").cells
    return [
        OurCell(c.task, c.fraction, c.features, c.baseline, c.metric, c.mean, c.sd_folds, c.n_folds)  # type: ignore[arg-type]
        for c in cells
        if not c.missing_slides and c.sd_folds is not None
    ]


def render(board: Leaderboard, form: str) -> str:
    """Return a leaderboard as "csv" or "json", for machines, or "md", for a page."""
    return {"csv": _csv, "json": _json, "md": _markdown}[form](board.cells)


def _csv(cells: Sequence[Cell]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(cell) for cell in cells)
    return text.getvalue()


def _json(cells: Sequence[Cell]) -> str:
    return json.dumps([asdict(cell) for cell in cells], indent=1) + "\n"


_HEADINGS = ("kind", "suite", "task", "method", "train", "metric", "mean ± sd (folds)", "sd (seeds)", "n", "protocol")


def _shown(cell: Cell) -> tuple[str, ...]:
    seeds = "" if cell.sd_seeds is None else f"{cell.sd_seeds:.3f}"
    events = "" if cell.n_events is None else f" ({cell.n_events} events)"
    missing = f", {cell.missing_slides} missing: not ranked" if cell.missing_slides else ""
    return (
        cell.kind,
        cell.suite,
        cell.task,
        cell.method,
        f"{cell.fraction:.0%}",
        cell.metric,
        cell.score,
        seeds,
        f"{cell.n_units}{events}{missing}",
        cell.protocol,
    )


def _markdown(cells: Sequence[Cell]) -> str:
    lines = [_HEADINGS, ("---",) * len(_HEADINGS), *(_shown(cell) for cell in cells)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
