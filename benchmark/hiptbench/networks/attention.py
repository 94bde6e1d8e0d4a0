"""Multi-head self-attention in the fastest form that the device has for it."""

import math

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

SCORES_AT_ONCE = 2**20  # attention scores formed at once on a CPU: 2 MiB in bfloat16, which stay in its cache


class SelfAttention(nn.Module):
    """Multi-head self-attention; the parameters are named as in DINO's checkpoints, ``qkv`` and ``proj``.

    Args:
        dim: Dimension of a token.
        heads: Number of heads, which divides ``dim``.
    """

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.dim = dim
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)

    def forward(self, x: Float[Tensor, "b n dim"], first: int | None = None) -> Float[Tensor, "b m dim"]:
        """Let tokens attend to all tokens.

        Args:
            x: Tokens.
            first: How many tokens attend, from the first on; None for all.
        """
        q, k, v = self._project(x, first)
        out: Tensor = self.proj(attend(q, k, v).transpose(1, 2).flatten(2))
        return out

    def weights(self, x: Float[Tensor, "b n dim"], first: int | None = None) -> Float[Tensor, "b heads m n"]:
        """Return how much tokens attend to each token, a distribution per head; arguments as in ``forward``.

        In float32 whatever the parameters are: bfloat16 has too few digits for weights that nearly agree.
        """
        q, k, _ = self._project(x, first)
        return _weights(q.float(), k.float())

    def _project(self, x: Tensor, first: int | None) -> tuple[Tensor, Tensor, Tensor]:
        """Return queries [b, heads, m, e], and keys and values [b, heads, n, e]."""
        w, b, dim = self.qkv.weight, self.qkv.bias, self.dim
        q = functional.linear(x[:, :first], w[:dim], b[:dim])
        kv = functional.linear(x, w[dim:], b[dim:])
        k, v = rearrange(kv, "b n (kv heads e) -> kv b heads n e", kv=2, heads=self.heads)
        return rearrange(q, "b m (heads e) -> b heads m e", heads=self.heads), k, v


def attend(
    q: Float[Tensor, "b h m e"], k: Float[Tensor, "b h n e"], v: Float[Tensor, "b h n e"]
) -> Float[Tensor, "b h m e"]:
    """Return scaled dot-product attention.

    PyTorch's kernel does it, except in bfloat16 on a CPU, where explicit products a few images at a time are faster:
    batch 32, 257 tokens, 6 heads of 64, one core with AVX512-BF16 and without AMX, PyTorch 2.13: 35 ms against 58 ms;
    60 ms for all images at once, most of it for fresh memory. In float32 the kernel is faster: 12 ms against 17 ms
    at batch 8.
    """
    if q.device.type != "cpu" or q.dtype != torch.bfloat16:
        return functional.scaled_dot_product_attention(q, k, v)
    size = max(1, SCORES_AT_ONCE // (q.shape[1] * q.shape[2] * k.shape[2]))
    parts = zip(torch.split(q, size), torch.split(k, size), torch.split(v, size), strict=True)
    return torch.cat([_weights(queries, keys) @ values for queries, keys, values in parts])


def _weights(q: Tensor, k: Tensor) -> Tensor:
    return (q * (1 / math.sqrt(q.shape[-1])) @ k.mT).softmax(dim=-1)
