"""The slide-level models of HIPT (Chen et al., CVPR 2022)."""

import copy
import math
from collections.abc import Callable
from typing import ClassVar

from einops import rearrange
from jaxtyping import Bool, Float
from torch import Tensor, nn

from hiptbench.errors import ExtractorError, HeadError
from hiptbench.heads.models.attention import EncoderLayer
from hiptbench.heads.models.base import PoolingModel, masked_softmax, padding_bias, weighted_sum
from hiptbench.heads.models.layers import AttentionScore, dense, in_chunks
from hiptbench.networks.vit import vit4k
from hiptbench.networks.weights import load_weights

_DIM = 192
_HEADS = 3
_LAYERS = 2
_HIDDEN = 256
_VIT_REGIONS = 64  # regions treated at once: about 1 GiB of activations in training
_POOLED_REGIONS = 512


class SlideTransformer(nn.Module):
    """The last stage of HIPT: region vectors to a slide's vector.

    Linear layer, ReLU and dropout; two post-norm transformer layers (3 heads, feed-forward width 192) without
    positions; gated attention pooling; linear layer, ReLU and dropout.

    Args:
        d_in: Dimension of a region's vector.
        dropout: Rate everywhere.
    """

    def __init__(self, d_in: int, dropout: float) -> None:
        super().__init__()
        self.phi = dense(d_in, _DIM, dropout)
        layer = EncoderLayer(_DIM, _HEADS, dropout)
        # Layers start as copies of each other, as nn.TransformerEncoder makes them.
        self.layers = nn.ModuleList(copy.deepcopy(layer) for _ in range(_LAYERS))
        self.score = AttentionScore(_DIM, _DIM, dropout)
        self.rho = dense(_DIM, _DIM, dropout)

    def forward(
        self, regions: Float[Tensor, "b n d"], mask: Bool[Tensor, "b n"]
    ) -> tuple[Float[Tensor, "b dim"], Float[Tensor, "b n"]]:
        """Return the slides' vectors, and the attention on their regions."""
        x = self.phi(regions)
        bias = padding_bias(mask, x.dtype)
        for layer in self.layers:
            x = layer(x, bias)
        attention = masked_softmax(self.score(x), mask)
        return self.rho(weighted_sum(attention, x)), attention


class HiptGP(PoolingModel):
    """HIPT's slide transformer on region vectors.

    Source: mahmoodlab/HIPT, 2-Weakly-Supervised-Subtyping/models/model_hierarchical_mil.py, ``HIPT_GP_FC``. Unlike
    there: bags are batched and padded, regions may have any dimension, and a debugger does not stop the forward pass.

    Self-attention takes time that grows with the square of the instances; memory does not, see
    ``attention.attend``.

    Args:
        d_in: Dimension of a region's vector, 192 in HIPT; bags are [b, n, d_in].
        n_out: Number of outputs.
        dropout: Rate everywhere.
    """

    def __init__(self, *, d_in: int, n_out: int, dropout: float = 0.25) -> None:
        super().__init__(d_in=d_in, n_out=n_out, d_bag=_DIM)
        self.slide = SlideTransformer(d_in, dropout)

    def pool(
        self, bags: Float[Tensor, "b n d"], mask: Bool[Tensor, "b n"]
    ) -> tuple[Float[Tensor, "b d_bag"], Float[Tensor, "b n"]]:
        """Encode the slides."""
        vectors, attention = self.slide(bags, mask)
        return vectors, attention


