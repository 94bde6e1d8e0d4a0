"""The contract of feature extractors."""

from typing import Literal, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32, UInt8


@runtime_checkable
class FeatureExtractor(Protocol):
    """What every extractor is: a frozen, keyword-only dataclass of settings that never sees a label.

    Attributes:
        name: The name shown on leaderboards.
        dim: Length of one feature vector.
        level: What one vector stands for.
    """

    @property
    def name(self) -> str:
        """The name shown on leaderboards."""

    @property
    def dim(self) -> int:
        """Length of one feature vector."""

    @property
    def level(self) -> Literal["patch", "region"]:
        """What one vector stands for."""

    def extract(self, images: UInt8[np.ndarray, "n h w 3"]) -> Float32[np.ndarray, "n dim"]:
        """Return one feature vector an image, each independent of the others."""
