"""Reading one feature file of any public layout: suffix, then keys, then shape, then attributes."""

from collections.abc import Callable
from pathlib import Path

from hiptbench.errors import FormatError
from hiptbench.formats.arrays import FeatureFile
from hiptbench.formats.checks import check_file
from hiptbench.formats.hdf5 import read_hdf5
from hiptbench.formats.numpy_files import read_numpy
from hiptbench.formats.torch_pt import read_torch

_READERS: dict[str, Callable[[Path], FeatureFile]] = {
    ".pt": read_torch,
    ".h5": read_hdf5,
    ".npy": read_numpy,
    ".npz": read_numpy,
}
FEATURE_SUFFIXES = tuple(_READERS)


def read_features(path: Path) -> FeatureFile:
    """Read the features of one slide, whichever tool wrote them.

    Args:
        path: A ``.pt``, ``.h5``, ``.npy`` or ``.npz`` file.

    Returns:
        What the file holds. NaN, Inf and empty bags are read as they are: ``problems`` lists them.

    Raises:
        FormatError: If there is no such file, it is a Git LFS pointer, is damaged, or is not features.
    """
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise FormatError(
            f"{path} has the suffix '{path.suffix}', but feature files end in {', '.join(FEATURE_SUFFIXES)}."
        )
    check_file(path)
    return reader(path)
