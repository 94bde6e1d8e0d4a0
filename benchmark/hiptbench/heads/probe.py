"""The linear head of each kind of task, as one head: what the controls fit."""

from dataclasses import dataclass, field
from typing import ClassVar

import pydantic

from hiptbench.heads.base import Bags, OnEpoch
from hiptbench.heads.cox import Cox, FittedCox
from hiptbench.heads.linear import FittedLogistic, Logistic
from hiptbench.targets import Labels, Target


@pydantic.with_config(pydantic.ConfigDict(extra="forbid"))
@dataclass(frozen=True, kw_only=True)
class Probe:
    """Logistic regression in classification, ridge Cox regression in survival.

    Attributes:
        logistic: Settings of the former.
        cox: Settings of the latter.
    """

    kinds: ClassVar[frozenset[str]] = Logistic.kinds | Cox.kinds
    stochastic: ClassVar[bool] = False

    logistic: Logistic = field(default_factory=Logistic)
    cox: Cox = field(default_factory=Cox)

    def fit(
        self,
        bags: Bags,
        target: Target,
        *,
        val: tuple[Bags, Target] | None,
        seed: int,
        on_epoch: OnEpoch | None = None,
    ) -> FittedLogistic | FittedCox:
        """Fit the one that can predict the target; see ``Head.fit``."""
        head = self.logistic if isinstance(target, Labels) else self.cox
        return head.fit(bags, target, val=val, seed=seed, on_epoch=on_epoch)
