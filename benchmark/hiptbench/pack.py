"""Pack: many slides' features in one memory-mapped file with an index; made by ``hiptbench.packing``."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from jaxtyping import Float, Int

from hiptbench.errors import FeatureError, name_some
from hiptbench.files import canonical_json, sha256_array, write_text
from hiptbench.schema import Strict

INDEX = "pack.json"
StoredDtype = Literal["float16", "float32"]
Stamp = tuple[int, int]


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
    stamp: Stamp


class _Index(Strict):
    """The index file; an entry is (offset, rows, sha256, size, modification time)."""

    data: str
    dtype: StoredDtype
    tail: tuple[int, ...]
    coords: str | None
    entries: dict[str, tuple[int, int, str, int, int]]


@dataclass(frozen=True)
class Pack:
    """Features of many slides in one memory-mapped file; the backend of a packed FeatureSet.

    Attributes:
        path: The pack's folder.
        data: Name of the file with all rows, slide after slide; little-endian.
        dtype: Dtype of the values.
        tail: Shape of one row.
        entries: Slide id to place, sorted by id.
        coords: Name of the file with the rows' coordinates, int64 [rows, 2], if every slide has them.
    """

    path: Path
    data: str
    dtype: StoredDtype
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
            FeatureError: If the index or a data file is damaged.
        """
        try:
            index = _Index.model_validate_json((folder / INDEX).read_bytes())
        except (OSError, ValueError) as error:
            raise FeatureError(f"{folder / INDEX} is damaged ({error}). Delete {folder} and pack again.") from error
        entries = {
            slide: Entry(offset, rows, sha, (size, mtime))
            for slide, (offset, rows, sha, size, mtime) in index.entries.items()
        }
        pack = cls(folder, index.data, index.dtype, index.tail, entries, index.coords)
        pack._check_size(pack.data, pack.tail, pack.dtype)
        if pack.coords:
            pack._check_size(pack.coords, (2,), "int64")
        return pack

    def save_index(self) -> None:
        """Write the index file; with it the pack exists."""
        index = _Index(
            data=self.data,
            dtype=self.dtype,
            tail=self.tail,
            coords=self.coords,
            entries={s: (e.offset, e.rows, e.sha256, *e.stamp) for s, e in self.entries.items()},
        )
        write_text(self.path / INDEX, canonical_json(index.model_dump(mode="json")))

    def _check_size(self, name: str, tail: tuple[int, ...], dtype: str) -> None:
        file = self.path / name
        size = file.stat().st_size if file.exists() else -1
        expected = self._rows * int(np.prod(tail)) * np.dtype(dtype).itemsize
        if size != expected:
            found = f"has {size} bytes" if file.exists() else "is missing"
            raise FeatureError(f"{file} {found}, its index says {expected} bytes. Delete {self.path} and pack again.")

    @property
    def _rows(self) -> int:
        return sum(entry.rows for entry in self.entries.values())

    @property
    def slides(self) -> tuple[str, ...]:
        """The slide ids, sorted."""
        return tuple(self.entries)

    @cached_property
    def _features(self) -> np.memmap[Any, Any]:
        dtype = np.dtype(self.dtype).newbyteorder("<")
        return np.memmap(self.path / self.data, dtype=dtype, mode="r", shape=(self._rows, *self.tail))

    @cached_property
    def _coords(self) -> np.memmap[Any, Any] | None:
        if self.coords is None:
            return None
        return np.memmap(self.path / self.coords, dtype="<i8", mode="r", shape=(self._rows, 2))

    def read(self, slide: str) -> tuple[Float[np.ndarray, "n *tail"], Int[np.ndarray, "n 2"] | None]:
        """Return one slide's features and coordinates as views of the mapped files."""
        entry = self.entries[slide]
        rows = slice(entry.offset, entry.offset + entry.rows)
        coords = None if self._coords is None else np.asarray(self._coords[rows])
        return np.asarray(self._features[rows]), coords

    def verify(self) -> None:
        """Hash every slide's values again and compare them with the index.

        Raises:
            FeatureError: If values are not those that were packed; the slides are named.
        """
        changed = [s for s, entry in self.entries.items() if sha256_array(s, self.read(s)[0]) != entry.sha256]
        if changed:
            raise FeatureError(
                f"The values of {len(changed)} slides in {self.path / self.data} are not those that were packed: "
                f"{name_some(changed)}. Delete {self.path} and import or pack again."
            )

    def sha256(self, slide: str) -> str:
        """Return the hash of one slide's id, shape and values, as indexed."""
        return self.entries[slide].sha256
