"""Cohort: a task together with the features of its slides, made rather than imported."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float16

from hiptbench.tasks import Task


@dataclass(frozen=True, eq=False)
class Cohort:
    """A task and the features that were made for it.

    Attributes:
        task: Units, labels and splits; not yet checked against the registry.
        features: Slide id to instance features [m, dim].
    """

    task: Task
    features: Mapping[str, Float16[np.ndarray, "_ dim"]]
