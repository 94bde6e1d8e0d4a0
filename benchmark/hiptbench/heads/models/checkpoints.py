"""Reading the checkpoints that DINO's training writes."""

import argparse
import pickle
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from hiptbench.errors import HeadError
from hiptbench.formats.checks import check_file

_WRAPPERS = ("module.", "backbone.")
_DINO_HEAD = "head."  # the projection head, which only pretraining needs
# What torch.load raises on files that are no checkpoint, or damaged.
_UNREADABLE = (pickle.UnpicklingError, RuntimeError, EOFError, OSError, ValueError, LookupError)


def read_dino(path: Path) -> dict[str, Tensor]:
    """Read the teacher's backbone from a checkpoint, without running any code that the file may hold.

    Args:
        path: A ``.pth`` file with the key ``teacher``, such as HIPT_4K/Checkpoints/vit4k_xs_dino.pth.

    Returns:
        The state dict without the prefixes of wrappers (``module.``, ``backbone.``) and without DINO's projection head.

    Raises:
        FormatError: If there is no such file, it is empty, or it is a Git LFS pointer.
        HeadError: If it is no such checkpoint.
    """
    check_file(path)
    try:
        with torch.serialization.safe_globals([argparse.Namespace]):  # DINO saves its command line too
            loaded = torch.load(path, map_location="cpu", weights_only=True)
    except _UNREADABLE as error:
        raise HeadError(f"{path} cannot be read as a PyTorch checkpoint ({str(error).splitlines()[0]}).") from error
    teacher = loaded.get("teacher") if isinstance(loaded, Mapping) else None
    if not isinstance(teacher, Mapping):
        raise HeadError(f"{path} has no key 'teacher', so DINO did not write it. Take a DINO checkpoint.")
    backbone = {_without_wrappers(name): weight for name, weight in teacher.items()}
    return {name: weight for name, weight in backbone.items() if not name.startswith(_DINO_HEAD)}


def _without_wrappers(name: str) -> str:
    for wrapper in _WRAPPERS:
        name = name.replace(wrapper, "")
    return name
