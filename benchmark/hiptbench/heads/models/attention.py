"""Multi-head self-attention and the transformer layers built on it."""

import math

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from hiptbench.heads.models.layers import Dropout, in_chunks

MOST_SCORES = 2**26  # attention scores held at once in training with dropout: 256 MiB in float32


class SelfAttention(nn.Module):
    """Multi-head self-attention; the parameters are named as in DINO's checkpoints, ``qkv`` and ``proj``.

    Args:
        dim: Dimension of a token.
        heads: Number of heads, which divides ``dim``.
        dropout: Rate on the attention weights.
    """

    def __init__(self, dim: int, heads: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)
        self.drop = Dropout(dropout)

    def forward(
        self, x: Float[Tensor, "b n dim"], bias: Float[Tensor, "b n"] | None = None
    ) -> Float[Tensor, "b n dim"]:
        """Let each token attend to all.

        Args:
            x: Tokens.
            bias: Added to every score of a token as key; minus infinity hides it.
        """
        q, k, v = self.qkv(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        mixed = attend(q, k, v, None if bias is None else bias[:, None, None], self.drop)
        out: Tensor = self.proj(mixed.transpose(1, 2).flatten(2))
        return out


def attend(
    q: Float[Tensor, "b h n e"],
    k: Float[Tensor, "b h m e"],
    v: Float[Tensor, "b h m e"],
    bias: Float[Tensor, "b 1 1 m"] | None,
    drop: Dropout,
) -> Float[Tensor, "b h n e"]:
    """Return scaled dot-product attention.

    Without dropout PyTorch's kernel does it, whose memory grows with n and not with n squared. With dropout the weights
    are formed, for as many queries at a time as ``MOST_SCORES`` allows.
    """
    if not drop.active:
        return functional.scaled_dot_product_attention(q, k, v, attn_mask=bias)

    def with_dropout(queries: Tensor) -> Tensor:
        scores = queries / math.sqrt(q.shape[-1]) @ k.mT
        weights = (scores if bias is None else scores + bias).softmax(dim=-1)
        mixed: Tensor = drop(weights) @ v
        return mixed

    size = max(1, MOST_SCORES // (q.shape[0] * q.shape[1] * k.shape[2]))
    return in_chunks(with_dropout, q, size, dim=2)


class EncoderLayer(nn.Module):
    """A post-norm transformer layer with ReLU: ``nn.TransformerEncoderLayer`` with its initialisation.

    Own code because PyTorch's forms all attention scores at once in evaluation, and its dropout is slow on a CPU.

    Source: Vaswani et al., Attention Is All You Need, 2017.

    Args:
        dim: Dimension of a token, and of the feed-forward layer.
        heads: Number of heads.
        dropout: Rate on the attention weights, on both branches and inside the feed-forward layer.
    """

    def __init__(self, dim: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.attn = SelfAttention(dim, heads, dropout)
        self.fc1 = nn.Linear(dim, dim)
        self.fc2 = nn.Linear(dim, dim)
        self.norm1 = nn.LayerNorm(dim)
        self.norm2 = nn.LayerNorm(dim)
        self.drop = Dropout(dropout)
        nn.init.xavier_uniform_(self.attn.qkv.weight)
        nn.init.zeros_(self.attn.qkv.bias)
        nn.init.zeros_(self.attn.proj.bias)

    def forward(self, x: Float[Tensor, "b n dim"], bias: Float[Tensor, "b n"] | None) -> Float[Tensor, "b n dim"]:
        """Attend, then feed forward, each followed by a residual sum and a norm."""
        x = self.norm1(x + self.drop(self.attn(x, bias)))
        hidden = self.drop(functional.relu(self.fc1(x)))
        normed: Tensor = self.norm2(x + self.drop(self.fc2(hidden)))
        return normed
