"""The vision transformer that reads a region's grid of patch vectors, ViT_4096-256 in HIPT."""

import math
from pathlib import Path

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from hiptbench.errors import HeadError
from hiptbench.heads.models.attention import SelfAttention
from hiptbench.heads.models.checkpoints import read_dino

_EPS = 1e-6


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

    def forward(self, x: Float[Tensor, "b n dim"]) -> Float[Tensor, "b n dim"]:
        """Attend, then transform each token."""
        x = x + self.attn(self.norm1(x))
        out: Tensor = x + self.mlp(self.norm2(x))
        return out


class GridViT(nn.Module):
    """A vision transformer over a square grid of vectors; the defaults are HIPT's ``vit4k_xs``.

    Linear layer and GELU on each vector, a CLS token in front, learned position embeddings, pre-norm blocks, a norm;
    the result is the CLS token. The state dict has the names of DINO's checkpoints.

    Source: mahmoodlab/HIPT, HIPT_4K/vision_transformer4k.py. Unlike there: no dropout and stochastic depth, whose rates
    are 0 there; attention by PyTorch's kernel; no classifier.

    Args:
        d_in: Dimension of a grid's vectors.
        dim: Dimension of a token and of the result.
        depth: Number of blocks.
        heads: Number of heads.
        mlp_ratio: Width of a block's MLP in units of ``dim``.
        side: Side of the grid that the position embeddings are learned for, 14 in pretraining; for other grids they are
            interpolated.
    """

    def __init__(
        self, *, d_in: int = 384, dim: int = 192, depth: int = 6, heads: int = 6, mlp_ratio: int = 4, side: int = 14
    ) -> None:
        super().__init__()
        self.phi = nn.Sequential(nn.Linear(d_in, dim), nn.GELU())
        self.cls_token = nn.Parameter(torch.zeros(1, 1, dim))
        self.pos_embed = nn.Parameter(torch.zeros(1, side * side + 1, dim))
        self.blocks = nn.ModuleList(Block(dim, heads, mlp_ratio) for _ in range(depth))
        self.norm = nn.LayerNorm(dim, eps=_EPS)
        for weight in (self.pos_embed, self.cls_token):
            nn.init.trunc_normal_(weight, std=0.02)
        self.apply(_initialise)

    def forward(self, grids: Float[Tensor, "r s d"]) -> Float[Tensor, "r dim"]:
        """Return one vector a grid.

        Args:
            grids: The vectors of square grids, row by row; s is a square number.

        Raises:
            HeadError: If the grids are not square.
        """
        side = math.isqrt(grids.shape[1])
        if side**2 != grids.shape[1]:
            raise HeadError(
                f"A region of {grids.shape[1]} vectors is no square grid. HIPT's regions have 16 x 16 = 256 vectors."
            )
        cls_tokens = self.cls_token.expand(len(grids), -1, -1)
        x = torch.cat([cls_tokens, self.phi(grids)], dim=1) + position_embeddings(self.pos_embed, side)
        for block in self.blocks:
            x = block(x)
        vectors: Tensor = self.norm(x[:, 0])  # the norm is over each token alone
        return vectors

    def load(self, path: str | Path) -> None:
        """Load the weights of a DINO checkpoint.

        Raises:
            HeadError: If the checkpoint cannot be read or belongs to another architecture.
        """
        try:
            self.load_state_dict(read_dino(Path(path)))
        except RuntimeError as error:
            raise HeadError(f"{path} holds the weights of another model: {' '.join(str(error).split())}") from error


def position_embeddings(learned: Float[Tensor, "1 m dim"], side: int) -> Float[Tensor, "1 n dim"]:
    """Return position embeddings for a grid of another side, the CLS token's first.

    Bicubic, with the scale factor ``(side + 0.1) / learned side`` in place of ``side / learned side``: so do DINO and
    HIPT, and features made with their weights depend on it.

    Args:
        learned: The CLS token's and the learned grid's, row by row.
        side: Side of the grid.
    """
    known = math.isqrt(learned.shape[1] - 1)
    if known == side:
        return learned
    grid = rearrange(learned[:, 1:], "1 (row column) dim -> 1 dim row column", row=known)
    scale = (side + 0.1) / known
    resized = functional.interpolate(grid, scale_factor=(scale, scale), mode="bicubic")
    return torch.cat([learned[:, :1], resized.flatten(2).mT], dim=1)


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Linear):
        nn.init.trunc_normal_(module.weight, std=0.02)
        nn.init.zeros_(module.bias)
