"""Leaderboards of a store, with the published rows beside it, as text."""

import csv
import io
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace

from hiptbench.cells import COLUMNS, Cell, Leaderboard, leaderboard
from hiptbench.claims import read_reproduction
from hiptbench.export import Export
from hiptbench.published import PublishedFold, published_tables, read_errata
from hiptbench.published_rows import as_results, load_published
from hiptbench.reproduction import assess
from hiptbench.results import FoldResult
from hiptbench.store import Store
from hiptbench.suites import published_draw
from hiptbench.tables.errata import marks_of
from hiptbench.tables.recompute import recompute

PUBLISHED_NOTE = (
    "Rows marked published are the authors' own folds, as they are. What touches them ('?': presumed, as there is no "
    "value to check it by; `hiptbench table NAME` shows what is printed):"
)

Place = tuple[str, str, str, str]
"""Protocol, features, baseline and variant of a cell."""


def board_of(
    results: Store | Export,
    *,
    rows: Sequence[FoldResult] | None = None,
    suite: str | None = None,
    kind: str | None = None,
    metrics: Sequence[str] | None = None,
    all_variants: bool = False,
) -> Leaderboard:
    """Return the leaderboard of a store or an export, with the published rows it holds, verdicts and errata.

    Args:
        results: A store or an export.
        rows: Its rows, or some of them, where they were read already.
        suite: Only rows of this suite.
        kind: Only rows of this kind.
        metrics: Metrics to show; those that tasks are ranked by by default.
        all_variants: Whether to show every provenance.
    """
    folds = load_published(results.path)
    authors = as_results(folds)
    every = [*(results.rows() if rows is None else rows), *authors]
    chosen = [row for row in every if suite in (None, row.protocol.suite) and kind in (None, row.kind)]
    board = leaderboard(chosen, metrics=metrics, all_variants=all_variants)
    verdicts = _verdicts(chosen, folds, all_variants=all_variants)
    marks = _marks(folds, authors)
    cells = [_annotated(cell, verdicts, marks) for cell in board.cells]
    return Leaderboard(tuple(cells), (*board.notes, *_errata_notes(cells)))


def _verdicts(rows: Sequence[FoldResult], folds: Sequence[PublishedFold], *, all_variants: bool) -> Mapping[Place, str]:
    """Return the verdict on each run of ours that a claim is about."""
    stated = read_reproduction()
    methods = {(claim.features, claim.baseline) for claim in stated.claims}
    own = [row for row in rows if (row.features, row.baseline) in methods]
    if not own:  # as in most stores: nothing more need be read
        return {}
    return {
        (one.protocol, one.claim.features, one.claim.baseline, one.variant): one.verdict
        for one in assess(stated, own, folds, all_variants=all_variants)
        if one.variant
    }


def _marks(folds: Sequence[PublishedFold], authors: Sequence[FoldResult]) -> Mapping[str, str]:
    """Return the errata that touch each run of the authors, by its variant."""
    runs = {row.provenance.variant: fold for row, fold in zip(authors, folds, strict=True)}
    if not runs:
        return {}
    errata = read_errata()
    marks: dict[str, set[str]] = defaultdict(set)
    for table in published_tables():
        again = recompute(table, folds)
        for variant, fold in runs.items():
            for cell in table.cells_of(fold):
                marks[variant] |= {str(mark) for mark in marks_of(table.name, cell, errata, again)}
    return {variant: " ".join(sorted(found)) for variant, found in marks.items()}


def _annotated(cell: Cell, verdicts: Mapping[Place, str], marks: Mapping[str, str]) -> Cell:
    if cell.kind == "published":
        return replace(cell, errata=marks.get(cell.variant))
    if cell.kind == "measured":
        place = (cell.protocol, cell.features, cell.baseline, cell.variant)
        return replace(cell, reproduced=verdicts.get(place))
    return cell


def _errata_notes(cells: Sequence[Cell]) -> list[str]:
    if all(cell.kind != "published" for cell in cells):
        return []
    marked = {mark.removesuffix("?") for cell in cells for mark in (cell.errata or "").split()}
    return [PUBLISHED_NOTE, *(f"    {one.id}: {one.sentence}" for one in read_errata() if one.id in marked)]


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


_HEADINGS = (
    *("kind", "suite", "task", "method", "train", "metric", "mean ± sd (folds)", "sd (seeds)", "n", "protocol"),
    *("contamination", "reproduced", "errata"),
)


def _shown(cell: Cell) -> tuple[str, ...]:
    seeds = "" if cell.sd_seeds is None else f"{cell.sd_seeds:.3f}"
    events = "" if cell.n_events is None else f" ({cell.n_events} events)"
    missing = f", {cell.missing_slides} missing: not ranked" if cell.missing_slides else ""
    return (
        cell.kind,
        cell.suite,
        cell.task,
        cell.method,
        f"{cell.fraction:.0%}" + ("" if published_draw(cell.suite, cell.fraction_rule) else f" ({cell.fraction_rule})"),
        cell.metric,
        cell.score,
        seeds,
        f"{cell.n_units}{events}{missing}",
        cell.protocol,
        cell.contamination,
        cell.reproduced or "",
        cell.errata or "",
    )


def _markdown(cells: Sequence[Cell]) -> str:
    lines = [_HEADINGS, ("---",) * len(_HEADINGS), *(_shown(cell) for cell in cells)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
