"""The vision transformer of both levels of HIPT: over a patch's pixels, and over a region's grid of patch vectors."""

import math
from typing import ClassVar, cast

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from hiptbench.errors import ExtractorError
from hiptbench.networks.attention import SelfAttention

_EPS = 1e-6
_STD = 0.02  # of linear layers and embeddings before training


class PatchEmbed(nn.Module):
    """Cut an image into squares of 16 x 16 pixels and embed each.

    Args:
        dim: Dimension of a token.
    """

    SIDE: ClassVar = 16  # pixels
    NAME: ClassVar = "patch_embed"  # in state dicts

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, dim, kernel_size=self.SIDE, stride=self.SIDE)

    def forward(self, images: Float[Tensor, "b 3 height width"]) -> Float[Tensor, "b rows columns dim"]:
        """Return one token a square.

        Raises:
            ExtractorError: If a side of the images is no multiple of 16 pixels.
        """
        height, width = images.shape[2:]
        if height % self.SIDE or width % self.SIDE:
            raise ExtractorError(
                f"Images of {height} x {width} pixels cannot be cut into squares of {self.SIDE} x {self.SIDE}. "
                f"Crop or pad them to multiples of {self.SIDE} pixels, such as 256 x 256."
            )
        tokens: Tensor = self.proj(images)
        return tokens.movedim(1, -1)


class GridEmbed(nn.Sequential):
    """Embed each vector of a grid by a linear layer and GELU: [b, rows, columns, d_in] to [b, rows, columns, dim].

    Args:
        d_in: Dimension of a vector.
        dim: Dimension of a token.
    """

    NAME: ClassVar = "phi"  # in state dicts

    def __init__(self, d_in: int, dim: int) -> None:
        super().__init__(nn.Linear(d_in, dim), nn.GELU())


class MLP(nn.Module):
    """Two linear layers with GELU between them.

    Args:
        dim: Dimension of a token.
        hidden: Dimension between the layers.
    """

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(dim, hidden)
        self.fc2 = nn.Linear(hidden, dim)

    def forward(self, x: Float[Tensor, "*n dim"]) -> Float[Tensor, "*n dim"]:
        """Transform each token."""
        out: Tensor = self.fc2(functional.gelu(self.fc1(x)))
        return out


