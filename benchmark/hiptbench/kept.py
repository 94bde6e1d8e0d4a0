"""What a run keeps beside rows and predictions, when asked: fitted heads, and the attention on the evaluated bags."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, Int64

from hiptbench.bags import Bag
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


@dataclass(frozen=True, eq=False)
class BagAttention:
    """The attention of a head on one evaluated bag.

    Attributes:
        unit: The unit's id.
        weights: One weight an instance [n], or one a part of an instance where the bag is hierarchical.
        coords: Level-0 pixel position (x, y) of each weight [n, 2]; None where the features have none, or the weights
            are of parts.
        slide_index: The index of each weight's slide among the unit's slides [n]; None as ``coords``.
    """

    unit: str
    weights: Float32[np.ndarray, " n"]
    coords: Int64[np.ndarray, "n 2"] | None = None
    slide_index: Int64[np.ndarray, " n"] | None = None

    @classmethod
    def of(cls, bag: Bag, weights: np.ndarray) -> "BagAttention":
        """Return the attention on a bag, placed where the bag says that its instances lie.

        Args:
            bag: The bag.
            weights: One weight an instance [n], or one a part of an instance; any float dtype.
        """
        if bag.coords is None or len(weights) != len(bag):
            return cls(bag.unit, weights.astype(np.float32))
        return cls(bag.unit, weights.astype(np.float32), bag.coords, bag.slide_index)


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

    def write(self, attention: Sequence[BagAttention] | None, fitted: Fitted | None) -> None:
        """Keep what there is of a fold.

        Args:
            attention: Of each evaluated bag; empty for a head that has none. None keeps nothing.
            fitted: The fitted head; None keeps nothing.
        """
        if attention is not None:
            write_atomic(self.path / _ATTENTION, lambda part: _write(part, attention))
        if fitted is not None:
            fitted.save(self.path / _MODEL)

    def model(self) -> Fitted:
        """Return the fitted head.

        Raises:
            HeadError: If none was kept.
        """
        return load_fitted(self.path / _MODEL)

    def attention(self, most: int | None = None) -> dict[str, BagAttention]:
        """Return the attention on the evaluated bags, by unit; empty for a head that has none.

        Args:
            most: How many bags to read; all of them by default.

        Raises:
            StoreError: If none was kept.
        """
        import pyarrow.parquet as pq

        path = self.path / _ATTENTION
        if not path.is_file():
            raise StoreError(f"No attention was kept in {self.path}. Run the fold again with --keep-attention.")
        return {row["unit"]: _read(row) for row in pq.read_table(path).slice(0, most).to_pylist()}


def _write(path: Path, attention: Sequence[BagAttention]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    placed = [(None, None) if one.coords is None else one.coords.T for one in attention]
    whole = pa.list_(pa.int64())
    columns = {
        "unit": pa.array([one.unit for one in attention], type=pa.string()),
        "attention": pa.array([one.weights for one in attention], type=pa.list_(pa.float32())),
        "x": pa.array([x for x, _ in placed], type=whole),
        "y": pa.array([y for _, y in placed], type=whole),
        "slide": pa.array([one.slide_index for one in attention], type=whole),
    }
    pq.write_table(pa.table(columns), path)


def _read(row: dict[str, Any]) -> BagAttention:
    weights = np.array(row["attention"], dtype=np.float32)
    if row.get("slide") is None:  # no coordinates, or kept before they were
        return BagAttention(row["unit"], weights)
    coords = np.stack([row["x"], row["y"]], axis=1).astype(np.int64)
    return BagAttention(row["unit"], weights, coords, np.array(row["slide"], dtype=np.int64))
