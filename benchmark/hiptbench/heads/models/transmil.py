"""TransMIL: a transformer over instances in their order, with approximate attention and convolutions."""

import math

import torch
from einops import rearrange
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from hiptbench.heads.models.base import MILModel, Output
from hiptbench.heads.models.nystrom import NystromAttention


class PyramidPositions(nn.Module):
    """PPEG: positions by depthwise convolutions (7, 5 and 3) over the tokens laid out as a square, added to them.

    Args:
        dim: Dimension of a token.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList(
            nn.Conv2d(dim, dim, width, padding=width // 2, groups=dim) for width in (7, 5, 3)
        )

    def forward(self, x: Float[Tensor, "b n dim"]) -> Float[Tensor, "b n dim"]:
        """Add positions to all tokens but the first, the class token; n - 1 is a square number."""
        side = math.isqrt(x.shape[1] - 1)
        square = rearrange(x[:, 1:], "b (row column) dim -> b dim row column", row=side)
        placed = sum((convolution(square) for convolution in self.convolutions), start=square)
        return torch.cat([x[:, :1], placed.flatten(2).mT], dim=1)


class TransMIL(MILModel):
    """Transformer-based correlated MIL.

    Linear layer and ReLU; the first instances are repeated until the number is a square; a class token; Nystrom
    attention, PPEG and Nystrom attention, each added to its input (the attention after a norm); the class token, normed
    and classified. The order of the instances matters: they are laid out row by row in a square.

    Source: Shao et al., TransMIL, NeurIPS 2021; sizes of szc19990412/TransMIL (dimension 512, 8 heads, 256 landmarks).
    Own implementation; see ``NystromAttention`` for what differs in the attention. The bags of a batch are treated one
    by one, since the square depends on a bag's length.

    Args:
        d_in: Dimension of an instance; bags are [b, n, d_in].
        n_out: Number of outputs.
        dim: Dimension of a token; there are ``dim / 2`` landmarks.
        heads: Number of heads.
        dropout: Rate on the results of the attentions.
    """

    def __init__(self, *, d_in: int, n_out: int, dim: int = 512, heads: int = 8, dropout: float = 0.1) -> None:
        super().__init__(d_in=d_in, n_out=n_out)
        self.embed = nn.Sequential(nn.Linear(d_in, dim), nn.ReLU())
        self.cls_token = nn.Parameter(torch.randn(1, 1, dim))
        self.norms = nn.ModuleList(nn.LayerNorm(dim) for _ in range(2))
        self.attentions = nn.ModuleList(NystromAttention(dim, heads, dim // 2, dropout) for _ in range(2))
        self.positions = PyramidPositions(dim)
        self.norm = nn.LayerNorm(dim)
        self.classifier = nn.Linear(dim, n_out)

    def aggregate(
        self, bags: Float[Tensor, "b n d"], mask: Bool[Tensor, "b n"], target: Int[Tensor, " b"] | None
    ) -> Output:
        """Encode bag by bag and classify; there is no attention on instances."""
        vectors = torch.cat([self._encode(bag[real].unsqueeze(0)) for bag, real in zip(bags, mask, strict=True)])
        return Output(logits=self.classifier(vectors))

    def _encode(self, bag: Float[Tensor, "1 n d"]) -> Float[Tensor, "1 dim"]:
        x = torch.cat([self.cls_token, squared(self.embed(bag))], dim=1)
        x = x + self.attentions[0](self.norms[0](x))
        x = self.positions(x)
        x = x + self.attentions[1](self.norms[1](x))
        vector: Tensor = self.norm(x[:, 0])
        return vector


def squared(x: Float[Tensor, "1 n dim"]) -> Float[Tensor, "1 m dim"]:
    """Repeat the first tokens behind the last until their number is a square."""
    n = x.shape[1]
    side = math.isqrt(n - 1) + 1
    return torch.cat([x, x[:, : side**2 - n]], dim=1)
