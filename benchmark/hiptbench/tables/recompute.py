"""The value of a printed cell, recomputed from the authors' per-fold files."""

import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hiptbench.errors import SourceError
from hiptbench.published import Cell, PublishedFold, PublishedTable
from hiptbench.tables.model import Value

Key = tuple[str, str, float]
"""Task, method and fraction of a cell."""

Provenance = tuple[str, str, str, str, float]
"""Collection, model, run, task and fraction of a fold."""


@dataclass(frozen=True)
class Recomputed:
    """A value and the settings of the run it is from."""

    value: Value
    settings: Mapping[str, Any]


def recompute(table: PublishedTable, folds: Sequence[PublishedFold]) -> dict[Key, Recomputed]:
    """Recompute every cell whose run is there in full.

    Runs are found by where they come from, never by position; a run with too few folds gives no value.

    Args:
        table: The printed table.
        folds: The authors' folds; those of other tables are ignored.

    Returns:
        The values by cell.

    Raises:
        SourceError: If a cell's query finds more than one run, or a run lacks the table's metric.
    """
    if table.column is None:
        return {}
    queries = {method.name: method.query for method in table.methods}
    runs = _by_provenance(folds)
    values = {}
    for cell in table.cells:
        if query := queries[cell.method]:
            run = runs.get((query.collection, query.model, query.run, cell.task, cell.fraction), [])
            _check_single(table, cell, run)
            if {fold.fold for fold in run} == set(range(table.folds)):
                values[cell.task, cell.method, cell.fraction] = _summarise(run, table.column)
    return values


def _by_provenance(folds: Sequence[PublishedFold]) -> dict[Provenance, list[PublishedFold]]:
    runs = defaultdict(list)
    for fold in folds:
        runs[fold.collection, fold.model, fold.run, fold.task, fold.fraction].append(fold)
    return runs


def _check_single(table: PublishedTable, cell: Cell, run: list[PublishedFold]) -> None:
    if len(run) > table.folds or len({fold.directory for fold in run}) > 1:
        where = ", ".join(sorted({fold.directory for fold in run}))
        raise SourceError(
            f"Table {table.name}, {cell.method}, {cell.task}, {cell.fraction}: {len(run)} folds in {where}, "
            f"not one run of {table.folds}. Import one checkout, once, or narrow the method's query."
        )


def _summarise(run: list[PublishedFold], column: str) -> Recomputed:
    values = [_metric(fold, column) for fold in run]
    return Recomputed(Value(statistics.fmean(values), statistics.stdev(values)), run[0].settings)


def _metric(fold: PublishedFold, column: str) -> float:
    if column not in fold.metrics:
        raise SourceError(
            f"{fold.directory} has no column {column} (columns: {', '.join(fold.metrics)}). "
            "Import an unchanged checkout."
        )
    return fold.metrics[column]
