"""What a run keeps beside rows and predictions, when asked: fitted heads, and the attention on the evaluated bags."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hiptbench.errors import StoreError
from hiptbench.files import write_atomic
from hiptbench.heads.base import FITTED, Fitted, load_fitted

_ATTENTION = "attention.parquet"
_MODEL = "model"


@dataclass(frozen=True)
class Keep:
    """What to keep.

    Attributes:
        models: Whether to keep fitted heads.
        attention: Whether to keep the attention on the evaluated bags, of heads that have some.
    """

    models: bool = False
    attention: bool = False


NOTHING = Keep()


@dataclass(frozen=True)
class KeptFold:
    """The folder of what was kept of one fold.

    Attributes:
        path: The folder; it exists if anything was kept.
    """

    path: Path

    def has(self, keep: Keep) -> bool:
        """Whether everything that is to be kept is here."""
        wanted = [(f"{_MODEL}/{FITTED}", keep.models), (_ATTENTION, keep.attention)]
        return all((self.path / name).is_file() for name, wants in wanted if wants)

    @property
    def keeps_attention(self) -> bool:
        """Whether attention was kept; of a head that has none, an empty table."""
        return (self.path / _ATTENTION).is_file()

    def write(self, units: Sequence[str], attention: Sequence[np.ndarray] | None, fitted: Fitted | None) -> None:
        """Keep what there is of a fold.

        Args:
            units: The evaluated units.
            attention: One weight an instance of each unit's bag; empty for a head that has none. None keeps nothing.
            fitted: The fitted head; None keeps nothing.
        """
        if attention is not None:
            write_atomic(self.path / _ATTENTION, lambda part: _write(part, units, attention))
        if fitted is not None:
            fitted.save(self.path / _MODEL)

    def model(self) -> Fitted:
        """Return the fitted head.

        Raises:
            HeadError: If none was kept.
        """
        return load_fitted(self.path / _MODEL)

    def attention(self) -> dict[str, np.ndarray]:
        """Return the attention on the instances of each evaluated bag; empty for a head that has none.

        Raises:
            StoreError: If none was kept.
        """
        import pyarrow.parquet as pq

        path = self.path / _ATTENTION
        if not path.is_file():
            raise StoreError(f"No attention was kept in {self.path}. Run the fold again with --keep-attention.")
        rows = pq.read_table(path).to_pydict()
        return {
            unit: np.array(row, dtype=np.float32) for unit, row in zip(rows["unit"], rows["attention"], strict=True)
        }


def _write(path: Path, units: Sequence[str], attention: Sequence[np.ndarray]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    values = pa.array([row.astype(np.float32) for row in attention], type=pa.list_(pa.float32()))
    pq.write_table(pa.table({"unit": pa.array(units[: len(attention)], type=pa.string()), "attention": values}), path)
