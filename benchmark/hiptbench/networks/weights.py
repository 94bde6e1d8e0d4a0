"""Giving a network its weights: those of a published file, or random ones."""

import argparse
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from hiptbench.errors import ExtractorError, name_some
from hiptbench.files import sha256_file
from hiptbench.formats.checks import check_file
from hiptbench.formats.torch_pt import TORCH_DAMAGE
from hiptbench.networks.resnet import ResNet50
from hiptbench.networks.vit import VisionTransformer

_TORCH_SUFFIXES = (".pth", ".pt", ".bin")
_SAFETENSORS = ".safetensors"
_DINO = "teacher"  # the key of the weights to use in DINO's checkpoints
_DINO_HEAD = "head."  # the projection head, which only pretraining needs
_COUNTER = "num_batches_tracked"  # of batch norms: absent from old files, for which PyTorch puts 0


def load_weights(network: nn.Module, path: str | Path, *, ignore: tuple[str, ...] = ()) -> str:
    """Load published weights, without running any code that the file may hold.

    The file is a state dict (``.pth``, ``.pt``, ``.bin`` or ``.safetensors``), or a checkpoint of DINO, whose
    ``teacher`` is taken without the prefixes ``module.`` and ``backbone.`` and without its projection head (``head.``).
    The network must have every tensor of the file and no other, in the same shapes.

    Args:
        network: The network, whose weights change only if all of them fit.
        path: The file.
        ignore: Starts of the names of tensors in the file that the network does without, such as
            ``hiptbench.networks.resnet.CUT_OFF``.

    Returns:
        The SHA-256 of the file.

    Raises:
        FormatError: If there is no such file, it is empty, or it is a Git LFS pointer.
        ExtractorError: If the file holds no weights, is damaged, or is of another network.
    """
    path = Path(path)
    check_file(path)
    state = {name: weight for name, weight in _state(path).items() if not name.startswith(ignore)}
    _check_fit(state, network.state_dict(), path)
    network.load_state_dict(state)
    return sha256_file(path)


def random_weights(network: VisionTransformer | ResNet50, seed: int) -> None:
    """Give a network random weights, the same for the same seed; its buffers are reset too.

    Args:
        network: The network, on the CPU and in float32.
        seed: Seed of the weights.
    """
    network.reset_parameters(torch.Generator().manual_seed(seed))


def _state(path: Path) -> dict[str, Tensor]:
    suffix = path.suffix.lower()
    if suffix == _SAFETENSORS:
        return _read_safetensors(path)
    if suffix not in _TORCH_SUFFIXES:
        raise ExtractorError(
            f"{path}: weights are read from {', '.join(_TORCH_SUFFIXES)} and {_SAFETENSORS} files, "
            f"not from '{path.suffix}'. Rename the file if it is one of these."
        )
    loaded = _read_torch(path)
    if isinstance(loaded, Mapping) and _DINO in loaded:
        return _backbone(_tensors(loaded[_DINO], path))
    return _tensors(loaded, path)


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    try:
        state: dict[str, Tensor] = load_file(path)
    except (SafetensorError, OSError) as error:
        raise ExtractorError(f"{path} is damaged or no safetensors file ({error}). Copy or fetch it again.") from error
    return state


def _read_torch(path: Path) -> Any:
    try:
        with torch.serialization.safe_globals([argparse.Namespace]):  # DINO saves its command line too
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise ExtractorError(
            f"{path} is no PyTorch file, or holds Python objects, which could run code: not loaded. "
            "Save the weights alone: torch.save(model.state_dict(), path)."
        ) from error
    except TORCH_DAMAGE as error:
        first_line = (str(error) or type(error).__name__).splitlines()[0]
        raise ExtractorError(f"{path} is damaged or truncated ({first_line}). Copy or fetch it again.") from error


def _tensors(loaded: Any, path: Path) -> dict[str, Tensor]:
    remedy = "Save the weights alone: torch.save(model.state_dict(), path)."
    if not isinstance(loaded, Mapping):
        raise ExtractorError(f"{path} holds a {type(loaded).__name__}, expected tensors by name. {remedy}")
    others = [str(name) for name, value in loaded.items() if not isinstance(value, Tensor)]
    if others:
        raise ExtractorError(f"{path} holds more than tensors by name: {name_some(others)}. {remedy}")
    return {str(name): weight for name, weight in loaded.items()}


def _backbone(teacher: dict[str, Tensor]) -> dict[str, Tensor]:
    backbone = {name.removeprefix("module.").removeprefix("backbone."): weight for name, weight in teacher.items()}
    return {name: weight for name, weight in backbone.items() if not name.startswith(_DINO_HEAD)}


def _check_fit(state: dict[str, Tensor], own: dict[str, Tensor], path: Path) -> None:
    """Check that the file's names and shapes are the network's, and its values numbers."""
    problems = {
        "missing": [name for name in own if name not in state and not name.endswith(_COUNTER)],
        "unexpected": [name for name in state if name not in own],
        "of another shape": [
            f"{name} {list(state[name].shape)} in place of {list(weight.shape)}"
            for name, weight in own.items()
            if name in state and state[name].shape != weight.shape
        ],
        "with values that are not finite": [name for name, weight in state.items() if not weight.isfinite().all()],
    }
    found = [f"{len(names)} {problem} ({name_some(names)})" for problem, names in problems.items() if names]
    if found:
        raise ExtractorError(
            f"{path} does not hold this network's weights. Tensors: {'; '.join(found)}. Take the file made for it."
        )
