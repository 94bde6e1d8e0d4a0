"""Recompute every stored number from its predictions."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from hiptbench.errors import HiptbenchError, StoreError
from hiptbench.evaluate import compute_metrics
from hiptbench.export import Export
from hiptbench.files import sha256_lines
from hiptbench.results import FoldResult
from hiptbench.store import Predictions, Store
from hiptbench.task_store import is_imported
from hiptbench.tasks import Task

TOLERANCE = 1e-12


@dataclass(frozen=True)
class Verification:
    """What verifying found.

    Attributes:
        verified: Rows whose every metric was recomputed and is equal.
        wrong: What is not as it was stored, one line a row.
        not_verifiable: Tasks whose data are not at hand, to the number of their rows.
    """

    verified: int
    wrong: tuple[str, ...]
    not_verifiable: Mapping[str, int]


def verify(results: Store | Export, home: Path | None = None) -> Verification:
    """Recompute the metrics of every row.

    A store holds the truth beside each prediction. An export does not: its rows are joined with the labels of the task,
    whose hashes must be those of the row's Protocol.

    Args:
        results: A store or an export.
        home: The data home with the tasks' labels.
    """
    verified, wrong, missing = 0, [], dict[str, int]()
    for row in results.rows():
        if isinstance(results, Export) and not is_imported(row.protocol.task, home):
            missing[row.protocol.task] = missing.get(row.protocol.task, 0) + 1
            continue
        problem = _problem(results, row, home)
        verified += problem is None
        if problem:
            wrong.append(f"{row.protocol.task} {row.features}/{row.baseline} fold {row.fold}: {problem}")
    return Verification(verified, tuple(wrong), missing)


def _problem(results: Store | Export, row: FoldResult, home: Path | None) -> str | None:
    try:
        units, target, prediction = (
            _joined(results, row, home) if isinstance(results, Export) else results.predictions(row)
        )
        recomputed = compute_metrics(target, prediction)
    except HiptbenchError as error:
        return str(error)
    if sha256_lines(units) != row.units_sha256:
        return "the evaluated units are not those of the row"
    off = {m: v for m, v in recomputed.items() if abs(v - row.metrics.get(m, float("inf"))) > TOLERANCE}
    return f"recomputed {off}, stored {row.metrics}" if off else None


def _joined(export: Export, row: FoldResult, home: Path | None) -> Predictions:
    task = _task(row.protocol.task, home)
    hashes = task.hashes
    if (hashes.cohort, hashes.labels, hashes.splits) != (
        row.protocol.cohort,
        row.protocol.labels,
        row.protocol.splits,
    ):
        raise StoreError("the task's cohort, labels or splits are not those that the row was made with")
    split = next(split for split in task.splits if split.fold == row.fold)
    units = task.evaluated(split)
    return units, task.targets(units), export.prediction(row)


@lru_cache(maxsize=16)
def _task(name: str, home: Path | None) -> Task:
    return Task.load(name, home)
