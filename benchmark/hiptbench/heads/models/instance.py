"""Instance-level models: each instance is scored, and the scores are pooled."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from hiptbench.heads.models.base import MILModel, Output, padding_bias
from hiptbench.heads.models.layers import dense, xavier_normal


class BestInstance(MILModel):
    """Max-pooling MIL: the bag's logits are those of its single best instance, ``mil`` in HIPT's tables.

    The best instance is the one with the highest probability of class 1 where there are two outputs; where there are
    more, the one with the highest probability of any class; where there is one, the one with the highest logit.
    Probabilities are softmax, whatever the objective.

    Source: mahmoodlab/HIPT, 2-Weakly-Supervised-Subtyping, ``MIL_fc`` and ``MIL_fc_mc``. Unlike there: the separate
    linear layers of ``MIL_fc_mc`` are the rows of one, initialised row by row; two-output models compare differences of
    logits and others log-probabilities, so that float32 ties only where it must.

    Args:
        d_in: Dimension of an instance; bags are [b, n, d_in].
        n_out: Number of outputs.
        dropout: Rate on the hidden layer, which has ``d_in`` units.
    """

    def __init__(self, *, d_in: int, n_out: int, dropout: float = 0.25) -> None:
        super().__init__(d_in=d_in, n_out=n_out)
        self.embed = dense(d_in, d_in, dropout)
        self.classifier = nn.Linear(d_in, n_out)
        xavier_normal(self)
        if n_out > 2:
            for i in range(n_out):
                nn.init.xavier_normal_(self.classifier.weight[i : i + 1])

    def aggregate(
        self, bags: Float[Tensor, "b n d"], mask: Bool[Tensor, "b n"], target: Int[Tensor, " b"] | None
    ) -> Output:
        """Pick the best instance; the attention is 1 on it and 0 elsewhere."""
        logits: Tensor = self.classifier(self.embed(bags))
        best = (_confidence(logits.detach()) + padding_bias(mask, logits.dtype)).argmax(dim=1, keepdim=True)
        picked = logits.take_along_dim(best.unsqueeze(-1), dim=1).squeeze(1)
        attention = torch.zeros(mask.shape, dtype=logits.dtype, device=logits.device).scatter(1, best, 1.0)
        return Output(logits=picked, attention=attention)


def _confidence(logits: Float[Tensor, "b n k"]) -> Float[Tensor, "b n"]:
    """Return what ranks instances as the probability does that chooses the best one."""
    if logits.shape[-1] == 1:
        return logits[..., 0]
    if logits.shape[-1] == 2:
        return logits[..., 1] - logits[..., 0]
    return logits.log_softmax(dim=-1).amax(dim=-1)


class NoisyAnd(MILModel):
    """Noisy-and pooling: an output is on if enough of the instances are.

    With instance probabilities p_i = sigmoid(instance logit), their mean p, a fixed slope a and a learned threshold b
    of each output, the bag's probability is
    ``P = (sigmoid(a (p - b)) - sigmoid(-a b)) / (sigmoid(a (1 - b)) - sigmoid(-a b))``, from 0 at p = 0 to 1 at p = 1.
    The logits are the log-odds ``log P / (1 - P)``, computed without forming P:
    ``a (p - b) + logsigmoid(a b) - logsigmoid(a (1 - b)) + log(1 - exp(-a p)) - log(1 - exp(-a (1 - p)))``.

    Source: Kraus, Ba and Frey, Classifying and segmenting microscopy images with deep multiple instance learning,
    Bioinformatics 2016, equation 6. Unlike the paper: the instance network is one hidden layer, for the instances are
    features already; the objective reads the log-odds themselves, where the paper puts a fully connected softmax layer
    on P and adds a loss on P; p is kept ``1e-6`` away from 0 and 1, so that the log-odds are finite.

    Args:
        d_in: Dimension of an instance; bags are [b, n, d_in].
        n_out: Number of outputs.
        a: Slope.
        hidden: Dimension of the hidden layer.
        dropout: Rate on the hidden layer.
    """

    def __init__(self, *, d_in: int, n_out: int, a: float = 10.0, hidden: int = 256, dropout: float = 0.25) -> None:
        super().__init__(d_in=d_in, n_out=n_out)
        self.instances = nn.Sequential(dense(d_in, hidden, dropout), nn.Linear(hidden, n_out))
        self.b = nn.Parameter(torch.full((n_out,), 0.5))
        self.a = a

    def aggregate(
        self, bags: Float[Tensor, "b n d"], mask: Bool[Tensor, "b n"], target: Int[Tensor, " b"] | None
    ) -> Output:
        """Pool the instances' probabilities; there is no attention."""
        shares = mask / mask.sum(dim=1, keepdim=True).to(bags.dtype)
        # In the features' precision even where products are bfloat16: there 1 - 1e-6 is 1.
        probabilities = torch.sigmoid(self.instances(bags).to(bags.dtype))
        mean = (shares.unsqueeze(-1) * probabilities).sum(dim=1)
        return Output(logits=noisy_and_log_odds(mean, self.b, self.a))


def noisy_and_log_odds(mean: Float[Tensor, "b k"], b: Float[Tensor, " k"], a: float) -> Float[Tensor, "b k"]:
    """Return the log-odds of the noisy-and of mean instance probabilities; see ``NoisyAnd``."""
    p = mean.clamp(1e-6, 1 - 1e-6)
    ends = torch.log(-torch.expm1(-a * p)) - torch.log(-torch.expm1(-a * (1 - p)))
    thresholds = nn.functional.logsigmoid(a * b) - nn.functional.logsigmoid(a * (1 - b))
    return a * (p - b) + thresholds + ends
