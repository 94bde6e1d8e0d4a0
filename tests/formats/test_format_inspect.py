"""Inspection of feature files and folders."""

import json
from pathlib import Path

import h5py
import numpy as np
import pytest

from hiptbench.errors import FeatureError, FormatError
from hiptbench.formats.inspect import Inspection, Rows, inspect


def save(folder: Path, **arrays: np.ndarray) -> None:
    for slide, features in arrays.items():
        np.save(folder / f"{slide}.npy", features)


def test_sound_folder(tmp_path: Path) -> None:
    save(tmp_path, a=np.zeros((2, 4), np.float16), b=np.zeros((5, 4), np.float32))
    with h5py.File(tmp_path / "c.h5", "w") as handle:
        handle["features"], handle["coords"] = np.zeros((9, 4), np.float32), np.zeros((9, 2), int)
    assert inspect(tmp_path) == Inspection(
        path=tmp_path,
        files=3,
        layouts={"npy": 2, "clam-h5": 1},
        dims={"4": 3},
        dtypes={"float16": 1, "float32": 2},
        with_coords=1,
        rows=Rows(min=2, median=5.0, max=9),
        problems={},
    )


def test_broken_files_are_reported_and_the_rest_is_read(tmp_path: Path, lfs_text: str) -> None:
    save(tmp_path, a=np.full((2, 4), np.nan), b=np.zeros((0, 4)), c=np.zeros((3, 4)), d=np.zeros((3, 2)))
    (tmp_path / "e.pt").write_text(lfs_text)
    (tmp_path / "f.h5").write_bytes(b"\x89HDF\r\n\x1a\n")
    found = inspect(tmp_path)
    assert found.files == 6
    assert found.rows == Rows(min=0, median=2.5, max=3)
    assert found.dims == {"4": 3, "2": 1}
    assert list(found.problems) == ["a", "b", "d", "e", "f"]
    assert found.problems["a"] == ["8 values are NaN or Inf, in 2 of 2 rows, first in row 0"]
    assert found.problems["b"] == ["empty bag: 0 rows"]
    assert found.problems["d"] == ["rows of 2 values, but 3 files have 4"]
    assert "this is a Git LFS pointer" in found.problems["e"][0]
    assert "not a readable HDF5 file" in found.problems["f"][0]


def test_nothing_readable(tmp_path: Path, lfs_text: str) -> None:
    (tmp_path / "a.pt").write_text(lfs_text)
    found = inspect(tmp_path)
    assert (found.files, found.rows, found.dims, list(found.problems)) == (1, None, {}, ["a"])


def test_one_hierarchical_file(tmp_path: Path) -> None:
    save(tmp_path, a=np.zeros((3, 256, 384), np.float16))
    found = inspect(tmp_path / "a.npy")
    assert (found.files, found.dims, found.rows) == (1, {"256 x 384": 1}, Rows(min=3, median=3.0, max=3))


def test_one_broken_file_is_reported(tmp_path: Path, lfs_text: str) -> None:
    (tmp_path / "a.svs.pt").write_text(lfs_text)
    assert list(inspect(tmp_path / "a.svs.pt").problems) == ["a"]


def test_json(tmp_path: Path) -> None:
    save(tmp_path, a=np.full((2, 4), np.inf, np.float32))
    plain = inspect(tmp_path).to_dict()
    assert json.loads(json.dumps(plain)) == plain
    assert plain["path"] == str(tmp_path)
    assert plain["rows"] == {"min": 2, "median": 2.0, "max": 2}


def test_progress(tmp_path: Path, lfs_text: str) -> None:
    save(tmp_path, a=np.zeros((2, 4)), b=np.zeros((2, 4)))
    (tmp_path / "c.pt").write_text(lfs_text)
    calls: list[tuple[int, int]] = []
    inspect(tmp_path, on_file=lambda done, total: calls.append((done, total)))
    assert calls == [(1, 3), (2, 3), (3, 3)]


def test_what_is_not_handled(tmp_path: Path) -> None:
    (tmp_path / "splits_0.csv").write_text(",train,val\n")
    with pytest.raises(FormatError, match=r"splits_0\.csv is not a feature file\. Point to one .* not inspected"):
        inspect(tmp_path / "splits_0.csv")
    with pytest.raises(FeatureError, match=r"has no feature files\. Expected one file per slide"):
        inspect(tmp_path)
    with pytest.raises(FormatError, match=r"gone does not exist"):
        inspect(tmp_path / "gone")
