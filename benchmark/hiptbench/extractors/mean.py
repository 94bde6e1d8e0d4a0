"""Mean pooling: a region is the mean of another extractor's vectors of its patches."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, UInt8

from hiptbench.errors import ExtractorError
from hiptbench.extractors.base import About, FeatureExtractor, Level, about, split_regions
from hiptbench.slides.grid import PATCH


@dataclass(frozen=True, kw_only=True)
class MeanOfPatches:
    """The mean over a region's patches, of any extractor that gives them vectors.

    Attributes:
        of: An extractor of patches, or one that gives a vector for each patch of a region.
    """

    of: FeatureExtractor

    @property
    def name(self) -> str:
        """The name shown on leaderboards."""
        return f"mean {self.of.name}"

    @property
    def dim(self) -> int:
        """Length of a region's vector."""
        return self.of.dim

    @property
    def level(self) -> Level:
        """What one image is."""
        return "region"

    @property
    def about(self) -> About:
        """What the card says: what the other extractor says."""
        inner = about(self.of)
        return About(
            encoder=f"mean over a region's patches of {inner.encoder}",
            pretrained_on=inner.pretrained_on,
            weights_sha256=inner.weights_sha256,
            details=inner.details,
        )

    def extract(self, images: UInt8[np.ndarray, "n h w 3"]) -> Float32[np.ndarray, "n dim"]:
        """Return one vector a region.

        Raises:
            ExtractorError: If the other extractor gives no vectors of patches.
        """
        return np.stack([self._vectors(image[None]).mean(axis=0) for image in images])

    def _vectors(self, region: UInt8[np.ndarray, "1 h w 3"]) -> Float32[np.ndarray, "m dim"]:
        if self.of.level == "patch":
            return self.of.extract(split_regions(region, PATCH)[0])
        vectors = self.of.extract(region)
        if vectors.ndim < 3:
            raise ExtractorError(
                f"'{self.of.name}' gives a region one vector, so there is nothing to take the mean of. Take an "
                "extractor of patches, such as resnet50, or vit256."
            )
        patches: np.ndarray = vectors[0]
        return patches
