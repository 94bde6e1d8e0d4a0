"""One HDF5 file a slide, in the layout of CLAM and TRIDENT: ``features``, ``coords`` in pixels of level 0."""

from collections.abc import Mapping
from pathlib import Path

import h5py
import numpy as np
from jaxtyping import Float32

from hiptbench.files import write_atomic
from hiptbench.slides.grid import PATCH, Grid
from hiptbench.slides.slide import Slide

_FINGERPRINT = "hiptbench_fingerprint"
_TEN_FOLD = 10.0  # micrometres a pixel at which a magnification is 1: 20x is 0.5


def write_file(
    path: Path, slide: Slide, grid: Grid, features: Float32[np.ndarray, "n *tail"], *, encoder: str, fingerprint: str
) -> None:
    """Write a slide's features.

    Attributes are those of TRIDENT (mahmoodlab/TRIDENT, trident/IO.py), so that its readers take the file, and ours,
    which begin with "hiptbench" or say what TRIDENT's cannot.

    Args:
        path: The file, which exists whole or not at all.
        slide: The slide.
        grid: Its tiles.
        features: One row a tile.
        encoder: Name of the extractor.
        fingerprint: Hash of what decides the values.

    Raises:
        StoreError: If the file cannot be written.
    """

    def write(part: Path) -> None:
        with h5py.File(part, "w", track_order=True) as file:
            made = {"name": slide.id, "savetodir": str(path.parent)}
            file.attrs[_FINGERPRINT] = fingerprint
            _dataset(file, "features", features, made | {"encoder": encoder})
            _dataset(file, "coords", grid.coords, made | coords_attributes(slide, grid))

    write_atomic(path, write)


def write_coords(path: Path, slide: Slide, grid: Grid) -> None:
    """Write a slide's tiles alone, as TRIDENT's ``patches`` files are.

    Raises:
        StoreError: If the file cannot be written.
    """

    def write(part: Path) -> None:
        with h5py.File(part, "w", track_order=True) as file:
            made = {"name": slide.id, "savetodir": str(path.parent)}
            _dataset(file, "coords", grid.coords, made | coords_attributes(slide, grid))

    write_atomic(path, write)


def coords_attributes(slide: Slide, grid: Grid) -> dict[str, float | int | str]:
    """Return what the coordinates mean: TRIDENT's attributes, then ours."""
    width, height = slide.size
    return {
        "patch_size": grid.width,
        "patch_size_level0": round(grid.width * grid.scale),
        "level0_magnification": round(_TEN_FOLD / slide.mpp),
        "target_magnification": round(_TEN_FOLD / grid.mpp),
        "overlap": 0,
        "level0_width": width,
        "level0_height": height,
        "tile_width": grid.width,
        "tile_height": grid.height,
        "tile_mpp": grid.mpp,
        "level0_mpp": slide.mpp,
        "patch_rows": grid.height // PATCH,
        "patch_columns": grid.width // PATCH,
    }


def read_fingerprint(path: Path) -> str | None:
    """Return the fingerprint of a file of features; None if there is no whole file of ours."""
    if not path.is_file():
        return None
    try:
        with h5py.File(path, "r") as file:
            found = file.attrs.get(_FINGERPRINT)
    except OSError:  # cut short, or something else under this name: it is made again
        return None
    return None if found is None else str(found)


def _dataset(file: h5py.File, name: str, values: np.ndarray, attributes: Mapping[str, float | int | str]) -> None:
    dataset = file.create_dataset(name, data=values)
    for key, value in attributes.items():
        dataset.attrs[key] = value
