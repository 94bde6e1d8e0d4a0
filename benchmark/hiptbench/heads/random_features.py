"""A control: the linear head on random numbers in place of the features."""

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import pydantic

from hiptbench.bags import Bag
from hiptbench.files import sha256_bytes
from hiptbench.heads.base import Bags, OnEpoch
from hiptbench.heads.cox import FittedCox
from hiptbench.heads.linear import FittedLogistic
from hiptbench.heads.probe import Probe
from hiptbench.predictions import Prediction
from hiptbench.targets import Target


def random_bags(bags: Bags, seed: int) -> Bags:
    """Return bags of one standard normal vector each, as long as the features' vectors.

    A vector depends on the seed and the unit's id only, so a unit has the same one wherever it turns up.

    Args:
        bags: The bags; only their ids and dimension count.
        seed: Seed of the vectors.
    """
    return [Bag(bag.unit, _vector(bag, seed), None, np.zeros(1, dtype=np.int64)) for bag in bags]


def _vector(bag: Bag, seed: int) -> np.ndarray:
    unit = int(sha256_bytes(bag.unit.encode()), base=16)
    return np.random.default_rng([seed, unit]).standard_normal((1, bag.features.shape[-1]), dtype=np.float32)


@dataclass(frozen=True, kw_only=True)
class FittedRandomLogistic(FittedLogistic):
    """Logistic regression on the random vectors that ``seed`` makes."""

    seed: int

    def predict(self, bags: Bags) -> Prediction:
        """Predict from each bag's random vector."""
        return super().predict(random_bags(bags, self.seed))


@dataclass(frozen=True, kw_only=True)
class FittedRandomCox(FittedCox):
    """Cox regression on the random vectors that ``seed`` makes."""

    seed: int

    def predict(self, bags: Bags) -> Prediction:
        """Predict from each bag's random vector."""
        return super().predict(random_bags(bags, self.seed))


@pydantic.with_config(pydantic.ConfigDict(extra="forbid"))
@dataclass(frozen=True, kw_only=True)
class RandomFeatures:
    """Replaces every bag by one random vector and fits the linear head on those.

    Its AUC or c-index is 0.5 on average over seeds: how far single runs lie from that is how far chance reaches, and a
    mean that is elsewhere would show that evaluated labels reach the head. It does not show patients or sites that
    train and test share, since its vectors know neither; ``hiptbench lint`` does.

    Attributes:
        probe: Settings of the linear head.
    """

    kinds: ClassVar[frozenset[str]] = Probe.kinds
    stochastic: ClassVar[bool] = True
    reads_features: ClassVar[bool] = False

    probe: Probe = field(default_factory=Probe)

    def fit(
        self,
        bags: Bags,
        target: Target,
        *,
        val: tuple[Bags, Target] | None,
        seed: int,
        on_epoch: OnEpoch | None = None,
    ) -> FittedRandomLogistic | FittedRandomCox:
        """Draw the vectors and fit; see ``Head.fit``."""
        fitted = self.probe.fit(random_bags(bags, seed), target, val=None, seed=seed, on_epoch=on_epoch)
        if isinstance(fitted, FittedLogistic):
            return FittedRandomLogistic(**vars(fitted), seed=seed)
        return FittedRandomCox(**vars(fitted), seed=seed)
