"""A control: the linear head, trained on targets that were dealt to the wrong units."""

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import pydantic

from hiptbench.heads.base import Bags, OnEpoch
from hiptbench.heads.cox import FittedCox
from hiptbench.heads.linear import FittedLogistic
from hiptbench.heads.probe import Probe
from hiptbench.targets import Target


@pydantic.with_config(pydantic.ConfigDict(extra="forbid"))
@dataclass(frozen=True, kw_only=True)
class PermutedLabels:
    """Permutes the training targets over the training units by the seed and fits the linear head on them.

    Its AUC or c-index is 0.5 on average over seeds: how far single runs lie from that is how far chance reaches, and a
    mean that is elsewhere would show that evaluated labels reach the head. It does not show patients or sites that
    train and test share, since what is learnt of them is wrong, too; ``hiptbench lint`` does.

    Attributes:
        probe: Settings of the linear head.
    """

    kinds: ClassVar[frozenset[str]] = Probe.kinds
    stochastic: ClassVar[bool] = True

    probe: Probe = field(default_factory=Probe)

    def fit(
        self,
        bags: Bags,
        target: Target,
        *,
        val: tuple[Bags, Target] | None,
        seed: int,
        on_epoch: OnEpoch | None = None,
    ) -> FittedLogistic | FittedCox:
        """Permute and fit; see ``Head.fit``."""
        order = np.random.default_rng(seed).permutation(len(target)).tolist()
        return self.probe.fit(bags, target.take(order), val=val, seed=seed, on_epoch=on_epoch)
