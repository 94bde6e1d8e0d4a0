"""The paper's tables for the page: as printed, recomputed, ours, and ours on corrected splits."""

from collections.abc import Mapping, Sequence

from hiptbench.cells import Cell
from hiptbench.published import PublishedFold, PublishedTable, published_tables
from hiptbench.report.run_data import RunReport
from hiptbench.report.table_data import Column, ErratumReport, TableCell, TableReport
from hiptbench.results import ResultKind
from hiptbench.suites import published_draw
from hiptbench.tables import OurCell, Row, Value, build_table, our_cells
from hiptbench.tables.ours import CORRECTED, PUBLISHED

_Place = tuple[ResultKind, str, str, float, str, str]
"""Kind, suite, task, fraction, features and baseline of a run."""


def table_reports(
    cells: Sequence[Cell], runs: Sequence[RunReport], folds: Sequence[PublishedFold]
) -> tuple[TableReport, ...]:
    """Return the paper's tables beside our measured cells.

    Args:
        cells: Cells of the leaderboard.
        runs: The page's runs, for their cards.
        folds: The authors' folds; without them nothing is recomputed.
    """
    ours, corrected = our_cells(cells, PUBLISHED), our_cells(cells, CORRECTED)
    whole = [run for run in runs if not run.protocol.missing_slides]
    cards = {_place(run): run.card for run in whole if published_draw(run.suite, run.protocol.fraction_rule)}
    return tuple(_report(table, folds, ours, corrected, cards) for table in published_tables())


def _report(
    table: PublishedTable,
    folds: Sequence[PublishedFold],
    ours: Sequence[OurCell],
    corrected: Sequence[OurCell],
    cards: Mapping[_Place, str],
) -> TableReport:
    built = build_table(table.name, folds, ours)
    mended = {_key(row): row.ours for row in build_table(table.name, folds, corrected).rows}
    return TableReport(
        name=table.name,
        title=table.title,
        metric=table.metric,
        cells=tuple(_cell(row, mended[_key(row)], _cards(table, row, cards)) for row in built.rows),
        errata=tuple(ErratumReport(id=one.id, sentence=one.sentence) for one in built.errata),
        sources=built.sources,
    )


def _cell(row: Row, corrected: Value | None, cards: Mapping[Column, str]) -> TableCell:
    values: dict[Column, Value | None] = {"recomputed": row.recomputed, "ours": row.ours, "corrected": corrected}
    return TableCell(
        task=row.task,
        method=row.method,
        fraction=row.fraction,
        printed=_pair(row.printed),
        status=row.status,
        sampled=_pair(row.sampled),
        recomputed=_pair(row.recomputed),
        ours=_pair(row.ours),
        corrected=_pair(corrected),
        marks=tuple(str(mark) for mark in row.marks),
        cards={column: card for column, card in cards.items() if values[column]},
    )


def _cards(table: PublishedTable, row: Row, cards: Mapping[_Place, str]) -> dict[Column, str]:
    method = next(method for method in table.methods if method.name == row.method)
    places: dict[Column, _Place] = {}
    if method.query:
        authors = ("published", PUBLISHED, row.task, row.fraction)
        for features in ("hipt_vit256_patch", "hipt_vit4k_region"):
            if (*authors, features, method.query.model) in cards:
                places["recomputed"] = (*authors, features, method.query.model)  # type: ignore[assignment]
    if method.ours:
        ours = (method.ours.features, method.ours.baseline)
        places["ours"] = ("measured", PUBLISHED, row.task, row.fraction, *ours)
        places["corrected"] = ("measured", CORRECTED, f"{row.task}_corrected", row.fraction, *ours)
    return {column: cards[place] for column, place in places.items() if place in cards}


def _place(run: RunReport) -> _Place:
    return run.kind, run.suite, run.task, run.fraction, run.features, run.baseline


def _key(row: Row) -> tuple[str, str, float]:
    return row.task, row.method, row.fraction


def _pair(value: Value | None) -> tuple[float, float | None] | None:
    return (value.mean, value.sd) if value else None
