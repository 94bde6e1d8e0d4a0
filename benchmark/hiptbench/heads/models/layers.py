"""Layers that several models share."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from hiptbench.errors import HeadError


class Dropout(nn.Module):
    """Inverted dropout, as ``nn.Dropout``, whose mask costs a tenth of PyTorch's on a CPU.

    ``bernoulli_`` draws 64 random bits an element; 16 are drawn here, so that the rate is a multiple of 1/65536. The
    random numbers come from PyTorch's global generator. On other devices this is PyTorch's own dropout.

    Args:
        rate: Probability of setting an element to 0; the others are divided by ``1 - rate``.
    """

    def __init__(self, rate: float) -> None:
        super().__init__()
        if not 0 <= rate < 1:
            raise HeadError(f"dropout must be at least 0 and less than 1, got {rate}.")
        self.rate = rate

    @property
    def active(self) -> bool:
        """Whether anything is dropped now."""
        return self.training and self.rate > 0

    def forward(self, x: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        """Drop elements in training; return the input itself otherwise."""
        if not self.active:
            return x
        if x.device.type != "cpu":
            return functional.dropout(x, self.rate)
        words = torch.empty(-(-x.numel() // 4), dtype=torch.int64).random_(-(2**63), None)
        bits = words.view(torch.int16)[: x.numel()].view(x.shape)
        least = round(self.rate * 2**16) - 2**15  # of the 2**16 equally likely values, those below it are dropped
        # Comparing floats in place is ten times as fast as making a Boolean mask.
        kept = bits.to(torch.float32).ge_(least).mul_(1 / (1 - self.rate))
        return x * kept.to(x.dtype)


def dense(d_in: int, d_out: int, dropout: float) -> nn.Sequential:
    """Return a linear layer, ReLU and dropout."""
    return nn.Sequential(nn.Linear(d_in, d_out), nn.ReLU(), Dropout(dropout))


class AttentionScore(nn.Module):
    """The score of each instance before the softmax: ``w . (tanh(V h) * sigmoid(U h))``, or ungated ``w . tanh(V h)``.

    Source: Ilse, Tomczak and Welling, Attention-based Deep Multiple Instance Learning, ICML 2018, equations 8 and 9;
    with biases, and dropout on both branches, as in mahmoodlab/CLAM.

    Args:
        dim: Dimension of an instance.
        hidden: Rows of V and U.
        dropout: Rate on both branches.
        gated: Whether there is a sigmoid branch.
    """

    def __init__(self, dim: int, hidden: int, dropout: float = 0.0, *, gated: bool = True) -> None:
        super().__init__()
        self.value = nn.Linear(dim, hidden)
        self.gate = nn.Linear(dim, hidden) if gated else None
        self.drop = Dropout(dropout)
        self.weight = nn.Linear(hidden, 1)

    def forward(self, x: Float[Tensor, "*n dim"]) -> Float[Tensor, "*n"]:
        """Score each vector."""
        hidden = self.drop(torch.tanh(self.value(x)))
        if self.gate is not None:
            hidden = hidden * self.drop(torch.sigmoid(self.gate(x)))
        scores: Tensor = self.weight(hidden)
        return scores.squeeze(-1)


def xavier_normal(module: nn.Module) -> None:
    """Initialise every linear layer with Xavier's normal weights and zero biases, as mahmoodlab/CLAM does."""
    for layer in module.modules():
        if isinstance(layer, nn.Linear):
            nn.init.xavier_normal_(layer.weight)
            nn.init.zeros_(layer.bias)


def in_chunks(function: Callable[[Tensor], Tensor], x: Tensor, size: int, dim: int = 0) -> Tensor:
    """Apply a function to slices of at most ``size`` and join the results, to bound the memory.

    If there are several slices, what the function needs for its gradients is computed again in the backward pass
    instead of being kept.

    Args:
        function: Treats the positions along ``dim`` independently.
        x: Its input.
        size: Most positions of a slice.
        dim: The axis that is sliced, in the input as in the output.
    """
    if x.shape[dim] <= size:
        return function(x)
    parts = x.tensor_split(tuple(range(size, x.shape[dim], size)), dim)
    return torch.cat([checkpoint(function, part, use_reentrant=False) for part in parts], dim)
