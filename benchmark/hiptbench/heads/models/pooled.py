"""Pooling models: mean, max, and attention over instances."""

from jaxtyping import Bool, Float
from torch import Tensor, nn

from hiptbench.heads.models.base import PoolingModel, masked_softmax, padding_bias, weighted_sum
from hiptbench.heads.models.layers import AttentionScore, Dropout, dense


class Mean(PoolingModel):
    """The mean of embedded instances, classified: ``W mean_i(dropout(relu(V x_i)))``.

    Source: the embedding-level mean of Ilse et al., ICML 2018, table 1. Unlike there, the embedding is one layer, for
    the instances are features already.

    Args:
        d_in: Dimension of an instance; bags are [b, n, d_in].
        n_out: Number of outputs.
        hidden: Dimension of the embedding.
        dropout: Rate on the embedding.
    """

    def __init__(self, *, d_in: int, n_out: int, hidden: int = 256, dropout: float = 0.25) -> None:
        super().__init__(d_in=d_in, n_out=n_out, d_bag=hidden)
        self.embed = dense(d_in, hidden, dropout)

    def pool(
        self, bags: Float[Tensor, "b n d"], mask: Bool[Tensor, "b n"]
    ) -> tuple[Float[Tensor, "b d_bag"], Float[Tensor, "b n"]]:
        """Average the embedded instances; the attention is the same for each."""
        weights = mask / mask.sum(dim=1, keepdim=True).to(bags.dtype)
        return weighted_sum(weights, self.embed(bags)), weights


class Max(PoolingModel):
    """The maximum of embedded instances in each dimension, classified.

    Source: the embedding-level max of Ilse et al., ICML 2018, table 1; see ``Mean`` for the difference and the
    arguments.
    """

    def __init__(self, *, d_in: int, n_out: int, hidden: int = 256, dropout: float = 0.25) -> None:
        super().__init__(d_in=d_in, n_out=n_out, d_bag=hidden)
        self.embed = dense(d_in, hidden, dropout)

    def pool(self, bags: Float[Tensor, "b n d"], mask: Bool[Tensor, "b n"]) -> tuple[Float[Tensor, "b d_bag"], None]:
        """Take the maximum in each dimension; there is no attention."""
        return (self.embed(bags) + padding_bias(mask, bags.dtype).unsqueeze(-1)).amax(dim=1), None


class ABMIL(PoolingModel):
    """Attention-based MIL: embed, score, softmax over the bag, sum, classify.

    Source: Ilse, Tomczak and Welling, ICML 2018. Unlike the paper: the embedding is one layer, for the instances are
    features already; layers have biases; dropout on the embedding and inside the attention, as in mahmoodlab/CLAM;
    ``n_out`` logits instead of one sigmoid. Unlike mahmoodlab/MCAT's network of the same name there is no hidden
    layer between the bag's vector and the classifier.

    Args:
        d_in: Dimension of an instance; bags are [b, n, d_in].
        n_out: Number of outputs.
        gated: Gated attention (equation 9), or plain tanh attention (equation 8).
        hidden: Dimension of the embedding.
        attention: Dimension of the attention's hidden layer.
        dropout: Rate on the embedding and inside the attention.
    """

    def __init__(
        self,
        *,
        d_in: int,
        n_out: int,
        gated: bool = True,
        hidden: int = 256,
        attention: int = 128,
        dropout: float = 0.25,
    ) -> None:
        super().__init__(d_in=d_in, n_out=n_out, d_bag=hidden)
        self.embed = dense(d_in, hidden, dropout)
        self.score = AttentionScore(hidden, attention, dropout, gated=gated)

    def pool(
        self, bags: Float[Tensor, "b n d"], mask: Bool[Tensor, "b n"]
    ) -> tuple[Float[Tensor, "b d_bag"], Float[Tensor, "b n"]]:
        """Sum the embedded instances by their attention."""
        embedded = self.embed(bags)
        attention = masked_softmax(self.score(embedded), mask)
        return weighted_sum(attention, embedded), attention


class AttentionSoftmax(PoolingModel):
    """Attention on the features as they are: ``sum_i a_i x_i`` with ``a = softmax_i(w . leaky_relu(V x_i))``.

    Source: the attention of the PyTorch MNIST-bags tutorials (``AttentionSoftMax`` with slope 0.01). Unlike there,
    no network is trained below the attention.

    Args:
        d_in: Dimension of an instance; bags are [b, n, d_in].
        n_out: Number of outputs.
        hidden: Rows of V; None for ``d_in``, as in the tutorials.
        dropout: Rate inside the attention, on ``leaky_relu(V x_i)``; the tutorials have none.
    """

    def __init__(self, *, d_in: int, n_out: int, hidden: int | None = None, dropout: float = 0.0) -> None:
        super().__init__(d_in=d_in, n_out=n_out, d_bag=d_in)
        rows = hidden or d_in
        self.score = nn.Sequential(nn.Linear(d_in, rows), nn.LeakyReLU(), Dropout(dropout), nn.Linear(rows, 1))

    def pool(
        self, bags: Float[Tensor, "b n d"], mask: Bool[Tensor, "b n"]
    ) -> tuple[Float[Tensor, "b d_bag"], Float[Tensor, "b n"]]:
        """Sum the features by their attention."""
        attention = masked_softmax(self.score(bags).squeeze(-1), mask)
        return weighted_sum(attention, bags), attention
