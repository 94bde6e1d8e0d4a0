"""One HDF5 file a slide, in the layout of CLAM and TRIDENT: ``features``, ``coords`` in pixels of level 0."""

import io
from collections.abc import Mapping
from pathlib import Path

import h5py
import numpy as np
from jaxtyping import Float32

from hiptbench.files import write_atomic
from hiptbench.slides.grid import Grid
from hiptbench.slides.slide import Slide

Attributes = Mapping[str, float | int | str]

_DAMAGE = (OSError, RuntimeError, LookupError, TypeError, ValueError)  # what h5py was seen to raise
_FINGERPRINT = "hiptbench_fingerprint"
_OBJECTIVES, _SPREAD = (5, 10, 20, 40, 80), 0.2
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
    made: Attributes = {"name": slide.id, "savetodir": str(path.parent)}
    datasets = {
        "features": (features, {**made, "encoder": encoder}),
        "coords": (grid.coords, {**made, **coords_attributes(slide, grid)}),
    }
    write_hdf5(path, datasets, {_FINGERPRINT: fingerprint})


def write_coords(path: Path, slide: Slide, grid: Grid) -> None:
    """Write a slide's tiles alone, as TRIDENT's ``patches`` files are.

    Raises:
        StoreError: If the file cannot be written.
    """
    attributes = {"name": slide.id, "savetodir": str(path.parent)} | coords_attributes(slide, grid)
    write_hdf5(path, {"coords": (grid.coords, attributes)}, {})


def coords_attributes(slide: Slide, grid: Grid) -> dict[str, float | int | str]:
    """Return what the coordinates mean: TRIDENT's attributes, then ours."""
    width, height = slide.size
    return {
        "patch_size": grid.width,
        "patch_size_level0": round(grid.width * grid.scale),
        "level0_magnification": _magnification(slide.mpp),
        "target_magnification": _magnification(grid.mpp),
        "overlap": 0,
        "level0_width": width,
        "level0_height": height,
        "tile_width": grid.width,
        "tile_height": grid.height,
        "tile_mpp": grid.mpp,
        "level0_mpp": slide.mpp,
    }


def _magnification(mpp: float) -> float | int:
    """Return the objective that a pixel size belongs to: 0.25 um is 40x, 0.23 too; others as they are."""
    exact = _TEN_FOLD / mpp
    return next((power for power in _OBJECTIVES if abs(exact / power - 1) < _SPREAD), round(exact, 2))


def read_fingerprint(path: Path) -> str | None:
    """Return the fingerprint of a file of features; None if there is no whole file of ours."""
    if not path.is_file():
        return None
    try:
        with h5py.File(path, "r") as file:
            found = file.attrs.get(_FINGERPRINT)
    except _DAMAGE:  # cut short, or something else under this name: it is made again
        return None
    return None if found is None else str(found)


def write_hdf5(path: Path, datasets: Mapping[str, tuple[np.ndarray, Attributes]], attributes: Attributes) -> None:
    """Write an HDF5 file that is made in memory first: on a full disk, HDF5 leaves the process in a damaged state.

    Args:
        path: The file, which exists whole or not at all.
        datasets: Name of each dataset to its values and attributes.
        attributes: The file's own.

    Raises:
        StoreError: If the file cannot be written.
    """
    buffer = io.BytesIO()
    with h5py.File(buffer, "w", track_order=True) as file:
        file.attrs.update(attributes)
        for name, (values, said) in datasets.items():
            file.create_dataset(name, data=values).attrs.update(said)
    write_atomic(path, lambda part: part.write_bytes(buffer.getbuffer()))
