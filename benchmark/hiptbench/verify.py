"""Recompute every stored number from its predictions."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hiptbench.errors import HiptbenchError
from hiptbench.evaluation import compute_metrics
from hiptbench.export import Export
from hiptbench.files import sha256_lines
from hiptbench.joining import Joined
from hiptbench.predictions import Prediction
from hiptbench.results import FoldResult, refingerprint
from hiptbench.store import Store
from hiptbench.targets import Survival, Target

TOLERANCE = 1e-12


@dataclass(frozen=True)
class Verification:
    """What verifying found.

    Attributes:
        verified: Rows whose every metric was recomputed and is equal.
        wrong: What is not as it was stored, one line a row.
        not_verifiable: Tasks whose data are not at hand, or rows that lack slides, to the number of their rows.
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
    joined = Joined(results, home)
    verified, wrong, missing = 0, [], Counter[str]()
    for row in results.rows():
        task = row.protocol.task
        if isinstance(results, Export) and not joined.has_task(row):
            missing[task] += 1
            continue
        try:
            problem = _problem(row, *joined.predictions(row))
        except HiptbenchError as error:
            problem = str(error)
        verified += problem is None
        if problem:
            wrong.append(f"{task} {row.features}/{row.baseline} fold {row.fold} seed {row.seed}: {problem}")
    return Verification(verified, tuple(wrong), missing)


def _problem(row: FoldResult, units: tuple[str, ...], target: Target, prediction: Prediction) -> str | None:
    if refingerprint(row) != row.fingerprint:
        return "its fingerprint is not that of its protocol, provenance and names: the row was edited"
    if sha256_lines(units) != row.units_sha256:
        return "the evaluated units are not those of the row"
    events = int(target.event.sum()) if isinstance(target, Survival) else None
    if (len(units), events) != (row.n, row.events):
        return f"{len(units)} units and {events} events were evaluated, stored are {row.n} and {row.events}"
    recomputed = compute_metrics(target, prediction)
    equal = recomputed.keys() == row.metrics.keys() and all(
        abs(value - row.metrics[name]) <= TOLERANCE for name, value in recomputed.items()
    )
    return None if equal else f"recomputed {recomputed}, stored {row.metrics}"
