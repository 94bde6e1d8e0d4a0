"""What a feature file holds, whichever tool wrote it, and what in it would break a run."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from hiptbench.errors import FormatError

_DTYPES = ("float16", "float32", "float64")


@dataclass(frozen=True, eq=False)
class FeatureFile:
    """The arrays of one file, in the dtype they have on disk.

    Attributes:
        features: [n, d], or [n, 256, d] of hierarchical features; float16, float32 or float64.
        coords: [m, 2] int64, the level-0 pixel (x, y) of each row's upper left corner, or None if the file
            has none. m differs from n only in a broken file, which ``problems`` reports.
        layout: Which public layout the file follows: ``hipt-regions``, ``clam-h5``, ``trident-patches``, ...
        attributes: The file's metadata as plain Python values; empty where the layout has none.
    """

    features: Float[np.ndarray, "n ..."]
    coords: Int[np.ndarray, "m 2"] | None
    layout: str
    attributes: dict[str, Any]


def as_features(values: np.ndarray, path: Path) -> Float[np.ndarray, "n ..."]:
    """Return an array as features: dtype and shape checked, native byte order, a vector [d] as [1, d].

    Args:
        values: [d], [n, d] or [n, p, d]; float16, float32 or float64.
        path: The file it came from, for the message.

    Raises:
        FormatError: If the dtype or the number of dimensions is another.
    """
    if values.dtype.name not in _DTYPES:
        raise FormatError(
            f"{path} holds {values.dtype} values, but features are {', '.join(_DTYPES)}. "
            "Save the encoder's floating-point output."
        )
    if not 1 <= values.ndim <= 3:
        raise FormatError(
            f"{path} holds an array of shape {values.shape}, but features are [n, d], [n, 256, d] or [d]. "
            "Save one slide per file."
        )
    native = values.astype(values.dtype.newbyteorder("="), copy=False)
    return native[np.newaxis] if native.ndim == 1 else native


def as_coords(values: np.ndarray, path: Path) -> Int[np.ndarray, "m 2"]:
    """Return an array as level-0 pixel coordinates; floating-point values are taken if they are whole.

    Args:
        values: [m, 2], any integer dtype, or whole numbers in a floating-point one.
        path: The file it came from, for the message.

    Returns:
        [m, 2] int64.

    Raises:
        FormatError: If the shape is another or a value is not whole.
    """
    if values.ndim != 2 or values.shape[1] != 2:
        raise FormatError(f"{path}: coords have shape {values.shape}, expected [n, 2] (x, y of each row).")
    if values.dtype.kind not in "iuf" or not np.array_equal(_whole_numbers(values), values):
        raise FormatError(
            f"{path}: coords are {values.dtype} and not all whole numbers, but level-0 pixels are. "
            "Save them as integers, or leave them out if they have another unit."
        )
    return _whole_numbers(values)


def _whole_numbers(values: np.ndarray) -> Int[np.ndarray, "..."]:
    with np.errstate(invalid="ignore"):  # NaN and Inf become some number, which differs from them
        return values.astype(np.int64)


def problems(file: FeatureFile) -> list[str]:
    """List what in a file would break a run; reading does not refuse any of it.

    Args:
        file: As read.

    Returns:
        One phrase per problem, none for a sound file: empty bag, no feature dimensions, NaN or Inf (also a
        float64 too large for float32, in which heads compute), coords of another length than the features.
    """
    found = []
    if file.features.shape[0] == 0:
        found.append("empty bag: 0 rows")
    if 0 in file.features.shape[1:]:
        found.append(f"no feature dimensions: shape {file.features.shape}")
    found.extend(_not_finite(file.features))
    if file.coords is not None and len(file.coords) != len(file.features):
        found.append(f"coords have {len(file.coords)} rows, features {len(file.features)}")
    return found


def _not_finite(features: Float[np.ndarray, "n ..."]) -> list[str]:
    with np.errstate(over="ignore"):  # the overflow is what is looked for
        values = features.astype(np.float32, copy=False)
    count = np.count_nonzero(~np.isfinite(values), axis=tuple(range(1, values.ndim)))
    rows = np.flatnonzero(count)
    if not len(rows):
        return []
    return [f"{count.sum()} values are NaN or Inf, in {len(rows)} of {len(values)} rows, first in row {rows[0]}"]
