"""CLAM with a single attention branch, and its instance loss."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from hiptbench.heads.models.base import MILModel, Output, masked_softmax, weighted_sum
from hiptbench.heads.models.layers import AttentionScore, dense, xavier_normal
from hiptbench.heads.models.svm import smooth_top1_svm


class ClamSB(MILModel):
    """CLAM-SB: gated attention pooling, and instance classifiers trained on what it attends to most and least.

    In training with targets, the k patches with the most attention (label 1) and the k with the least (label 0) go to
    the two-class instance classifier of the bag's true class; its loss is the smooth top-1 SVM, averaged over the 2k
    patches and then over the bags. The total is ``(1 - instance_weight) bag loss + instance_weight instance loss``: the
    first factor is ``Output.bag_weight``, the second term ``Output.extra_loss``. k is ``n_sampled``, or half of the
    bag's instances where that is less, so that no patch has both labels; a bag of one instance has an instance loss of
    0. With a risk or without targets there is no instance loss, and the bag's loss counts in full.

    Source: Lu et al., Data-efficient and weakly supervised computational pathology on whole-slide images, Nature
    Biomedical Engineering 2021, as trained by mahmoodlab/HIPT (2-Weakly-Supervised-Subtyping, ``CLAM_SB`` with the flag
    ``subtyping`` off). Unlike there: bags of less than 8 instances work, and of less than 16 have disjoint halves; the
    instance classifiers are the rows of one layer, initialised two by two.

    Args:
        d_in: Dimension of an instance; bags are [b, n, d_in].
        n_out: Number of outputs.
        attention: Dimension of the attention's hidden layer.
        n_sampled: Patches a side for the instance loss.
        instance_weight: Share of the instance loss.
        dropout: Rate on the embedding, which has ``d_in`` units, and inside the attention.
    """

    def __init__(
        self,
        *,
        d_in: int,
        n_out: int,
        attention: int = 256,
        n_sampled: int = 8,
        instance_weight: float = 0.3,
        dropout: float = 0.25,
    ) -> None:
        super().__init__(d_in=d_in, n_out=n_out)
        self.embed = dense(d_in, d_in, dropout)
        self.score = AttentionScore(d_in, attention, dropout)
        self.classifier = nn.Linear(d_in, n_out)
        self.instance_classifiers = nn.Linear(d_in, 2 * n_out)
        self.n_sampled = n_sampled
        self.instance_weight = instance_weight
        xavier_normal(self)
        for i in range(n_out):
            nn.init.xavier_normal_(self.instance_classifiers.weight[2 * i : 2 * i + 2])

    def aggregate(
        self, bags: Float[Tensor, "b n d"], mask: Bool[Tensor, "b n"], target: Int[Tensor, " b"] | None
    ) -> Output:
        """Pool by attention, and judge the instances in training."""
        embedded = self.embed(bags)
        scores = self.score(embedded)
        attention = masked_softmax(scores, mask)
        logits = self.classifier(weighted_sum(attention, embedded))
        if target is None or not self.training:
            return Output(logits=logits, attention=attention)
        loss = self._instance_loss(embedded, scores.detach(), mask, target)
        return Output(logits, attention, self.instance_weight * loss, bag_weight=1 - self.instance_weight)

    def _instance_loss(
        self,
        embedded: Float[Tensor, "b n d"],
        ranks: Float[Tensor, "b n"],
        mask: Bool[Tensor, "b n"],
        target: Int[Tensor, " b"],
    ) -> Float[Tensor, ""]:
        k = (mask.sum(dim=1, keepdim=True) // 2).clamp(max=self.n_sampled)
        most = min(self.n_sampled, mask.shape[1] // 2)  # in any bag
        top = ranks.masked_fill(~mask, -torch.inf).topk(most).indices
        bottom = ranks.masked_fill(~mask, torch.inf).topk(most, largest=False).indices
        chosen = embedded.take_along_dim(torch.cat([top, bottom], dim=1).unsqueeze(-1), dim=1)
        pairs = self.instance_classifiers(chosen).unflatten(-1, (self.n_out, 2))
        scores = pairs.take_along_dim(target.view(-1, 1, 1, 1), dim=2).squeeze(2)
        labels = torch.arange(2, device=target.device).flip(0).repeat_interleave(most).expand(len(target), -1)
        losses = smooth_top1_svm(scores.flatten(0, 1), labels.flatten()).view_as(labels)
        used = (torch.arange(most, device=k.device) < k).repeat(1, 2)
        return ((losses * used).sum(dim=1) / (2 * k.squeeze(1)).clamp(min=1)).mean()
