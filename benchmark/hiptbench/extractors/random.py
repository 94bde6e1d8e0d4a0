"""Fixed random projection of colour statistics: the null encoder, which any trained one must beat."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float32, UInt8


@dataclass(frozen=True, kw_only=True)
class RandomProjection:
    """Project each image's colour means and standard deviations onto fixed random directions.

    Attributes:
        dim: Length of the feature vector.
        seed: Seed of the directions.
    """

    dim: int = 64
    seed: int = 0

    @property
    def name(self) -> str:
        """The name shown on leaderboards."""
        return f"random{self.dim}"

    @property
    def level(self) -> Literal["patch", "region"]:
        """What one vector stands for: whatever the images are; regions by default."""
        return "region"

    def extract(self, images: UInt8[np.ndarray, "n h w 3"]) -> Float32[np.ndarray, "n dim"]:
        """Return the projected statistics, values of order one."""
        pixels = images.astype(np.float32) / 255
        statistics = np.concatenate([pixels.mean(axis=(1, 2)), pixels.std(axis=(1, 2))], axis=1)
        directions = np.random.default_rng(self.seed).standard_normal((6, self.dim)).astype(np.float32)
        return statistics @ directions
