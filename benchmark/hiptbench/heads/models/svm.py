"""The smooth top-1 support vector machine loss."""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import one_hot


def smooth_top1_svm(
    scores: Float[Tensor, "n k"], labels: Int[Tensor, " n"], *, tau: float = 1.0, alpha: float = 1.0
) -> Float[Tensor, " n"]:
    """Return the smooth top-1 SVM loss of each row.

    ``tau log sum_j exp((s_j + alpha [j != y] - s_y) / tau)``; where the two highest scores differ by ``tau log 1000``
    or more, its limit for small tau, ``max_j (s_j + alpha [j != y]) - s_y``.

    Source: Berrada, Zisserman and Kumar, Smooth Loss Functions for Deep Top-k Classification, ICLR 2018, equation 8
    with k = 1; the switch to the limit is that of their ``SmoothTop1SVM`` (oval-group/smooth-topk), kept because CLAM
    was trained with it. Unlike there, rows are not averaged.

    Args:
        scores: Scores of k >= 2 classes.
        labels: The true classes.
        tau: Temperature.
        alpha: Margin.
    """
    margin = alpha * (1 - one_hot(labels, scores.shape[1]).to(scores.dtype))
    excess = scores + margin - scores.gather(1, labels.unsqueeze(1))
    best, second = scores.topk(2, dim=1).values.unbind(dim=1)
    smooth = tau * torch.logsumexp(excess / tau, dim=1)
    return torch.where(best - second >= tau * math.log(1e3), excess.amax(dim=1), smooth)