class Block(nn.Module):
    """A pre-norm transformer layer: attention and MLP, each added to its input.

    Args:
        dim: Dimension of a token.
        heads: Number of heads.
        mlp_ratio: Width of the MLP in units of ``dim``.
    """

    def __init__(self, dim: int, heads: int, mlp_ratio: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(dim, eps=_EPS)
        self.attn = SelfAttention(dim, heads)
        self.norm2 = nn.LayerNorm(dim, eps=_EPS)
        self.mlp = MLP(dim, mlp_ratio * dim)

    def forward(self, x: Float[Tensor, "b n dim"], first: int | None = None) -> Float[Tensor, "b m dim"]:
        """Attend, then transform each token.

        Args:
            x: Tokens.
            first: How many tokens to return, from the first on, for no more is computed; None for all.
        """
        x = x[:, :first] + self.attn(self.norm1(x), first)
        out: Tensor = x + self.mlp(self.norm2(x))
        return out

    def attention(self, x: Float[Tensor, "b n dim"], first: int | None = None) -> Float[Tensor, "b heads m n"]:
        """Return how much tokens attend to each token, a distribution per head; arguments as in ``forward``."""
        return self.attn.weights(self.norm1(x), first)


class VisionTransformer(nn.Module):
    """A vision transformer that turns an image, or a grid of vectors, into the vector of its CLS token.

    Embedding, a CLS token in front, learned position embeddings, pre-norm blocks, a norm. The state dict has the names
    of DINO's checkpoints. New ones have random weights.

    Source: mahmoodlab/HIPT, HIPT_4K/vision_transformer.py and vision_transformer4k.py. Unlike there: no dropout and
    stochastic depth, whose rates are 0 there; the last block computes the CLS token alone, for no other is used.

    Args:
        embed: What makes tokens of the input, ``PatchEmbed`` or ``GridEmbed``.
        dim: Dimension of a token and of the result.
        depth: Number of blocks.
        heads: Number of heads.
        mlp_ratio: Width of a block's MLP in units of ``dim``.
        side: Side of the grid that the position embeddings are learned for, 14 in pretraining; for other grids they are
            interpolated.
    """

    def __init__(
        self, embed: PatchEmbed | GridEmbed, *, dim: int, depth: int, heads: int, mlp_ratio: int = 4, side: int = 14
    ) -> None:
        super().__init__()
        self.embedding = embed.NAME
        self.add_module(embed.NAME, embed)
        self.cls_token = nn.Parameter(torch.empty(1, 1, dim))
        self.pos_embed = nn.Parameter(torch.empty(1, side * side + 1, dim))
        self.blocks = nn.ModuleList(Block(dim, heads, mlp_ratio) for _ in range(depth))
        self.norm = nn.LayerNorm(dim, eps=_EPS)
        self.reset_parameters()

    def forward(self, x: Float[Tensor, "b _ _ _"]) -> Float[Tensor, "b dim"]:
        """Return one vector an input.

        Args:
            x: Normalised images [b, 3, height, width], sides multiples of 16; or grids [b, rows, columns, d_in].
        """
        return self._vectors(self._before_last_block(x))

    def forward_with_attention(
        self, x: Float[Tensor, "b _ _ _"]
    ) -> tuple[Float[Tensor, "b dim"], Float[Tensor, "b heads n"]]:
        """Return one vector an input, and how much the CLS token attends to each token of the grid in the last block.

        The attention is a distribution per head, row by row, less what the CLS token attends to itself.

        Args:
            x: As in ``forward``.
        """
        tokens = self._before_last_block(x)
        last = cast(Block, self.blocks[-1])
        return self._vectors(tokens), last.attention(tokens, first=1)[:, :, 0, 1:]

    def attention(self, x: Float[Tensor, "b _ _ _"]) -> Float[Tensor, "b heads n"]:
        """Return the attention of ``forward_with_attention`` alone."""
        return self.forward_with_attention(x)[1]

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Draw new random weights, as before training: truncated normal, convolutions after He et al. (2015).

        Args:
            generator: Where random numbers come from; PyTorch's own by default.
        """
        for embedding in (self.cls_token, self.pos_embed):
            nn.init.trunc_normal_(embedding, std=_STD, generator=generator)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=_STD, generator=generator)
                nn.init.zeros_(module.bias)
            elif isinstance(module, nn.Conv2d) and module.bias is not None:
                nn.init.kaiming_normal_(module.weight, nonlinearity="linear", generator=generator)
                nn.init.zeros_(module.bias)
            elif isinstance(module, nn.LayerNorm):
                module.reset_parameters()

    def _before_last_block(self, x: Tensor) -> Tensor:
        grid = self.get_submodule(self.embedding)(x)
        rows, columns = grid.shape[1:3]
        tokens = torch.cat([self.cls_token.expand(len(x), -1, -1), grid.flatten(1, 2)], dim=1)
        tokens = tokens + position_embeddings(self.pos_embed, rows, columns)
        for block in self.blocks[:-1]:
            tokens = block(tokens)
        return tokens

    def _vectors(self, tokens: Tensor) -> Tensor:
        """Return the CLS tokens' vectors, from the tokens before the last block."""
        cls_token = self.blocks[-1](tokens, first=1)[:, 0]
        vectors: Tensor = self.norm(cls_token)  # the norm is over each token alone
        return vectors


def vit256() -> VisionTransformer:
    """Return ViT_256-16, which reads patches [b, 3, 256, 256]: ViT-S/16, 21,665,664 parameters, 384 numbers a patch."""
    return VisionTransformer(PatchEmbed(384), dim=384, depth=12, heads=6)


def vit4k(*, d_in: int = 384) -> VisionTransformer:
    """Return ViT_4096-256, which reads regions [b, 16, 16, 384]: 2,781,504 parameters, 192 numbers a region.

    Args:
        d_in: Dimension of a patch's vector.
    """
    return VisionTransformer(GridEmbed(d_in, 192), dim=192, depth=6, heads=6)


def position_embeddings(learned: Float[Tensor, "1 m dim"], rows: int, columns: int) -> Float[Tensor, "1 n dim"]:
    """Return position embeddings for a grid of another shape, the CLS token's first.

    Bicubic, with the scale factor ``(rows + 0.1) / learned side`` in place of ``rows / learned side``, and so for the
    columns: so do DINO and HIPT, and features made with their weights depend on it.

    Args:
        learned: The CLS token's and those of the learned square grid, row by row.
        rows: Rows of the grid.
        columns: Columns of the grid.
    """
    side = math.isqrt(learned.shape[1] - 1)
    if rows == columns == side:
        return learned
    grid = rearrange(learned[:, 1:], "1 (row column) dim -> 1 dim row column", row=side)
    scale = ((rows + 0.1) / side, (columns + 0.1) / side)
    resized = functional.interpolate(grid, scale_factor=scale, mode="bicubic")
    return torch.cat([learned[:, :1], resized.flatten(2).mT], dim=1)
