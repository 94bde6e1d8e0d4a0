"""Pack: many slides' features in one memory-mapped file with an index; made by ``hiptbench.packing``."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from hiptbench.errors import FeatureError

INDEX = "index.json"


@dataclass(frozen=True)
class Entry:
    """Where one slide lies in a pack, and the state of the file it was read from.

    Attributes:
        offset: First row.
        rows: Number of rows.
        sha256: Hash of id, shape and values.
        stamp: Size and modification time (ns) of the source file.
    """

    offset: int
    rows: int
    sha256: str
    stamp: tuple[int, int]


@dataclass(frozen=True)
class Pack:
    """Features of many slides in one memory-mapped file; the backend of a packed FeatureSet."""

    path: Path
    data: str
    dtype: str
    tail: tuple[int, ...]
    entries: Mapping[str, Entry]
    coords: str | None

    @staticmethod
    def exists(folder: Path) -> bool:
        """Whether the folder holds a pack."""
        return (folder / INDEX).is_file()

    @classmethod
    def load(cls, folder: Path) -> "Pack":
        """Read a pack's index; the features stay on disk.

        Raises:
            FeatureError: If the index or the data file is damaged.
        """
        try:
            index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
            entries = {
                slide: Entry(offset, rows, sha, (size, mtime))
                for slide, (offset, rows, sha, size, mtime) in index["entries"].items()
            }
            pack = cls(folder, index["data"], index["dtype"], tuple(index["tail"]), entries, index["coords"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise FeatureError(
                f"The pack in {folder} is damaged ({error}). Delete the folder and pack again."
            ) from error
        pack._check_size()
        return pack

    def _check_size(self) -> None:
        size = (self.path / self.data).stat().st_size if (self.path / self.data).exists() else -1
        expected = self._rows * int(np.prod(self.tail)) * np.dtype(self.dtype).itemsize
        if size != expected:
            raise FeatureError(
                f"{self.path / self.data} has {size} bytes where its index says {expected}. "
                f"Delete {self.path} and pack again."
            )

    @property
    def _rows(self) -> int:
        return sum(entry.rows for entry in self.entries.values())

    @property
    def slides(self) -> tuple[str, ...]:
        """The slide ids, sorted."""
        return tuple(self.entries)

    @cached_property
    def _features(self) -> np.memmap[Any, Any]:
        return np.memmap(self.path / self.data, dtype=self.dtype, mode="r", shape=(self._rows, *self.tail))

    @cached_property
    def _coords(self) -> np.ndarray | None:
        return np.load(self.path / self.coords, mmap_mode="r") if self.coords else None

    def read(self, slide: str) -> tuple[Float[np.ndarray, "n *tail"], Int[np.ndarray, "n 2"] | None]:
        """Return one slide's features and coordinates as views of the mapped files."""
        entry = self.entries[slide]
        rows = slice(entry.offset, entry.offset + entry.rows)
        coords = None if self._coords is None else np.asarray(self._coords[rows])
        return np.asarray(self._features[rows]), coords

    def sha256(self, slide: str) -> str:
        """Return the hash of one slide's id, shape and values, as indexed."""
        return self.entries[slide].sha256
