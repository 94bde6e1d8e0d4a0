"""The contract of feature extractors, and what one says about itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32, UInt8

Level = Literal["patch", "region"]


@runtime_checkable
class FeatureExtractor(Protocol):
    """What every extractor is: a frozen, keyword-only dataclass of settings that never sees a label.

    One with a property ``about`` of type ``About`` also says what its card should hold.

    Attributes:
        name: The name shown on leaderboards.
        dim: Length of one feature vector.
        level: What one image is: a patch of 256 x 256 pixels, or a region of up to 4096 x 4096, whole patches.
    """

    @property
    def name(self) -> str:
        """The name shown on leaderboards."""

    @property
    def dim(self) -> int:
        """Length of one feature vector."""

    @property
    def level(self) -> Level:
        """What one image is."""

    def extract(self, images: UInt8[np.ndarray, "n h w 3"]) -> Float32[np.ndarray, "n *cells dim"]:
        """Return one feature vector an image, or one for each patch of it; each image's are independent of others."""


@runtime_checkable
class Staged(Protocol):
    """An extractor of regions that comes to a region's vector through vectors of its patches, which may be kept.

    Attributes:
        patches: The extractor of the first stage: a vector for each patch of a region.
    """

    @property
    def patches(self) -> FeatureExtractor:
        """The extractor of the first stage."""

    def combine(self, vectors: Float32[np.ndarray, "n rows columns d"]) -> Float32[np.ndarray, "n dim"]:
        """Return the vectors of regions, from the grids of their patches' vectors."""


@dataclass(frozen=True, kw_only=True)
class About:
    """What an extractor says about itself, for the card of its features.

    Attributes:
        encoder: The network, in words.
        pretrained_on: Data sets that it was trained on; empty with random weights.
        weights_sha256: Name of each weights file to its SHA-256.
        details: What else decides the values, such as normalisation, input size, device and precision.
    """

    encoder: str
    pretrained_on: tuple[str, ...] = ()
    weights_sha256: Mapping[str, str] = field(default_factory=dict)
    details: Mapping[str, object] = field(default_factory=dict)


def about(extractor: FeatureExtractor) -> About:
    """Return what an extractor says about itself, or its name if it says nothing."""
    found = getattr(extractor, "about", None)
    return found if isinstance(found, About) else About(encoder=extractor.name)


def split_regions(images: UInt8[np.ndarray, "n h w 3"], side: int) -> UInt8[np.ndarray, "n cells side side 3"]:
    """Return the patches of regions, row by row.

    Args:
        images: Regions whose sides are multiples of ``side``.
        side: Side of a patch in pixels.
    """
    n, height, width, _ = images.shape
    rows, columns = height // side, width // side
    grid = images.reshape(n, rows, side, columns, side, 3).swapaxes(2, 3)
    return grid.reshape(n, rows * columns, side, side, 3)
