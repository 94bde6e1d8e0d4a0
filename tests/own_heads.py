"""Heads as a user would bring them, named "own_heads:Name": for the runner's tests."""

import os
import time
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np

from hiptbench.errors import HeadError
from hiptbench.heads.base import Bags
from hiptbench.heads.cox import Cox
from hiptbench.heads.knn import KNN, FittedKNN
from hiptbench.targets import Target

SEEN: list[dict[str, Any]] = []
"""What the recording heads were given, in order."""


def record(bags: Bags, target: Target, val: tuple[Bags, Target] | None) -> None:
    units = None if val is None else [bag.unit for bag in val[0]]
    SEEN.append({"train": [bag.unit for bag in bags], "target": target, "val": units})


@dataclass(frozen=True, kw_only=True)
class RecordingKNN(KNN):
    def fit(self, bags: Bags, target: Target, **rest: Any) -> FittedKNN:
        record(bags, target, rest["val"])
        return super().fit(bags, target, **rest)


@dataclass(frozen=True, kw_only=True)
class RecordingCox(Cox):
    def fit(self, bags: Bags, target: Target, **rest: Any) -> Any:
        record(bags, target, rest["val"])
        return super().fit(bags, target, **rest)


@dataclass(frozen=True, kw_only=True)
class Slow(KNN):
    """Takes its time where SLOW_SECONDS says so, so that a test can interfere."""

    def fit(self, bags: Bags, target: Target, **rest: Any) -> FittedKNN:
        time.sleep(float(os.environ.get("SLOW_SECONDS", "0")))
        return super().fit(bags, target, **rest)


@dataclass(frozen=True, kw_only=True)
class Troubled(KNN):
    """Works, but for the fold whose training part lacks a unit: there it ends as ``how`` says."""

    lacking: str
    how: str

    def fit(self, bags: Bags, target: Target, **rest: Any) -> FittedKNN:
        if self.lacking not in [bag.unit for bag in bags]:
            match self.how:
                case "mendable":
                    raise HeadError("this head does not like this fold")
                case "bug":
                    raise ZeroDivisionError("a bug in somebody's head")
                case "death":
                    os._exit(3)
        return super().fit(bags, target, **rest)


@dataclass(frozen=True, kw_only=True)
class Sampled(KNN):
    """Keeps a random half of the training bags: a stochastic head."""

    stochastic: ClassVar[bool] = True

    def fit(self, bags: Bags, target: Target, **rest: Any) -> FittedKNN:
        kept = np.random.default_rng(rest["seed"]).permutation(len(bags))[: len(bags) // 2].tolist()
        return super().fit([bags[i] for i in kept], target.take(kept), **rest)


@dataclass(frozen=True, kw_only=True)
class Chatty(KNN):
    """Says all sorts of things about its training, and has a setting that nobody can give."""

    aggregate: str = "mean"
    derived: int = field(default=4, init=False)

    def fit(self, bags: Bags, target: Target, **rest: Any) -> FittedKNN:
        said: Any = ({"loss": 1.0, "val_loss": float("nan"), "phase": "warm-up", "best": None},)
        return replace(super().fit(bags, target, **rest), history=said)


class NoDataclass:
    kinds: ClassVar[frozenset[str]] = frozenset({"classification"})
    stochastic: ClassVar[bool] = False

    def fit(self, bags: Bags, target: Target, **rest: Any) -> Any: ...


@dataclass(frozen=True, kw_only=True)
class NoHead:
    """A dataclass, but no head."""

    n: int = 1
