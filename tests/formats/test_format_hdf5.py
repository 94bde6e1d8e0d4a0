"""HDF5 files, written as each public tool writes them."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from hiptbench.errors import FormatError
from hiptbench.formats import FeatureFile, problems, read_features

FEATURES = np.linspace(-1, 1, 20, dtype=np.float32).reshape(5, 4)
COORDS = np.arange(10, dtype=np.int64).reshape(5, 2) * 256
TRIDENT_COORDS = {
    "patch_size": 256,
    "patch_size_level0": 512,
    "level0_magnification": 40,
    "target_magnification": 20,
    "overlap": 0,
    "name": "slide",
    "savetodir": "job/patches",
    "level0_width": 9000,
    "level0_height": 8000,
}


def write(path: Path, datasets: dict[str, np.ndarray], attributes: dict[str, dict[str, Any]] | None = None) -> Path:
    """Write datasets in chunks of one row, as TRIDENT does; attributes go to a dataset, or to the file ('/')."""
    with h5py.File(path, "w") as handle:
        for name, values in datasets.items():
            handle.create_dataset(name, data=values, chunks=(1, *values.shape[1:]), maxshape=(None, *values.shape[1:]))
        for name, pairs in (attributes or {}).items():
            handle[name].attrs.update(pairs)
    return path


def read(tmp_path: Path, *content: Any) -> FeatureFile:
    return read_features(write(tmp_path / "slide.h5", *content))


def test_clam(tmp_path: Path) -> None:
    file = read(tmp_path, {"features": FEATURES, "coords": COORDS.astype(np.int32)})
    assert file.layout == "clam-h5"
    np.testing.assert_array_equal(file.features, FEATURES, strict=True)
    np.testing.assert_array_equal(file.coords, COORDS, strict=True)
    assert file.attributes == {}


def test_trident_patches(tmp_path: Path) -> None:
    encoder = {"encoder": "uni_v1", "name": "slide", "savetodir": "job/features", "precision": "None"}
    file = read(
        tmp_path,
        {"features": FEATURES.astype(np.float16), "coords": COORDS},
        {"features": encoder, "coords": TRIDENT_COORDS},
    )
    assert file.layout == "trident-patches"
    assert file.features.dtype == np.float16
    np.testing.assert_array_equal(file.coords, COORDS, strict=True)
    assert file.attributes == TRIDENT_COORDS | encoder | {"precision": None}
    assert type(file.attributes["patch_size_level0"]) is int


def test_trident_slide_without_tissue(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "slide.h5", "w") as handle:
        handle.create_dataset("features", (0, 1024), "f4", maxshape=(None, 1024), chunks=(1, 1024))
        handle.create_dataset("coords", (0, 2), "i8", maxshape=(None, 2), chunks=(1, 2))
    file = read_features(tmp_path / "slide.h5")
    assert file.features.shape == (0, 1024)
    assert file.coords is not None
    assert problems(file) == ["empty bag: 0 rows"]


def test_trident_slide_vector_leaves_out_the_patches_coords(tmp_path: Path) -> None:
    file = read(tmp_path, {"features": FEATURES[0], "coords": COORDS}, {"coords": TRIDENT_COORDS})
    assert file.layout == "trident-slide"
    np.testing.assert_array_equal(file.features, FEATURES[:1], strict=True)
    assert file.coords is None
    assert problems(file) == []


def test_trident_slide_vector_of_an_empty_slide(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "slide.h5", "w") as handle:
        handle["features"] = np.zeros(0, np.float32)
        handle["coords"] = np.zeros((0, 2), np.int64)
    assert problems(read_features(tmp_path / "slide.h5")) == ["no feature dimensions: shape (1, 0)"]


@pytest.mark.parametrize("values", [FEATURES[0], FEATURES[:1]])
def test_patho_bench_pooled(tmp_path: Path, values: np.ndarray) -> None:
    file = read(tmp_path, {"features": values})
    assert file.layout == "patho-bench-pooled"
    np.testing.assert_array_equal(file.features, FEATURES[:1], strict=True)


def test_features_without_coords(tmp_path: Path) -> None:
    file = read(tmp_path, {"features": FEATURES})
    assert file.layout == "h5"
    assert file.coords is None


def test_leading_batch_axis_is_not_taken_for_one_region(tmp_path: Path) -> None:
    """MahmoodLab/UNI2-h-features stores [1, n, 1536] with coords [1, n, 2]."""
    file = read(tmp_path, {"features": FEATURES[np.newaxis], "coords": COORDS[np.newaxis]})
    assert file.layout == "batched-h5"
    np.testing.assert_array_equal(file.features, FEATURES, strict=True)
    np.testing.assert_array_equal(file.coords, COORDS, strict=True)


@pytest.mark.parametrize("key", ["feats", "patch_embeddings"])
def test_stamp_tiles_have_no_level0_coords(tmp_path: Path, key: str) -> None:
    micrometres = COORDS * 0.25
    attributes = {"extractor": "ctranspath", "unit": "um", "tile_size_um": 256.0, "feat_type": "tile"}
    file = read(tmp_path, {key: FEATURES, "coords": micrometres}, {"/": attributes})
    assert file.layout == "stamp-tiles"
    np.testing.assert_array_equal(file.features, FEATURES, strict=True)
    assert file.coords is None
    assert file.attributes == attributes


def test_stamp_tiles_of_old_versions_have_no_attributes(tmp_path: Path) -> None:
    file = read(tmp_path, {"feats": FEATURES, "coords": COORDS})
    assert (file.layout, file.coords, file.attributes) == ("stamp-tiles", None, {})


@pytest.mark.parametrize("values", [FEATURES[0], FEATURES[:1]])
@pytest.mark.parametrize("kind", ["slide", "patient"])
def test_stamp_slide(tmp_path: Path, values: np.ndarray, kind: str) -> None:
    file = read(tmp_path, {"feats": values}, {"/": {"encoder": "titan", "feat_type": kind}})
    assert file.layout == "stamp-slide"
    np.testing.assert_array_equal(file.features, FEATURES[:1], strict=True)


def test_attributes_become_plain_values(tmp_path: Path) -> None:
    attributes = {"bytes": np.bytes_(b"um"), "list": np.array([1, 2]), "nothing": h5py.Empty("f4")}
    file = read(tmp_path, {"features": FEATURES}, {"features": attributes})
    assert file.attributes == {"bytes": "um", "list": [1, 2], "nothing": None}


def test_coords_of_another_length_are_read_and_reported(tmp_path: Path) -> None:
    file = read(tmp_path, {"features": FEATURES, "coords": COORDS[:3]})
    assert problems(file) == ["coords have 3 rows, features 5"]


def test_patch_list_is_not_features(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"has the datasets coords, but features are called features or feats"):
        read(tmp_path, {"coords": COORDS}, {"coords": TRIDENT_COORDS})


def test_file_without_datasets(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"has the datasets \(none\)"):
        read(tmp_path, {})


def test_group_in_place_of_a_dataset(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "slide.h5", "w") as handle:
        handle.create_group("features")
    with pytest.raises(FormatError, match=r"not a readable HDF5 file"):
        read_features(tmp_path / "slide.h5")


def test_dataset_without_values(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "slide.h5", "w") as handle:
        handle["features"] = h5py.Empty("f4")
    with pytest.raises(FormatError, match=r"holds object values, but features are float16"):
        read_features(tmp_path / "slide.h5")
