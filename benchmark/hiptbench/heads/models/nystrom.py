"""Nystrom self-attention: attention through landmarks, linear in the number of tokens."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from hiptbench.heads.models.layers import Dropout

_ITERATIONS = 6
_KERNEL = 33


class NystromAttention(nn.Module):
    """Multi-head self-attention, approximated by landmarks where there are more tokens than landmarks.

    With landmarks q', k' the means of segments of queries and keys, and s the softmax over keys,
    ``s(q k'^T) pinv(s(q' k'^T)) s(q' k^T) v``, the pseudo-inverse by 6 iterations. A depthwise convolution of v over 33
    tokens is added before the heads are joined.

    Source: Xiong et al., Nystromformer, AAAI 2021; the settings that TransMIL uses of lucidrains/nystrom-attention.
    Unlike that package: up to ``landmarks`` tokens attend exactly, which is what the formula gives if each token is a
    landmark; sequences are not lengthened by zeros, but segments are those of adaptive average pooling, whose lengths
    differ by one and which may share a token; the pseudo-inverse starts from each matrix's own norms, as in the paper.

    Args:
        dim: Dimension of a token.
        heads: Number of heads.
        landmarks: Number of landmarks.
        dropout: Rate on the result.
    """

    def __init__(self, dim: int, heads: int, landmarks: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.landmarks = landmarks
        self.qkv = nn.Linear(dim, 3 * dim, bias=False)
        self.proj = nn.Linear(dim, dim)
        self.drop = Dropout(dropout)
        self.neighbours = nn.Conv2d(heads, heads, (_KERNEL, 1), padding=(_KERNEL // 2, 0), groups=heads, bias=False)

    def forward(self, x: Float[Tensor, "b n dim"]) -> Float[Tensor, "b n dim"]:
        """Let each token attend to all, through the landmarks."""
        q, k, v = self.qkv(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        exact = x.shape[1] <= self.landmarks
        mixed = functional.scaled_dot_product_attention(q, k, v) if exact else self._approximate(q, k, v)
        out: Tensor = self.drop(self.proj((mixed + self.neighbours(v)).transpose(1, 2).flatten(2)))
        return out

    def _approximate(
        self, q: Float[Tensor, "b h n e"], k: Float[Tensor, "b h n e"], v: Float[Tensor, "b h n e"]
    ) -> Float[Tensor, "b h n e"]:
        q_marks, k_marks = (functional.adaptive_avg_pool2d(x, (self.landmarks, x.shape[-1])) for x in (q, k))
        kernel = (q_marks @ k_marks.mT / math.sqrt(q.shape[-1])).softmax(dim=-1)
        values = functional.scaled_dot_product_attention(q_marks, k, v)
        return functional.scaled_dot_product_attention(q, k_marks, pseudo_inverse(kernel) @ values)


def pseudo_inverse(matrices: Float[Tensor, "*b m m"], iterations: int = _ITERATIONS) -> Float[Tensor, "*b m m"]:
    """Return approximate Moore-Penrose inverses.

    ``Z <- Z (13 I - A Z (15 I - A Z (7 I - A Z))) / 4`` from ``Z = A^T / (|A|_1 |A|_inf)``; Razavi et al. 2014, as used
    by Xiong et al., AAAI 2021, equation 11.

    Args:
        matrices: Square matrices, not zero.
        iterations: More are more exact.
    """
    sizes = matrices.abs()
    norms = sizes.sum(dim=-1).amax(dim=-1) * sizes.sum(dim=-2).amax(dim=-1)
    inverse = matrices.mT / norms[..., None, None]
    identity = torch.eye(matrices.shape[-1], dtype=matrices.dtype, device=matrices.device)
    for _ in range(iterations):
        product = matrices @ inverse
        inverse = inverse @ (13 * identity - product @ (15 * identity - product @ (7 * identity - product))) / 4
    return inverse
