"""HIPT's hierarchy: ViT_256-16 reads patches, ViT_4096-256 the grid of their vectors."""

from dataclasses import dataclass
from functools import cached_property
from typing import cast

import numpy as np
import torch
from einops import rearrange
from jaxtyping import Float, Float32, UInt8
from torch import Tensor, nn

from hiptbench.extractors.base import About, Level, split_regions
from hiptbench.extractors.network import HALF, NetworkExtractor, encode
from hiptbench.networks.vit import PatchEmbed, VisionTransformer, vit4k, vit256
from hiptbench.slides.grid import PATCH

PRETRAINED_ON = ("TCGA",)
_VIT256, _VIT4K = "vit256_small_dino.*", "vit4k_xs_dino.*"


@dataclass(frozen=True, eq=False)
class RegionAttention:
    """What both stages attend to in a region, and the vectors that they make of it.

    Attention is that of the CLS token in a stage's last block: a distribution per head, less what goes to itself.

    Attributes:
        cells: ViT_256's over the squares of 16 x 16 pixels of each patch, laid out as the region is.
        patches: ViT_4096's over the patches.
        patch_vectors: The patches' vectors, row by row.
        vector: The region's vector.
    """

    cells: Float32[np.ndarray, "heads cell_rows cell_columns"]
    patches: Float32[np.ndarray, "heads rows columns"]
    patch_vectors: Float32[np.ndarray, "patches d_patch"]
    vector: Float32[np.ndarray, " dim"]


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
        return self.encode(images).cpu().numpy()

    def encode(self, images: UInt8[np.ndarray, "n h w 3"]) -> Float[Tensor, "n cells dim"]:
        """Return what ``extract`` does, on the device."""
        patches = split_regions(images, PATCH)
        return torch.stack([encode(self._loaded[0], region, HALF, self.batches) for region in patches])

    def attention(
        self, image: UInt8[np.ndarray, "h w 3"]
    ) -> tuple[Float32[np.ndarray, "patches dim"], Float32[np.ndarray, "patches heads n"]]:
        """Return the vectors of a region's patches, and the attention over the squares of each, row by row."""
        patches, squares = split_regions(image[None], PATCH)[0], (PATCH // PatchEmbed.SIDE) ** 2
        rows = encode(_WithAttention(self._loaded[0]), patches, HALF, self.batches).cpu().numpy()
        return rows[:, : self.dim].copy(), rearrange(rows[:, self.dim :], "b (heads n) -> b heads n", n=squares)

    @cached_property
    def _loaded(self) -> tuple[VisionTransformer, dict[str, str]]:
        network, sha256 = self.ready(vit256(), _VIT256)
        return cast(VisionTransformer, self.placed(network)), sha256


class _WithAttention(nn.Module):
    """A network that returns an image's vector and, behind it, the attention of all heads, as one row."""

    def __init__(self, network: VisionTransformer) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        vectors, attention = self.network.forward_with_attention(images)
        return torch.cat([vectors, attention.flatten(1)], dim=1)


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
        rows = images.shape[1] // PATCH
        grids = rearrange(self.patches.encode(images), "n (row column) d -> n row column d", row=rows)
        return self._second_stage(grids).cpu().numpy()

    def combine(self, vectors: Float32[np.ndarray, "n rows columns d"]) -> Float32[np.ndarray, "n dim"]:
        """Return the vectors of regions, from the grids of their patches' vectors."""
        return self._second_stage(torch.from_numpy(vectors).to(str(self.details["device"]))).cpu().numpy()

    @torch.inference_mode()
    def _second_stage(self, grids: Float[Tensor, "n rows columns d"]) -> Float[Tensor, "n dim"]:
        return torch.cat([self._loaded[0](grid[None]) for grid in grids])

    def attention(self, image: UInt8[np.ndarray, "h w 3"]) -> RegionAttention:
        """Return what both stages attend to in a region."""
        rows, columns = image.shape[0] // PATCH, image.shape[1] // PATCH
        vectors, cells = self.patches.attention(image)
        grid = torch.from_numpy(vectors).to(str(self.details["device"])).reshape(1, rows, columns, -1)
        with torch.inference_mode():
            (vector,), (patches,) = self._loaded[0].forward_with_attention(grid)
        return RegionAttention(
            cells=rearrange(
                cells, "(r c) heads (y x) -> heads (r y) (c x)", r=rows, c=columns, y=PATCH // PatchEmbed.SIDE
            ),
            patches=rearrange(patches.cpu().numpy(), "heads (r c) -> heads r c", r=rows),
            patch_vectors=vectors,
            vector=vector.cpu().numpy(),
        )

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
    def _loaded(self) -> tuple[VisionTransformer, dict[str, str]]:
        network, sha256 = self.ready(vit4k(), _VIT4K)
        return cast(VisionTransformer, network).to(str(self.details["device"])), sha256
