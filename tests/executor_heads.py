"""Heads and functions that do what an executor must cope with: they die, they send messages, they take time."""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hiptbench.heads.base import Bags
from hiptbench.heads.knn import KNN, FittedKNN
from hiptbench.messages import send
from hiptbench.targets import Target


@dataclass(frozen=True, kw_only=True)
class Mortal(KNN):
    """Kills its process, without a word, in the fold whose training part lacks a unit: so often, then it works.

    Each death leaves a file in the folder ``graves``.
    """

    lacking: str
    deaths: int
    graves: str

    def fit(self, bags: Bags, target: Target, **rest: Any) -> FittedKNN:
        dead = len(list(Path(self.graves).iterdir()))
        if self.lacking not in [bag.unit for bag in bags] and dead < self.deaths:
            (Path(self.graves) / str(dead)).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().fit(bags, target, **rest)


@dataclass(frozen=True, kw_only=True)
class Telling(KNN):
    """Sends two epochs."""

    def fit(self, bags: Bags, target: Target, **rest: Any) -> FittedKNN:
        send({"label": bags[0].unit, "epoch": 1, "loss": 0.5})
        send({"label": bags[0].unit, "epoch": 2, "loss": float("inf")})
        return super().fit(bags, target, **rest)


def mumble() -> str:
    """Send what cannot be sent to another process, and then what can."""
    send({"label": object()})  # type: ignore[dict-item]
    send({"label": "clear"})
    return "done"


def begin(folder: Path, seconds: float) -> None:
    """Note that a call has begun, and take time."""
    (folder / f"{os.getpid()}-{time.monotonic_ns()}").touch()
    time.sleep(seconds)


def alone(folder: Path) -> bool:
    """Return whether no other call runs in this process."""
    mark = folder / str(os.getpid())
    try:
        mark.touch(exist_ok=False)
    except FileExistsError:
        return False
    time.sleep(0.2)
    mark.unlink()
    return True
