"""The results store: one predictions file and one JSON row per fold; the row is the commit mark."""

from dataclasses import dataclass
from pathlib import Path

import pydantic

from hiptbench.errors import StoreError
from hiptbench.files import sha256_file, write_atomic, write_text
from hiptbench.kept import KeptFold
from hiptbench.prediction_tables import from_table, read_parquet, to_table, write_parquet
from hiptbench.predictions import Predictions
from hiptbench.results import FoldResult


@dataclass(frozen=True)
class Store:
    """A folder of finished folds.

    A fold is committed in two steps: its predictions, then the row that holds their hash. A crash between the two
    leaves a file that no row points to, and the fold is simply run again.

    Attributes:
        path: The folder; made when the first fold is committed.
    """

    path: Path

    def check_writable(self) -> None:
        """Refuse a store that cannot be written, before any work is done.

        Raises:
            StoreError: With the reason.
        """
        probe = self.path / ".writable"
        write_text(probe, "")
        probe.unlink(missing_ok=True)  # another run may have probed at the same time

    def has(self, fingerprint: str) -> bool:
        """Whether the fold with this fingerprint is done."""
        return self._row_path(fingerprint).is_file()

    def commit(self, result: FoldResult, predictions: Predictions) -> FoldResult:
        """Write a finished fold, predictions first.

        Args:
            result: The row; its ``predictions_sha256`` is filled in.
            predictions: Units, truth and predictions.

        Returns:
            The row as stored.

        Raises:
            StoreError: If the store cannot be written.
        """
        table = to_table(*predictions)
        path = self.predictions_path(result.fingerprint)
        write_atomic(path, lambda part: write_parquet(table, part))
        stored = result.model_copy(update={"predictions_sha256": sha256_file(path)})
        write_text(self._row_path(result.fingerprint), stored.model_dump_json(indent=1))
        return stored

    def rows(self) -> list[FoldResult]:
        """Return every fold that was run here, in a fixed order.

        Raises:
            StoreError: If a row is damaged.
        """
        return [read_row(path, path.read_text(encoding="utf-8")) for path in sorted(self.path.glob("rows/*/*.json"))]

    def predictions(self, result: FoldResult) -> Predictions:
        """Return (units, truth, prediction) of a row.

        Raises:
            StoreError: If the file is missing or is not the one that the row was committed with.
        """
        path = self.predictions_path(result.fingerprint)
        if not path.is_file() or sha256_file(path) != result.predictions_sha256:
            raise StoreError(
                f"{path} is missing or is not the file that fold {result.fold} of {result.protocol.task} was committed "
                f"with. Delete {self._row_path(result.fingerprint)} and run that fold again."
            )
        return from_table(read_parquet(path))

    def predictions_path(self, fingerprint: str) -> Path:
        """Return where a fold's predictions lie."""
        return self.path / "predictions" / fingerprint[:2] / f"{fingerprint}.parquet"

    def kept(self, fingerprint: str) -> KeptFold:
        """Return what was kept of a fold beside its row and predictions."""
        return KeptFold(self.path / "kept" / fingerprint[:2] / fingerprint)

    def _row_path(self, fingerprint: str) -> Path:
        return self.path / "rows" / fingerprint[:2] / f"{fingerprint}.json"


def read_row(path: Path, text: str) -> FoldResult:
    """Return the row that a JSON text holds.

    Raises:
        StoreError: If it is damaged; ``path`` is named.
    """
    try:
        return FoldResult.model_validate_json(text)
    except pydantic.ValidationError as error:
        raise StoreError(f"{path} is not a result row: {error}. Delete it and run that fold again.") from error
