"""HIPT's hierarchy: ViT_256-16 reads patches, ViT_4096-256 the grid of their vectors."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Float32, UInt8
from torch import nn

from hiptbench.extractors.base import About, Level, split_regions
from hiptbench.extractors.network import HALF, NetworkExtractor, encode
from hiptbench.networks.vit import vit4k, vit256
from hiptbench.slides.grid import PATCH

PRETRAINED_ON = ("TCGA",)
_VIT256, _VIT4K = "vit256_small_dino.*", "vit4k_xs_dino.*"


@dataclass(frozen=True, kw_only=True)
class ViT256(NetworkExtractor):
    """ViT_256-16 (ViT-S/16) on each patch of a region: [n, patches, 384], the bags of ``hipt_lgp`` and ``hipt_n``.

    Source: Chen et al., Scaling vision transformers to gigapixel images via hierarchical self-supervised learning,
    CVPR 2022; mahmoodlab/HIPT, HIPT_4K/hipt_4k.py. Unlike there: regions are whole patches already, nothing is cropped.
    """

    @property
    def name(self) -> str:
        """The name shown on leaderboards."""
        return self.named("vit256")

    @property
    def dim(self) -> int:
        """Length of a patch's vector."""
        return 384

    @property
    def level(self) -> Level:
        """What one image is."""
        return "region"

    @property
    def about(self) -> About:
        """What the card says."""
        return About(
            encoder="ViT_256-16 of HIPT (ViT-S/16, DINO)",
            pretrained_on=() if self.random_weights else PRETRAINED_ON,
            weights_sha256=self._loaded[1],
            details=self.details | {"patch": PATCH, "mean": HALF.mean, "std": HALF.std},
        )

    def extract(self, images: UInt8[np.ndarray, "n h w 3"]) -> Float32[np.ndarray, "n cells dim"]:
        """Return the vectors of each region's patches, row by row."""
        return np.stack([encode(self._loaded[0], patches, HALF) for patches in split_regions(images, PATCH)])

    @cached_property
    def _loaded(self) -> tuple[nn.Module, dict[str, str]]:
        network, sha256 = self.ready(vit256(), _VIT256)
        return self.placed(network), sha256


@dataclass(frozen=True, kw_only=True)
class HIPT(NetworkExtractor):
    """HIPT's two stages: one vector of 192 numbers a region.

    The second stage, less than a thousandth of the work, is computed in float32 on any device.

    Source: as of ``ViT256``.
    """

    @property
    def name(self) -> str:
        """The name shown on leaderboards."""
        return self.named("hipt")

    @property
    def dim(self) -> int:
        """Length of a region's vector."""
        return 192

    @property
    def level(self) -> Level:
        """What one image is."""
        return "region"

    @property
    def about(self) -> About:
        """What the card says."""
        first = self.patches.about
        return About(
            encoder="HIPT: ViT_256-16, then ViT_4096-256 (DINO)",
            pretrained_on=first.pretrained_on,
            weights_sha256={**first.weights_sha256, **self._loaded[1]},
            details=first.details,
        )

    def extract(self, images: UInt8[np.ndarray, "n h w 3"]) -> Float32[np.ndarray, "n dim"]:
        """Return the vectors of regions."""
        rows, columns = images.shape[1] // PATCH, images.shape[2] // PATCH
        vectors = self.patches.extract(images)
        return self.combine(vectors.reshape(len(images), rows, columns, -1))

    def combine(self, vectors: Float32[np.ndarray, "n rows columns d"]) -> Float32[np.ndarray, "n dim"]:
        """Return the vectors of regions, from the grids of their patches' vectors."""
        grids = torch.from_numpy(vectors).to(str(self.details["device"]))
        with torch.inference_mode():
            regions = [self._loaded[0](grid[None]) for grid in grids]
        return torch.cat(regions).cpu().numpy()

    @cached_property
    def patches(self) -> ViT256:
        """The extractor of the first stage."""
        return ViT256(
            weights=self.weights,
            random_weights=self.random_weights,
            device=self.device,
            precision=self.precision,
        )

    @cached_property
    def _loaded(self) -> tuple[nn.Module, dict[str, str]]:
        network, sha256 = self.ready(vit4k(), _VIT4K)
        return network.to(str(self.details["device"])), sha256
