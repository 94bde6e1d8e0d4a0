"""Encoders of other libraries: any vision model of Hugging Face transformers, any model of timm."""

import importlib
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Float32, UInt8
from safetensors.torch import save
from torch import Tensor, nn
from torch.nn import functional

from hiptbench.errors import ExtractorError
from hiptbench.extractors.base import About, Level
from hiptbench.extractors.network import RANDOM_SEED, NetworkExtractor, Normalisation, encode
from hiptbench.files import sha256_bytes, sha256_lines
from hiptbench.networks.weights import load_weights


@dataclass(frozen=True)
class Loaded:
    """A network of another library, ready for inference.

    Attributes:
        network: From normalised images to one vector each.
        dim: Length of a vector.
        side: Side of the images that it was trained on, in pixels.
        normalisation: How pixels are made inputs.
        weights_sha256: Hash of its tensors' names and values; empty with random weights.
    """

    network: nn.Module
    dim: int
    side: int
    normalisation: Normalisation
    weights_sha256: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class Adapter(NetworkExtractor):
    """An encoder of another library, applied to patches that are resized to the side that it was trained on.

    Attributes:
        model: What the library calls the model, or a folder.
        pretrained_on: Data sets that it was trained on; the libraries do not say, and contamination is flagged by it.
    """

    model: str
    pretrained_on: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name shown on leaderboards."""
        return self.named(Path(self.model).name)

    @property
    def dim(self) -> int:
        """Length of a patch's vector."""
        return self._loaded.dim

    @property
    def level(self) -> Level:
        """What one image is."""
        return "patch"

    @property
    def about(self) -> About:
        """What the card says."""
        loaded = self._loaded
        library = {type(self).__name__.lower(): version(type(self).__name__.lower())}
        seen = library | {"input_side": loaded.side, "mean": loaded.normalisation.mean, "std": loaded.normalisation.std}
        return About(
            encoder=f"{type(self).__name__}: {Path(self.model).name if Path(self.model).is_dir() else self.model}",
            pretrained_on=() if self.random_weights else self.pretrained_on,
            weights_sha256=loaded.weights_sha256,
            details=self.details | seen,
        )

    def extract(self, images: UInt8[np.ndarray, "n h w 3"]) -> Float32[np.ndarray, "n dim"]:
        """Return one vector a patch."""
        return encode(self._loaded.network, images, self._loaded.normalisation, self.batches).cpu().numpy()

    def _ready(self, network: nn.Module, side: int, normalisation: Normalisation) -> Loaded:
        """Return a network that is where it computes, with the hash of its weights and the length of its vectors.

        Raises:
            ExtractorError: If it cannot be run on images alone.
        """
        hashes = {} if self.random_weights else {"state dict": _hash(network)}
        placed = self.placed(network.eval())
        try:
            dim = _dim(placed, side)
        except (ValueError, TypeError, RuntimeError, AttributeError) as error:
            raise ExtractorError(
                f"'{self.model}' is no model of images: {str(error).splitlines()[0]}. Take its vision model."
            ) from error
        return Loaded(placed, dim, side, normalisation, hashes)

    @cached_property
    def _loaded(self) -> Loaded:
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class Transformers(Adapter):
    """A vision model of Hugging Face transformers: its CLS token, or the pooled map of a convolutional network."""

    @cached_property
    def _loaded(self) -> Loaded:
        library = _import("transformers", self.model)
        if self.weights is not None:
            raise ExtractorError(
                f"transformers:{self.model} brings its own weights, so --weights {self.weights} has no use. "
                "Name the folder of the model: transformers:FOLDER."
            )
        try:
            processor = library.AutoImageProcessor.from_pretrained(self.model)
            config = library.AutoConfig.from_pretrained(self.model)
            network = self._network(library, config)
        except (OSError, ValueError) as error:
            raise ExtractorError(f"transformers cannot load '{self.model}': {str(error).splitlines()[0]}") from error
        side = _side(config, processor)
        pooled = Resized(Pooled(network), side)
        normalisation = Normalisation(tuple(processor.image_mean), tuple(processor.image_std))
        return self._ready(pooled, side, normalisation)

    def _network(self, library: Any, config: Any) -> Any:
        if not self.random_weights:
            return library.AutoModel.from_pretrained(self.model, config=config)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(RANDOM_SEED)
            return library.AutoModel.from_config(config)


@dataclass(frozen=True, kw_only=True)
class Timm(Adapter):
    """A model of timm without its classifier; weights are timm's own, or a file of them."""

    @cached_property
    def _loaded(self) -> Loaded:
        library = _import("timm", self.model)
        own = self.weights is None and not self.random_weights
        try:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(RANDOM_SEED)
                network = library.create_model(self.model, pretrained=own, num_classes=0)
        except (RuntimeError, OSError, ValueError) as error:
            raise ExtractorError(f"timm cannot make '{self.model}': {str(error).splitlines()[0]}") from error
        if self.weights is not None and not self.random_weights:
            load_weights(network, self.weights, ignore=("head.", "fc."))
        config = library.data.resolve_model_data_config(network)
        side = int(config["input_size"][-1])
        pooled = Resized(network, side)
        normalisation = Normalisation(tuple(config["mean"]), tuple(config["std"]))
        return self._ready(pooled, side, normalisation)


class Resized(nn.Module):
    """A network before which images are resized, bicubic and without aliasing.

    Args:
        network: The network.
        side: Side of the images that it gets, in pixels.
    """

    def __init__(self, network: nn.Module, side: int) -> None:
        super().__init__()
        self.network = network
        self.side = side

    def forward(self, images: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b dim"]:
        """Return one vector an image."""
        if images.shape[2:] != (self.side, self.side):
            resized = functional.interpolate(images.float(), (self.side, self.side), mode="bicubic", antialias=True)
            images = resized.to(images.dtype)
        vectors: Tensor = self.network(images)
        return vectors


class Pooled(nn.Module):
    """A vision model of transformers, reduced to one vector an image: its CLS token, or what it pools itself.

    Args:
        network: The model.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = getattr(network, "vision_model", network)  # CLIP and its kin have a text model too
        names = [name.rpartition(".")[2] for name, _ in self.network.named_parameters()]
        self.has_cls = not {"cls_token", "class_embedding"}.isdisjoint(names)

    def forward(self, images: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b dim"]:
        """Return one vector an image."""
        output = self.network(pixel_values=images)
        vectors: Tensor = output.last_hidden_state[:, 0] if self.has_cls else output.pooler_output.flatten(1)
        return vectors


def _import(library: str, model: str) -> Any:
    try:
        return importlib.import_module(library)
    except ImportError as error:
        raise ExtractorError(
            f"{library}:{model} needs {library}, which cannot be imported ({error}). pip install 'hiptbench[{library}]'"
        ) from error


def _side(config: Any, processor: Any) -> int:
    """Return the side of the images that a model was trained on, as its configuration or else its processor says."""
    side = getattr(config, "image_size", None)
    if side is None:
        size = getattr(processor, "crop_size", None) or processor.size
        side = size.get("height") or size.get("shortest_edge")
    return int(side[0] if isinstance(side, list | tuple) else side)


@torch.inference_mode()
def _dim(network: nn.Module, side: int) -> int:
    weight = next(network.parameters())
    return int(network.eval()(torch.zeros(1, 3, side, side, device=weight.device, dtype=weight.dtype)).shape[1])


def _hash(network: nn.Module) -> str:
    """Return the SHA-256 over the names and values of a network's tensors, whatever file or hub they came from."""
    return sha256_lines(f"{name} {sha256_bytes(save({name: t}))}" for name, t in sorted(network.state_dict().items()))
