"""PyTorch ``.pt`` files: a bare tensor per slide.

HIPT's region embeddings [m, 192] and hierarchical features [m, 256, 384], CLAM's and TRIDENT's patches [n, d].
Layouts from mahmoodlab/HIPT (``3-Self-Supervised-Eval``) and mahmoodlab/CLAM (``extract_features_fp.py``).
"""

import pickle
import struct
from pathlib import Path
from typing import Any

import numpy as np

from hiptbench.errors import FormatError, name_some
from hiptbench.formats.arrays import FeatureFile, as_features

_HIPT_REGION_DIM = 192
TORCH_DAMAGE = (
    RuntimeError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    AssertionError,
    EOFError,
    OSError,
    struct.error,
)
"""What torch.load was seen to raise on files that were cut short or had single bytes changed."""


def read_torch(path: Path) -> FeatureFile:
    """Read a tensor without running any code that the file may hold (``weights_only=True``).

    Args:
        path: A ``.pt`` file; tensors saved on another device are read onto the CPU, bfloat16 and 8-bit floats become
            float32.

    Returns:
        Features without coords, for ``.pt`` files hold none.

    Raises:
        FormatError: If the file is damaged or holds anything but one dense tensor.
    """
    features = as_features(_array(_load(path), path), path)
    return FeatureFile(features=features, coords=None, layout=_layout(features), attributes={})


def _load(path: Path) -> Any:
    import torch

    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise FormatError(
            f"{path} is not a PyTorch file, or holds Python objects, which could run code: not loaded. "
            "Save the tensor alone: torch.save(features, path)."
        ) from error
    except TORCH_DAMAGE as error:
        first_line = (str(error) or type(error).__name__).splitlines()[0]
        raise FormatError(f"{path} is damaged or truncated ({first_line}). Copy or fetch it again.") from error


def _array(loaded: Any, path: Path) -> np.ndarray:
    import torch

    if not isinstance(loaded, torch.Tensor) or loaded.layout != torch.strided:
        raise FormatError(
            f"{path} holds {_describe(loaded)}, expected one dense tensor [n, d]. "
            "Save the tensor alone: torch.save(features, path)."
        )
    if loaded.is_floating_point() and loaded.dtype not in (torch.float16, torch.float32, torch.float64):
        loaded = loaded.float()  # exact; numpy has no bfloat16 and no 8-bit floats
    values: np.ndarray = loaded.detach().numpy()
    return values


def _describe(loaded: Any) -> str:
    if isinstance(loaded, dict):
        return f"a dict with the keys {name_some([str(key) for key in loaded])}"
    return f"a {type(loaded).__name__}"


def _layout(features: np.ndarray) -> str:
    if features.ndim == 3:
        return "hipt-hierarchical"
    return "hipt-regions" if features.shape[1] == _HIPT_REGION_DIM else "clam-pt"