class HiptLGP(PoolingModel):
    """HIPT from patch vectors: ViT_4096-256 makes a region's vector, the slide transformer does the rest.

    Source: mahmoodlab/HIPT, ``HIPT_LGP_FC``. Unlike there: a checkpoint must fit the ViT in every tensor (its position
    embeddings are skipped silently there if the ViT was made for another size); padding never reaches the ViT.

    Args:
        d_in: Dimension of a patch's vector, 384 in HIPT; bags are [b, n regions, s patches, d_in], the patches of a
            region row by row in a square grid.
        n_out: Number of outputs.
        weights: DINO checkpoint of the ViT, such as vit4k_xs_dino.pth; None for a random start.
        freeze: Whether the ViT is left as it is; "HIPT" in the paper's tables is frozen.
        dropout: Rate everywhere in the slide transformer; the ViT has none.

    Raises:
        HeadError: If the ViT is to be frozen without weights, or the weights cannot be loaded.
    """

    hierarchical: ClassVar[bool] = True
    only_at_start: ClassVar[frozenset[str]] = frozenset({"weights", "freeze"})

    def __init__(
        self, *, d_in: int, n_out: int, weights: str | None = None, freeze: bool = False, dropout: float = 0.25
    ) -> None:
        if freeze and weights is None:
            raise HeadError("freeze=True without weights would leave the ViT random. Name its checkpoint in weights.")
        super().__init__(d_in=d_in, n_out=n_out, d_bag=_DIM)
        self.vit = vit4k(d_in=d_in)
        if weights is not None:
            try:
                load_weights(self.vit, weights)
            except ExtractorError as error:
                raise HeadError(str(error)) from error
        self.vit.requires_grad_(not freeze)
        self.slide = SlideTransformer(_DIM, dropout)

    def pool(
        self, bags: Float[Tensor, "b n s d"], mask: Bool[Tensor, "b n"]
    ) -> tuple[Float[Tensor, "b d_bag"], Float[Tensor, "b n"]]:
        """Encode the regions, then the slides."""
        vectors, attention = self.slide(each_region(self._encode, bags, mask, _VIT_REGIONS), mask)
        return vectors, attention

    def _encode(self, regions: Float[Tensor, "r s d"]) -> Float[Tensor, "r dim"]:
        side = math.isqrt(regions.shape[1])
        if side**2 != regions.shape[1]:
            raise HeadError(
                f"A region of {regions.shape[1]} vectors is no square grid. HIPT's regions have 16 x 16 = 256 vectors."
            )
        vectors: Tensor = self.vit(rearrange(regions, "r (row column) d -> r row column d", row=side))
        return vectors


class HiptN(PoolingModel):
    """HIPT without transformers: gated attention over a region's patches, then over a slide's regions.

    Source: mahmoodlab/HIPT, ``HIPT_None_FC``; "attention pooling" in the paper's ablation.

    Args:
        d_in: Dimension of a patch's vector; bags are [b, n regions, s patches, d_in].
        n_out: Number of outputs.
        dropout: Rate everywhere.
    """

    hierarchical: ClassVar[bool] = True

    def __init__(self, *, d_in: int, n_out: int, dropout: float = 0.25) -> None:
        super().__init__(d_in=d_in, n_out=n_out, d_bag=_HIDDEN)
        self.patch_phi = dense(d_in, _HIDDEN, dropout)
        self.patch_score = AttentionScore(_HIDDEN, _HIDDEN, dropout)
        self.region_phi = dense(_HIDDEN, _HIDDEN, dropout)
        self.region_score = AttentionScore(_HIDDEN, _HIDDEN, dropout)
        self.rho = dense(_HIDDEN, _HIDDEN, dropout)

    def pool(
        self, bags: Float[Tensor, "b n s d"], mask: Bool[Tensor, "b n"]
    ) -> tuple[Float[Tensor, "b d_bag"], Float[Tensor, "b n"]]:
        """Pool patches, then regions; the attention is the regions'."""
        regions = self.region_phi(each_region(self._pool_patches, bags, mask, _POOLED_REGIONS))
        attention = masked_softmax(self.region_score(regions), mask)
        return self.rho(weighted_sum(attention, regions)), attention

    def _pool_patches(self, regions: Float[Tensor, "r s d"]) -> Float[Tensor, "r dim"]:
        patches = self.patch_phi(regions)
        return weighted_sum(self.patch_score(patches).softmax(dim=-1), patches)


def each_region(
    encode: Callable[[Tensor], Tensor], bags: Float[Tensor, "b n s d"], mask: Bool[Tensor, "b n"], size: int
) -> Float[Tensor, "b n dim"]:
    """Encode the regions, and none of the padding, at most ``size`` at a time; padding becomes zeros."""
    encoded = in_chunks(encode, bags[mask], size)
    padded = encoded.new_zeros(*mask.shape, encoded.shape[-1])
    padded[mask] = encoded
    return padded
