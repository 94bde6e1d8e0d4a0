"""Recipes: how a MIL model is trained. Two are offered, each with one variant for either kind of task.

Every value of a recipe stands in the provenance of each number that it made, so a change of a recipe here makes another
method, and leaves alone what other recipes made.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import pydantic

from hiptbench.errors import HeadError, UnknownNameError
from hiptbench.schema import problems_of
from hiptbench.task_spec import Kind

RecipeName = Literal["fast", "hipt-2022"]
Precision = Literal["auto", "float32", "bfloat16"]


@pydantic.with_config(pydantic.ConfigDict(extra="forbid"))
@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Every setting of one training with Adam.

    Attributes:
        epochs: Passes over the training units.
        bags_per_step: Bags in one forward and backward pass.
        steps_per_update: Passes whose gradients are added up before the weights move; what is left at the end of an
            epoch is carried into the next.
        loss_divisor: What the loss is divided by; under Adam it only makes weight decay relatively stronger.
        learning_rate: Step size of Adam at its highest.
        schedule: "constant", or "one cycle": linear warm-up over the first tenth of the updates, then cosine to zero.
        weight_decay: L2 penalty, added to the gradient.
        sampling: "weighted" draws with replacement, each stratum (class, or time bin x censoring) equally often;
            "shuffled" takes each unit once.
        bucketed: Whether the bags of a step have similar lengths, so that little is padded.
        most_instances: Of a longer bag a random subset of this size is seen in a step; None for the whole bag. Bags to
            predict are always whole.
        feature_noise: Standard deviation of the normal noise added to every feature in a step, in the features' unit.
        clip_norm: Longest gradient vector; None for no limit.
        precision: "float32"; "bfloat16" for matrix products in bfloat16 during training; "auto" for what the machine
            does faster.
        inner_val: Share of the training patients held out to choose the epoch by its loss; 0 takes the last epoch.
        time_bins: Discrete-time bins from the quartiles of the training part ("train"), or the task's "published" ones
            where it has some.
        time_edges: Edges of those published bins in months, filled in from the task; None for the training part's.
    """

    epochs: int = 20
    bags_per_step: int = 1
    steps_per_update: int = 1
    loss_divisor: float = 1.0
    learning_rate: float = 2e-4
    schedule: Literal["constant", "one cycle"] = "constant"
    weight_decay: float = 1e-5
    sampling: Literal["weighted", "shuffled"] = "weighted"
    bucketed: bool = False
    most_instances: int | None = None
    feature_noise: float = 0.0
    clip_norm: float | None = None
    precision: Precision = "float32"
    inner_val: float = 0.0
    time_bins: Literal["train", "published"] = "train"
    time_edges: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        for name, least in _LEAST.items():
            value = getattr(self, name)
            if value is not None and not value >= least:
                raise HeadError(f"A recipe needs {name} of at least {least}, not {value}.")
        for name in ("loss_divisor", "learning_rate"):
            if not getattr(self, name) > 0:
                raise HeadError(f"A recipe needs {name} above 0, not {getattr(self, name)}.")
        if not self.inner_val < 1:
            raise HeadError(f"A recipe's inner_val is a share in [0, 1), not {self.inner_val}.")
        self._check_edges()

    def _check_edges(self) -> None:
        if self.time_edges is None:
            return
        if self.time_bins == "train":
            raise HeadError("A recipe whose time_bins are those of the training part takes no time_edges.")
        if len(self.time_edges) < 3 or list(self.time_edges) != sorted(set(self.time_edges)):
            raise HeadError(f"A recipe's time_edges rise and are at least 3, not {list(self.time_edges)}.")


_LEAST: Mapping[str, float] = {
    "epochs": 1,
    "bags_per_step": 1,
    "steps_per_update": 1,
    "most_instances": 1,
    "weight_decay": 0,
    "feature_noise": 0,
    "clip_norm": 0,
    "inner_val": 0,
}

# The published protocol, from the authors' run records and code: mahmoodlab/HIPT @780fafa,
# 2-Weakly-Supervised-Subtyping/{main.py,utils/core_utils.py} and, for survival, mahmoodlab/MCAT @b9cca63. In
# subtyping the loss is divided by 32 but the weights move after every slide; in survival 32 patients are added up.
_HIPT_2022: Mapping[Kind, Recipe] = {
    "classification": Recipe(loss_divisor=32.0),
    "survival": Recipe(loss_divisor=32.0, steps_per_update=32, time_bins="published"),
}

_FAST: Mapping[Kind, Recipe] = {
    "classification": Recipe(
        bags_per_step=16,
        learning_rate=5e-4,
        schedule="one cycle",
        bucketed=True,
        most_instances=1024,
        clip_norm=1.0,
        precision="auto",
    ),
    # As many updates at the same rate as published: 32 patients each.
    "survival": Recipe(bags_per_step=32, bucketed=True, most_instances=1024, precision="auto"),
}

RECIPES: Mapping[RecipeName, Mapping[Kind, Recipe]] = {"fast": _FAST, "hipt-2022": _HIPT_2022}


def make_recipe(name: RecipeName, kind: Kind, overrides: Mapping[str, Any] | None = None) -> Recipe:
    """Return a recipe for a kind of task, with some of its settings replaced.

    Args:
        name: A name in ``RECIPES``.
        kind: The kind of task.
        overrides: Settings to values.

    Raises:
        UnknownNameError: If a recipe has no such setting.
        HeadError: If a value is refused.
    """
    settings = asdict(RECIPES[name][kind])
    for key in overrides or {}:
        if key not in settings:
            raise UnknownNameError("setting of a recipe", key, settings)
    try:
        return pydantic.TypeAdapter(Recipe).validate_python(settings | dict(overrides or {}))
    except pydantic.ValidationError as error:
        raise HeadError(f"The recipe '{name}' cannot be overridden so: {problems_of(error)}.") from error
