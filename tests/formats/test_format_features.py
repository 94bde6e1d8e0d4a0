"""What holds for feature files of every layout."""

from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from hiptbench.errors import FormatError
from hiptbench.formats import FEATURE_SUFFIXES, FeatureFile, problems, read_features
from hiptbench.formats.arrays import as_coords, as_features

FEATURES = np.arange(12, dtype=np.float32).reshape(3, 4)
COORDS = np.array([[0, 0], [256, 0], [0, 256]])


def write(path: Path, features: np.ndarray) -> Path:
    """Write bare features in the format of the suffix."""
    match path.suffix:
        case ".pt":
            torch.save(torch.from_numpy(features), path)
        case ".h5":
            with h5py.File(path, "w") as handle:
                handle["features"] = features
        case ".npy":
            np.save(path, features)
        case ".npz":
            np.savez(path, features=features)
    return path


def in_memory(features: np.ndarray, coords: np.ndarray | None = None) -> FeatureFile:
    return FeatureFile(features, coords, layout="npy", attributes={})


@settings(max_examples=60, deadline=None)
@given(
    features=npst.arrays(
        dtype=st.sampled_from([np.float16, np.float32, np.float64]),
        shape=npst.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=5),
    ),
    suffix=st.sampled_from(FEATURE_SUFFIXES),
)
def test_what_was_written_is_read(tmp_path_factory: pytest.TempPathFactory, features: np.ndarray, suffix: str) -> None:
    path = tmp_path_factory.mktemp("features") / f"slide{suffix}"
    read = read_features(write(path, features))
    expected = features[np.newaxis] if features.ndim == 1 else features
    np.testing.assert_array_equal(read.features, expected, strict=True)
    assert read.coords is None


def test_suffix_case_does_not_matter(tmp_path: Path) -> None:
    path = write(tmp_path / "slide.npy", FEATURES).rename(tmp_path / "slide.NPY")
    np.testing.assert_array_equal(read_features(path).features, FEATURES)


@pytest.mark.parametrize("dtype", [np.int64, np.uint8, np.bool_, np.complex64])
def test_features_must_be_floating_point(tmp_path: Path, suffix: str, dtype: type) -> None:
    path = write(tmp_path / f"slide.{suffix}", FEATURES.astype(dtype))
    with pytest.raises(FormatError, match=r"slide\.\w+ holds .* values, but features are float16, float32, float64"):
        read_features(path)


def test_four_dimensions_are_refused(tmp_path: Path, suffix: str) -> None:
    path = write(tmp_path / f"slide.{suffix}", np.zeros((1, 2, 3, 4), np.float32))
    with pytest.raises(FormatError, match=r"an array of shape \(1, 2, 3, 4\), but features are \[n, d\]"):
        read_features(path)


def test_a_single_number_is_refused(tmp_path: Path, suffix: str) -> None:
    path = write(tmp_path / f"slide.{suffix}", np.zeros((), np.float32))
    with pytest.raises(FormatError, match=r"an array of shape \(\), but features"):
        read_features(path)


def test_git_lfs_pointer_is_recognised(lfs_pointer: Path) -> None:
    with pytest.raises(FormatError, match=r"this is a Git LFS pointer.*git lfs pull.*hiptbench data fetch"):
        read_features(lfs_pointer)


def test_missing_file(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(FormatError, match=r"slide\.\w+ does not exist"):
        read_features(tmp_path / f"slide.{suffix}")


def test_file_of_no_bytes(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"slide.{suffix}"
    path.touch()
    with pytest.raises(FormatError, match=r"is empty \(0 bytes\)"):
        read_features(path)


def test_folder_in_place_of_a_file(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"slide.{suffix}"
    path.mkdir()
    with pytest.raises(FormatError, match=r"cannot be opened: Is a directory"):
        read_features(path)


def test_unknown_suffix(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"suffix '\.csv', but feature files end in \.pt, \.h5, \.npy, \.npz"):
        read_features(tmp_path / "labels.csv")


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_truncated_file(tmp_path: Path, suffix: str, share: float) -> None:
    path = write(tmp_path / f"slide.{suffix}", np.ones((50, 40), np.float32))
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(FormatError, match=r"(damaged or truncated|not a readable (HDF5|NumPy) file).*(fetch|again)"):
        read_features(path)


def test_other_content_under_the_suffix(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"slide.{suffix}"
    path.write_text("case_id,slide_id,label\n")
    with pytest.raises(FormatError, match=r"slide\.\w+ is not a"):
        read_features(path)


def test_byte_order_becomes_native() -> None:
    swapped = FEATURES.astype(">f4")
    native = as_features(swapped, Path("slide.npy"))
    assert native.dtype == np.float32
    np.testing.assert_array_equal(native, FEATURES)


@pytest.mark.parametrize("dtype", [np.int32, np.uint16, np.int64, np.float32])
def test_coords_become_int64(dtype: type) -> None:
    np.testing.assert_array_equal(as_coords(COORDS.astype(dtype), Path("slide.h5")), COORDS, strict=True)


@pytest.mark.parametrize("broken", [0.5, np.nan, np.inf])
def test_coords_must_be_whole(broken: float) -> None:
    with pytest.raises(FormatError, match=r"coords are float64 and not all whole numbers"):
        as_coords(np.array([[0.0, broken]]), Path("slide.h5"))


def test_coords_must_be_numbers() -> None:
    with pytest.raises(FormatError, match=r"coords are <U2 and not all whole numbers"):
        as_coords(np.array([["x0", "y0"]]), Path("slide.h5"))


@pytest.mark.parametrize("shape", [(4,), (4, 3), (1, 4, 2)])
def test_coords_must_be_pairs(shape: tuple[int, ...]) -> None:
    with pytest.raises(FormatError, match=r"coords have shape \(.*\), expected \[n, 2\]"):
        as_coords(np.zeros(shape, np.int64), Path("slide.h5"))


def test_sound_features_have_no_problems() -> None:
    assert problems(in_memory(FEATURES, COORDS)) == []


def test_nan_and_inf_are_read_and_reported(tmp_path: Path, suffix: str) -> None:
    broken = FEATURES.copy()
    broken[1, 2], broken[1, 3], broken[2, 0] = np.nan, np.inf, -np.inf
    file = read_features(write(tmp_path / f"slide.{suffix}", broken))
    assert problems(file) == ["3 values are NaN or Inf, in 2 of 3 rows, first in row 1"]


def test_nan_in_hierarchical_features_is_counted_by_region() -> None:
    broken = np.zeros((3, 256, 4), np.float32)
    broken[2, 7:9] = np.nan
    assert problems(in_memory(broken)) == ["8 values are NaN or Inf, in 1 of 3 rows, first in row 2"]


def test_too_large_for_float32_counts_as_inf() -> None:
    assert problems(in_memory(np.array([[1.0], [1e300]]))) == [
        "1 values are NaN or Inf, in 1 of 2 rows, first in row 1"
    ]


def test_empty_bag_is_read_and_reported(tmp_path: Path, suffix: str) -> None:
    file = read_features(write(tmp_path / f"slide.{suffix}", np.zeros((0, 4), np.float16)))
    assert file.features.shape == (0, 4)
    assert problems(file) == ["empty bag: 0 rows"]


def test_no_dimensions_are_reported() -> None:
    assert problems(in_memory(np.zeros((1, 0), np.float32))) == ["no feature dimensions: shape (1, 0)"]


def test_coords_of_another_length_are_reported() -> None:
    assert problems(in_memory(FEATURES, COORDS[:2])) == ["coords have 2 rows, features 3"]
