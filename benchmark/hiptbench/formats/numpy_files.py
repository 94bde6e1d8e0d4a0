"""NumPy files: ``.npy`` with one array, ``.npz`` with ``features`` and, if there are any, ``coords``."""

import tokenize
import zipfile
import zlib
from pathlib import Path

import numpy as np

from hiptbench.errors import FormatError
from hiptbench.formats.arrays import FeatureFile, as_coords, as_features

# What np.load was seen to raise on files that were cut short or had single bytes changed.
_DAMAGE = (
    ValueError,
    TypeError,
    SyntaxError,
    RuntimeError,
    EOFError,
    OSError,
    zipfile.BadZipFile,
    zlib.error,
    tokenize.TokenError,
)


def read_numpy(path: Path) -> FeatureFile:
    """Read an array, or an archive of arrays; pickled objects are refused because they can run code.

    Args:
        path: A ``.npy`` file, or a ``.npz`` file with ``features`` [, ``coords``] or one array of any name.

    Returns:
        Features, with coords if the archive has them.

    Raises:
        FormatError: If the file is damaged, holds objects, or has several arrays and none is ``features``.
    """
    arrays = _load(path)
    return FeatureFile(
        features=as_features(arrays["features"], path),
        coords=as_coords(arrays["coords"], path) if "coords" in arrays else None,
        layout=path.suffix.lower().removeprefix("."),
        attributes={},
    )


def _load(path: Path) -> dict[str, np.ndarray]:
    try:
        with path.open("rb") as handle:  # given a path, np.load leaves a broken archive open
            loaded = np.load(handle, allow_pickle=False)
            if isinstance(loaded, np.ndarray):
                return {"features": loaded}
            return {role: loaded[name] for role, name in _roles(loaded.files, path).items()}
    except FormatError:
        raise
    except _DAMAGE as error:
        raise FormatError(
            f"{path} is not a readable NumPy file of numbers ({error}). Copy it again or use np.save."
        ) from error


def _roles(names: list[str], path: Path) -> dict[str, str]:
    if len(names) == 1:
        return {"features": names[0]}
    if "features" not in names:
        raise FormatError(
            f"{path} has the arrays {', '.join(names) or '(none)'}, and none is called 'features'. "
            "Save it as np.savez(path, features=..., coords=...)."
        )
    return {role: role for role in ("features", "coords") if role in names}
