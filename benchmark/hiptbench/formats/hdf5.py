"""HDF5 files of CLAM, TRIDENT, Patho-Bench and STAMP: one slide per file.

Keys, shapes and attributes from mahmoodlab/CLAM (``utils/file_utils.py``), mahmoodlab/TRIDENT
(``trident/IO.py``), mahmoodlab/Patho-Bench (``patho_bench/Pooler.py``) and KatherLab/STAMP
(``src/stamp/preprocessing``).
"""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
from jaxtyping import Int

from hiptbench.errors import FormatError
from hiptbench.formats.arrays import FeatureFile, as_coords, as_features

_STAMP_KEYS = ("feats", "patch_embeddings")
_KEYS = ("features", *_STAMP_KEYS)

# What h5py was seen to raise on files that were cut short or had single bytes changed.
_DAMAGE = (OSError, RuntimeError, LookupError, TypeError, ValueError)


def read_hdf5(path: Path) -> FeatureFile:
    """Read the features of a slide, with coords where they are level-0 pixels.

    Args:
        path: A ``.h5`` file with a dataset ``features`` (CLAM, TRIDENT, Patho-Bench), or ``feats`` or
            ``patch_embeddings`` (STAMP).

    Returns:
        Features in the dtype on disk. Coords are None if there are none, if they are STAMP's micrometres, or
        if they belong to the patches that a slide vector was pooled from. Attributes are those of the coords,
        the features and the file in one mapping; where a name occurs twice, the latter wins.

    Raises:
        FormatError: If the file is damaged, or none of these datasets is in it.
    """
    try:
        with h5py.File(path, "r") as handle:
            key, values, coords, attributes = _contents(handle, path)
    except FormatError:
        raise
    except _DAMAGE as error:
        raise FormatError(f"{path} is not a readable HDF5 file ({error}). Copy or make it again.") from error
    layout = _layout(key, values, coords, attributes)
    features = as_features(values[0] if layout == "batched-h5" else values, path)
    return FeatureFile(features, _level0_coords(coords, layout, path), layout=layout, attributes=attributes)


def _contents(handle: Any, path: Path) -> tuple[str, np.ndarray, np.ndarray | None, dict[str, Any]]:
    key = next((key for key in _KEYS if key in handle), None)
    if key is None:
        raise FormatError(
            f"{path} has the datasets {', '.join(handle) or '(none)'}, "
            f"but features are called {' or '.join(_KEYS)}. "
            "A file with coords alone only lists patches: point to the features made from it."
        )
    attributes: dict[str, Any] = {}
    for holder in ("coords", key, "/"):
        if holder in handle:
            attributes |= {name: _plain(value) for name, value in handle[holder].attrs.items()}
    coords = _whole(handle["coords"]) if "coords" in handle else None
    return key, _whole(handle[key]), coords, attributes


def _whole(dataset: Any) -> np.ndarray:
    """Read a dataset in one call, the fastest way through TRIDENT's chunks of one row."""
    return np.asarray(dataset[()])


def _plain(value: Any) -> Any:
    """Return an attribute as a plain Python value; TRIDENT writes None as the string 'None'."""
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, bytes):
        value = value.decode(errors="replace")
    return None if value == "None" or isinstance(value, h5py.Empty) else value


def _layout(key: str, values: np.ndarray, coords: np.ndarray | None, attributes: dict[str, Any]) -> str:
    if key in _STAMP_KEYS:
        pooled = values.ndim == 1 or attributes.get("feat_type") in ("slide", "patient")
        return "stamp-slide" if pooled else "stamp-tiles"
    if coords is None:
        return "patho-bench-pooled" if values.ndim == 1 or values.shape[:1] == (1,) else "h5"
    if values.ndim == 1:
        return "trident-slide"
    if values.ndim == coords.ndim == 3 and len(values) == len(coords) == 1:
        return "batched-h5"  # MahmoodLab/UNI2-h-features: features [1, n, 1536], coords [1, n, 2]
    return "trident-patches" if "encoder" in attributes or "patch_size_level0" in attributes else "clam-h5"


def _level0_coords(coords: np.ndarray | None, layout: str, path: Path) -> Int[np.ndarray, "m 2"] | None:
    if coords is None or layout in ("stamp-tiles", "stamp-slide", "trident-slide"):
        return None
    return as_coords(coords[0] if layout == "batched-h5" else coords, path)
