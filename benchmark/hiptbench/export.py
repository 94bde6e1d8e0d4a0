"""Export of a store that may be published: rows, and predictions as arrays without ids or labels."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from hiptbench.errors import StoreError
from hiptbench.exported_rows import ROWS, read_rows, write_rows
from hiptbench.files import write_atomic
from hiptbench.predictions import Prediction
from hiptbench.results import FoldResult
from hiptbench.store import Store


@dataclass(frozen=True)
class Export:
    """A folder with rows (``exported_rows.py``) and one ``.npz`` of predictions a method, task, fraction and seed.

    Predictions stand in the canonical order of (task, fold): the evaluated units in the label table's order. Whoever
    has the task's data can so join them with ids and labels; nobody else can. Only what the metrics are computed from
    is here: probabilities or risks.

    Attributes:
        path: The folder.
    """

    path: Path

    @staticmethod
    def exists(path: Path) -> bool:
        """Whether a folder holds an export."""
        return (path / ROWS).is_file()

    def rows(self) -> list[FoldResult]:
        """Return every row.

        Raises:
            StoreError: If a row is damaged.
        """
        return read_rows(self.path)

    def prediction(self, row: FoldResult) -> Prediction:
        """Return a row's prediction, in canonical order.

        Raises:
            StoreError: If it is not in the export.
        """
        path = self.path / predictions_file(row)
        prefix = f"fold{row.fold}_"
        try:
            with path.open("rb") as handle, np.load(handle, allow_pickle=False) as arrays:
                found = {key.removeprefix(prefix): arrays[key] for key in arrays.files if key.startswith(prefix)}
        except (OSError, EOFError, BadZipFile, ValueError) as error:
            raise StoreError(f"{path} cannot be read ({error}); export the store again.") from error
        if not found:
            raise StoreError(f"{path} has no predictions of fold {row.fold}; export the store again.")
        return Prediction(**found)


def open_results(path: Path) -> Store | Export:
    """Open a store, or an export of one.

    Raises:
        StoreError: If the folder does not exist.
    """
    if not path.is_dir():
        raise StoreError(f"There is no results store at {path}. `hiptbench run` makes one; --store names another.")
    return Export(path) if Export.exists(path) else Store(path)


def predictions_file(row: FoldResult) -> str:
    """Return where a row's predictions lie inside an export."""
    protocol = row.protocol
    name = f"{row.features}--{row.baseline}--{protocol.fraction:g}--d{row.draw}-s{row.seed}--{row.provenance.variant}"
    parts = (re.sub(r"[^\w.+-]", "_", part) for part in (protocol.suite, protocol.task, f"{name}.npz"))
    return "/".join(("predictions", *parts))


def export(store: Store, rows: Iterable[FoldResult], out: Path) -> Export:
    """Write rows and their predictions into a folder; the same rows give the same files.

    Args:
        store: Where the predictions are.
        rows: The rows to publish; those on incomplete cohorts are left out, since nobody else could verify them.
        out: The folder; its earlier rows are replaced, other files stay.

    Raises:
        StoreError: If there are no rows, predictions are missing, or the folder cannot be written.
    """
    ordered = sorted((row for row in rows if not row.protocol.missing_slides), key=canonical_order)
    if not ordered:
        raise StoreError(f"There are no results to export from {store.path}. `hiptbench run` makes some.")
    files: dict[str, dict[str, np.ndarray]] = defaultdict(dict)
    for row in ordered:
        _, _, prediction = store.predictions(row)
        for name, values in _arrays(prediction).items():
            files[predictions_file(row)][f"fold{row.fold}_{name}"] = values
    for old in (out / "predictions").glob("**/*.npz"):
        if old.relative_to(out).as_posix() not in files:
            old.unlink()
    for name, arrays in files.items():
        write_atomic(out / name, lambda part, arrays=arrays: _save(part, arrays))  # type: ignore[misc]
    write_rows(out, ordered)
    return Export(out)


def canonical_order(row: FoldResult) -> tuple[object, ...]:
    """Return what rows are sorted by, so that the same rows give the same files whatever they were read from."""
    protocol = row.protocol
    return (
        protocol.suite,
        protocol.task,
        protocol.fraction,
        row.features,
        row.baseline,
        row.seed,
        row.draw,
        row.fold,
        row.fingerprint,
    )


def _arrays(prediction: Prediction) -> Mapping[str, np.ndarray]:
    # Survival curves stay in the store: their times are, as a rule, the times at which training patients died.
    values = {"probabilities": prediction.probabilities, "risk": prediction.risk}
    return {name: value for name, value in values.items() if value is not None}


def _save(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    with path.open("wb") as handle:
        np.savez_compressed(handle, **arrays)  # type: ignore[arg-type]
