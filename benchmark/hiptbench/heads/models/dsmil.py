"""Dual-stream MIL."""

import math

from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from hiptbench.heads.models.base import MILModel, Output, padding_bias
from hiptbench.heads.models.layers import Dropout


class DSMIL(MILModel):
    """DS-MIL: the best instance of each output, and attention by similarity to it.

    Stream one scores each instance linearly and takes the maximum over the bag, output by output; the instance that
    attains it is the critical one. Stream two weighs each instance by ``softmax_i(q(x_i) . q(x_critical) / sqrt(128))``
    and sums the values v(x_i), which gives one vector an output; all vectors together are read by a convolution as
    wide as they are. The logits are the mean of the two streams.

    Source: Li, Li and Eliceiri, Dual-stream multiple instance learning network, CVPR 2021, as trained by
    mahmoodlab/HIPT (2-Weakly-Supervised-Subtyping, ``MILNet``): one objective on the mean of the streams, where the
    paper has a sigmoid loss on each. Unlike both: values are computed after the weighted sum, which is the same since
    the weights sum to one, and saves the largest product.

    Args:
        d_in: Dimension of an instance; bags are [b, n, d_in].
        n_out: Number of outputs.
        query: Dimension of the queries.
        dropout: Rate on the input of the values; 0 in HIPT.
    """

    def __init__(self, *, d_in: int, n_out: int, query: int = 128, dropout: float = 0.0) -> None:
        super().__init__(d_in=d_in, n_out=n_out)
        self.instances = nn.Linear(d_in, n_out)
        self.query = nn.Linear(d_in, query)
        self.drop = Dropout(dropout)
        self.value = nn.Linear(d_in, d_in)
        self.classifier = nn.Conv1d(n_out, n_out, kernel_size=d_in)

    def aggregate(
        self, bags: Float[Tensor, "b n d"], mask: Bool[Tensor, "b n"], target: Int[Tensor, " b"] | None
    ) -> Output:
        """Add the streams; the attention is the mean over the outputs'."""
        bias = padding_bias(mask, bags.dtype).unsqueeze(-1)
        best, critical = (self.instances(bags) + bias).max(dim=1)
        queries: Tensor = self.query(bags)
        critical_queries = queries.take_along_dim(critical.unsqueeze(-1), dim=1)
        scores = queries @ critical_queries.mT / math.sqrt(queries.shape[-1])
        attention = (scores + bias).softmax(dim=1)
        vectors = self.value(attention.mT @ self.drop(bags))
        logits = (best + self.classifier(vectors).squeeze(-1)) / 2
        return Output(logits=logits, attention=attention.mean(dim=-1))
