"""The contract of MIL models: padded bags, a mask and perhaps targets go in, logits come out."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from hiptbench.errors import HeadError


@dataclass(frozen=True, eq=False)
class Output:
    """What a model says about a batch of bags.

    Attributes:
        logits: One score a bag and output, unbounded; the objective gives them their meaning.
        attention: The weight of each instance: not negative, summing to one over a bag, exactly 0 on padding. None
            where the model has no such weights.
        extra_loss: A loss of the model's own, the mean over the bags; None unless the model is in training mode and
            was given targets.
        bag_weight: What the objective's loss is multiplied by before ``extra_loss`` is added.
    """

    logits: Float[Tensor, "b k"]
    attention: Float[Tensor, "b n"] | None = None
    extra_loss: Float[Tensor, ""] | None = None
    bag_weight: float = 1.0

    def total_loss(self, bag_loss: Float[Tensor, ""]) -> Float[Tensor, ""]:
        """Return the loss to minimise: ``bag_weight * bag_loss + extra_loss``."""
        return bag_loss if self.extra_loss is None else self.bag_weight * bag_loss + self.extra_loss


class MILModel(nn.Module, ABC):
    """A model of bags. A subclass takes its settings as keyword arguments and defines ``aggregate``.

    What every model keeps, and ``tests/models/test_contract.py`` demands: instances under a false mask change
    nothing, in training as in evaluation; bags of one batch do not influence each other.

    Args:
        d_in: Dimension of an instance's features.
        n_out: Number of outputs: classes, time bins, or 1 for a risk.

    Attributes:
        hierarchical: Whether an instance is a set of vectors, as a region [256, 384], and not one vector.
        only_at_start: Settings that say how training begins, which a trained model is rebuilt without.
    """

    hierarchical: ClassVar[bool] = False
    only_at_start: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, *, d_in: int, n_out: int) -> None:
        super().__init__()
        self.d_in = d_in
        self.n_out = n_out

    def forward(
        self, bags: Float[Tensor, "b n *d"], mask: Bool[Tensor, "b n"], target: Int[Tensor, " b"] | None = None
    ) -> Output:
        """Check a batch and aggregate it.

        Args:
            bags: Instances [b, n, d_in], or [b, n, s, d_in] for a hierarchical model, padded with finite values.
            mask: True where an instance is, False on padding; every bag has at least one instance.
            target: Class of each bag, below ``n_out``, for models with a loss of their own. None in prediction, and
                where the objective knows no classes.

        Raises:
            HeadError: If the bags do not have the model's shape, or one of them is empty.
        """
        self._refuse_wrong_shape(bags)
        empty = (~mask.any(dim=1)).nonzero()
        if len(empty):
            raise HeadError(f"Bag {int(empty[0])} of a batch of {len(mask)} has no instance. Leave it out.")
        return self.aggregate(bags, mask, target)

    @abstractmethod
    def aggregate(
        self, bags: Float[Tensor, "b n *d"], mask: Bool[Tensor, "b n"], target: Int[Tensor, " b"] | None
    ) -> Output:
        """Turn a batch of the right shape into logits; see ``forward``."""

    def _refuse_wrong_shape(self, bags: Tensor) -> None:
        expected = "[b, n, s, {}]" if self.hierarchical else "[b, n, {}]"
        if bags.ndim != expected.count(",") + 1 or bags.shape[-1] != self.d_in:
            raise HeadError(
                f"{type(self).__name__} was made for bags {expected.format(self.d_in)}, got {list(bags.shape)}. "
                "Take the features it was made for, or another model."
            )


class PoolingModel(MILModel):
    """The common case: a bag becomes one vector, which a linear classifier reads.

    Args:
        d_in: Dimension of an instance's features.
        n_out: Number of outputs.
        d_bag: Dimension of the bag's vector.
    """

    def __init__(self, *, d_in: int, n_out: int, d_bag: int) -> None:
        super().__init__(d_in=d_in, n_out=n_out)
        self.classifier = nn.Linear(d_bag, n_out)

    @abstractmethod
    def pool(
        self, bags: Float[Tensor, "b n *d"], mask: Bool[Tensor, "b n"]
    ) -> tuple[Float[Tensor, "b d_bag"], Float[Tensor, "b n"] | None]:
        """Return each bag's vector, and the attention on its instances where there is such a thing."""

    def aggregate(
        self, bags: Float[Tensor, "b n *d"], mask: Bool[Tensor, "b n"], target: Int[Tensor, " b"] | None
    ) -> Output:
        """Pool and classify."""
        vectors, attention = self.pool(bags, mask)
        return Output(logits=self.classifier(vectors), attention=attention)


def padding_bias(mask: Bool[Tensor, "b n"], dtype: torch.dtype = torch.float32) -> Float[Tensor, "b n"]:
    """Return what to add to scores: 0 on instances, minus infinity on padding.

    Adding is many times faster on a CPU than filling by a mask of the scores' shape.
    """
    return torch.zeros(mask.shape, dtype=dtype, device=mask.device).masked_fill(~mask, -torch.inf)


def masked_softmax(scores: Float[Tensor, "b n"], mask: Bool[Tensor, "b n"]) -> Float[Tensor, "b n"]:
    """Return the softmax over each bag's own instances, exactly 0 on padding."""
    return (scores + padding_bias(mask, scores.dtype)).softmax(dim=-1)


def weighted_sum(weights: Float[Tensor, "*b n"], values: Float[Tensor, "*b n d"]) -> Float[Tensor, "*b d"]:
    """Return the sum of each bag's vectors, weighted."""
    return (weights.unsqueeze(-2) @ values).squeeze(-2)
