"""What extractors that run a network share: weights, device, precision, batches."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from hiptbench.errors import ExtractorError, name_some
from hiptbench.heads.devices import Device, resolve_device, resolve_precision
from hiptbench.networks.resnet import ResNet50
from hiptbench.networks.vit import VisionTransformer
from hiptbench.networks.weights import load_weights, random_weights
from hiptbench.recipes import Precision

# Images that go through a network at once. On a CPU few, so that what lies between the layers stays in its cache:
# measured with ViT-S/16 in bfloat16 on two cores, 22.5 patches a second at 8, 20.4 at 16 and 17.3 at 32. The other two
# are the minibatch of HIPT's own code, and a quarter of it: not measured.
BATCH = {"cpu": 8, "cuda": 256, "mps": 64}
RANDOM_SEED = 0
RANDOM = "random weights"

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Normalisation:
    """How pixels are made inputs: scaled to [0, 1], less the mean, divided by the standard deviation, per channel."""

    mean: tuple[float, float, float]
    std: tuple[float, float, float]


HALF = Normalisation((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
"""HIPT's, HIPT_4K/hipt_model_utils.py in mahmoodlab/HIPT."""

IMAGENET = Normalisation((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
"""That of networks trained on ImageNet."""


@dataclass
class Batches:
    """How many images go through a network at once; fewer from then on when the device's memory runs out.

    Attributes:
        size: Images at once.
    """

    size: int

    def run(
        self, function: Callable[[UInt8[np.ndarray, "m h w 3"]], Tensor], images: UInt8[np.ndarray, "n h w 3"]
    ) -> Tensor:
        """Return the rows that a function makes of images, a batch at a time.

        Raises:
            ExtractorError: If not even one image fits.
        """
        rows: list[Tensor] = []
        done = 0
        while done < len(images):
            try:
                rows.append(function(images[done : done + self.size]))
                done += self.size
            except RuntimeError as error:
                self._halve(error)
        return torch.cat(rows)

    def _halve(self, error: RuntimeError) -> None:
        if not (isinstance(error, torch.OutOfMemoryError) or "out of memory" in str(error)):
            raise error
        if self.size == 1:
            raise ExtractorError("The device has not enough memory for one image. Take --device cpu.") from error
        self.size //= 2
        _log.warning("The device's memory ran out: going on with %d images at a time.", self.size)


@dataclass(frozen=True, kw_only=True)
class NetworkExtractor:
    """An extractor that runs a network.

    Attributes:
        weights: A file of weights, or a folder with files of the published names.
        random_weights: Whether to do without, for tests and as a null encoder; features then say so in their name.
        device: Where to compute.
        precision: In which precision; "auto" is bfloat16 where the device multiplies it faster than float32.
    """

    weights: str | None = None
    random_weights: bool = False
    device: Device = "auto"
    precision: Precision = "auto"

    @cached_property
    def details(self) -> dict[str, object]:
        """Where and how precisely it computes."""
        device = resolve_device(self.device)
        return {
            "device": device,
            "precision": resolve_precision(self.precision, device),
            "torch": str(torch.__version__),
        }

    def named(self, name: str) -> str:
        """Return a name that says so if the weights are random."""
        return f"{name} ({RANDOM})" if self.random_weights else name

    def ready(
        self, network: VisionTransformer | ResNet50, pattern: str, *, ignore: tuple[str, ...] = ()
    ) -> tuple[VisionTransformer | ResNet50, dict[str, str]]:
        """Give a network its weights.

        Args:
            network: The network.
            pattern: Name of its weights file, ``*`` standing for anything.
            ignore: As in ``load_weights``.

        Returns:
            The network for inference, on the CPU in float32, and the name and SHA-256 of its weights file; none if
            they are random.

        Raises:
            ExtractorError: If there are no weights, or they are another network's.
        """
        if self.random_weights:
            random_weights(network, RANDOM_SEED)
            return network.eval(), {}
        path = find_weights(self.weights, pattern)
        return network.eval(), {path.name: load_weights(network, path, ignore=ignore)}

    def placed(self, network: nn.Module) -> nn.Module:
        """Return a network on the device and in the precision to compute with."""
        kind = torch.bfloat16 if self.details["precision"] == "bfloat16" else torch.float32
        return network.to(device=str(self.details["device"]), dtype=kind)

    @cached_property
    def batches(self) -> Batches:
        """How many images go through the network at once."""
        return Batches(BATCH[str(self.details["device"])])


def find_weights(weights: str | None, pattern: str) -> Path:
    """Return the weights file that a file or folder names.

    Raises:
        ExtractorError: If there is none, or more than one.
    """
    if weights is None:
        raise ExtractorError(
            f"This extractor needs weights: --weights FOLDER with a file {pattern}, or the file itself. "
            "--random-weights does without, and names the features so."
        )
    path = Path(weights).expanduser()
    if path.is_file():
        return path
    found = sorted(path.glob(pattern))
    if len(found) != 1:
        there = f"{len(found)} files {pattern} ({name_some([one.name for one in found])})" if found else f"no {pattern}"
        raise ExtractorError(f"{path} has {there}; one is needed. Name the file with --weights.")
    return found[0]


@torch.inference_mode()
def encode(
    network: nn.Module, images: UInt8[np.ndarray, "n h w 3"], normalisation: Normalisation, batches: Batches
) -> Float[Tensor, "n dim"]:
    """Return what a network makes of images, in float32 on the network's device.

    Args:
        network: The network, in evaluation mode.
        images: RGB, 0 to 255.
        normalisation: How pixels are made inputs.
        batches: How many images at once.
    """
    weight = next(network.parameters())
    mean, std = (torch.tensor(values, device=weight.device) * 255 for values in (normalisation.mean, normalisation.std))

    def run(part: UInt8[np.ndarray, "m h w 3"]) -> Tensor:
        pixels = torch.from_numpy(part).to(weight.device)
        inputs = pixels.float().sub_(mean).div_(std).to(weight.dtype).movedim(-1, 1)
        vectors: Tensor = network(inputs)
        return vectors.float()

    with torch.backends.cudnn.flags(allow_tf32=weight.dtype != torch.float32):  # what is called float32 is float32
        return batches.run(run, images)
