"""Baseline: a head with its settings and recipe, as ``baselines/<name>.yaml`` states it."""

from pathlib import Path
from typing import Any

import pydantic

from hiptbench import rooms
from hiptbench.errors import UnknownNameError
from hiptbench.heads.base import Head
from hiptbench.registry import make_head, names_mil_model
from hiptbench.schema import Strict, read_yaml
from hiptbench.task_spec import Kind, TaskSpec


class Paper(Strict):
    """Where a method is published, and the number it is known by.

    Attributes:
        citation: The paper.
        where: Table, file or thread.
        note: How this baseline differs from it.
    """

    citation: str
    where: str
    note: str | None = None


class Baseline(Strict):
    """A method that is run and ranked under one name.

    Attributes:
        name: The name on leaderboards.
        title: One line for people.
        head: Name of the head, or "package.module:Object".
        settings: Values for the head's settings.
        kinds: The kinds of task that it is run on; None takes all that its head can.
        recipe: Why these settings; chosen before any result was seen.
        paper: Where the method is published.
    """

    name: str
    title: str
    head: str
    settings: dict[str, Any] = pydantic.Field(default_factory=dict)
    kinds: tuple[Kind, ...] | None = None
    recipe: str
    paper: Paper | None = None

    def make_head(self) -> Head:
        """Make the head with its settings."""
        return make_head(self.head, self.settings)

    def on_device(self, device: str | None) -> "Baseline":
        """Return the baseline trained on a device; one whose head knows no devices stays as it is."""
        if device is None or not hasattr(self.make_head(), "device"):
            return self
        return self.model_copy(update={"settings": self.settings | {"device": device}})

    def skip(self, spec: TaskSpec) -> str | None:
        """Return why this baseline cannot be run on a task, or None if it can."""
        kinds = self.kinds or self.make_head().kinds
        if spec.kind in kinds:
            return None
        return f"{self.name} predicts {' and '.join(sorted(kinds))}, {spec.name} is a {spec.kind} task"


def baseline_names() -> tuple[str, ...]:
    """Return the names of the registry's baselines."""
    return tuple(sorted(path.stem for path in rooms.BASELINES.glob("*.yaml")))


def load_baseline(name: str) -> Baseline:
    """Load a baseline by name, from a YAML file of one's own, or from a head alone.

    Args:
        name: A registered name, a path ending in ``.yaml``, or "package.module:Object" for a head, or for a MIL model
            that the head "mil" trains, with its defaults.

    Raises:
        UnknownNameError: If there is no such baseline.
        SchemaError: If its file breaks the schema.
    """
    if name.endswith((".yaml", ".yml")):
        return read_yaml(Path(name), Baseline)
    if ":" in name:
        head, settings = ("mil", {"model": name}) if names_mil_model(name) else (name, {})
        title = name.rpartition(":")[2]
        return Baseline(name=title, title=name, head=head, settings=settings, recipe="its own defaults")
    if name not in baseline_names():
        raise UnknownNameError("baseline", name, baseline_names())
    return read_yaml(rooms.BASELINES / f"{name}.yaml", Baseline)
