"""NumPy files: which array of an archive is meant, and what is refused."""

from pathlib import Path

import numpy as np
import pytest

from hiptbench.errors import FormatError
from hiptbench.formats import read_features

FEATURES = np.arange(6, dtype=np.float16).reshape(3, 2)
COORDS = np.array([[0, 0], [256, 0], [0, 256]], dtype=np.int32)


def test_npy(tmp_path: Path) -> None:
    np.save(tmp_path / "slide.npy", FEATURES)
    assert read_features(tmp_path / "slide.npy").layout == "npy"


def test_npz_with_coords(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "slide.npz", features=FEATURES, coords=COORDS, encoder=np.array("vit"))
    file = read_features(tmp_path / "slide.npz")
    assert file.layout == "npz"
    np.testing.assert_array_equal(file.features, FEATURES, strict=True)
    np.testing.assert_array_equal(file.coords, COORDS.astype(np.int64), strict=True)


def test_npz_with_one_array_of_any_name(tmp_path: Path) -> None:
    np.savez(tmp_path / "slide.npz", FEATURES)
    np.testing.assert_array_equal(read_features(tmp_path / "slide.npz").features, FEATURES)


def test_npz_of_several_arrays_needs_features(tmp_path: Path) -> None:
    np.savez(tmp_path / "slide.npz", train=FEATURES, test=FEATURES)
    with pytest.raises(FormatError, match=r"has the arrays train, test, and none is called 'features'"):
        read_features(tmp_path / "slide.npz")


def test_npz_without_arrays(tmp_path: Path) -> None:
    np.savez(tmp_path / "slide.npz")
    with pytest.raises(FormatError, match=r"has the arrays \(none\), and none is called 'features'"):
        read_features(tmp_path / "slide.npz")


@pytest.mark.parametrize("suffix", ["npy", "npz"])
def test_pickled_objects_are_refused(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"slide.{suffix}"
    objects = np.array([{"a": 1}, None], dtype=object)
    if suffix == "npy":
        np.save(path, objects, allow_pickle=True)
    else:
        np.savez(path, features=objects)
    with pytest.raises(FormatError, match=r"not a readable NumPy file of numbers \(Object arrays cannot be loaded"):
        read_features(path)


def test_damaged_header(tmp_path: Path) -> None:
    path = tmp_path / "slide.npy"
    np.save(path, FEATURES)
    path.write_bytes(path.read_bytes().replace(b"}", b"("))
    with pytest.raises(FormatError, match=r"not a readable NumPy file of numbers"):
        read_features(path)
