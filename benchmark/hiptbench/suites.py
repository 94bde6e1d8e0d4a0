"""Suite: tasks that are run and ranked together, with the fractions and metrics that its numbers stand on."""

from typing import Annotated

import pydantic

from hiptbench import rooms
from hiptbench.errors import UnknownNameError
from hiptbench.fractions import BY_PATIENTS, FractionRule
from hiptbench.schema import Strict, read_yaml
from hiptbench.task_spec import Kind, TaskSpec


class Fractions(Strict):
    """The training fractions of a suite.

    Attributes:
        values: The fractions to run, each in (0, 1].
        kinds: The kinds of task that they hold for; other tasks run at 1 only.
        rule: How a fraction is drawn; none if only 1 is run.
    """

    values: tuple[Annotated[float, pydantic.Field(gt=0, le=1)], ...]
    kinds: tuple[Kind, ...]
    rule: FractionRule | None = None

    @pydantic.model_validator(mode="after")
    def _smaller_ones_have_a_rule(self) -> "Fractions":
        if self.rule is None and min(self.values, default=1) < 1:
            raise ValueError("fractions below 1 need a rule to draw them by")
        return self


class Suite(Strict):
    """A named list of tasks, as ``tasks/suites/<name>.yaml`` states it.

    Attributes:
        name: Name of the suite.
        title: One line for people.
        citation: Where it is published.
        cohort: What freezes the cohort, in words; the hashes of the tasks enforce it.
        tasks: Names of the tasks, in the order of the paper's columns.
        fractions: Training fractions.
        metrics: The metric that each kind of task is ranked by.
        features: The features that its published numbers stand on.
        synthetic: Whether its data are simulated.
    """

    name: str
    title: str
    citation: str
    cohort: str
    tasks: tuple[str, ...]
    fractions: Fractions
    metrics: dict[Kind, str]
    features: str | None = None
    synthetic: bool = False

    def fractions_of(self, spec: TaskSpec) -> tuple[float, ...]:
        """Return the fractions that a task is run at."""
        return self.fractions.values if spec.kind in self.fractions.kinds else (1.0,)


def published_draw(suite: str, fraction_rule: str | None) -> bool:
    """Whether a training part is whole or was drawn by its suite's own rule; any rule is, of a suite of one's own."""
    if fraction_rule is None or suite not in suite_names():
        return True
    rule = load_suite(suite).fractions.rule
    return rule is not None and rule.stated == fraction_rule


def suite_names() -> tuple[str, ...]:
    """Return the names of the registry's suites."""
    return tuple(sorted(path.stem for path in rooms.SUITES.glob("*.yaml")))


def load_suite(name: str) -> Suite:
    """Load a suite from the registry.

    Raises:
        UnknownNameError: If there is none of that name.
        SchemaError: If its file breaks the schema.
    """
    if name not in suite_names():
        raise UnknownNameError("suite", name, suite_names())
    return read_yaml(rooms.SUITES / f"{name}.yaml", Suite)


def suite_of(task: str) -> Suite:
    """Return the first suite that lists a task, or a suite of that task alone, named after it."""
    for name in suite_names():
        suite = load_suite(name)
        if task in suite.tasks:
            return suite
    return Suite(
        name=f"own:{task}",
        title=f"The task {task} alone",
        citation="none",
        cohort="as its labels say",
        tasks=(task,),
        fractions=Fractions(values=(1.0,), kinds=("classification", "survival"), rule=BY_PATIENTS),
        metrics={"classification": "auc", "survival": "c_index"},
    )
