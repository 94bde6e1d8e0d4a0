"""What the page is drawn from, of a task and its suite."""

from typing import Literal

import pydantic

from hiptbench.schema import Strict
from hiptbench.task_spec import Kind, Unit

Severity = Literal["error", "warning", "note"]


class FindingReport(Strict):
    """One finding of the linter: what a reader should know, with the numbers behind it."""

    code: str
    severity: Severity
    message: str
    numbers: dict[str, int | float | None]


class TaskReport(Strict):
    """A task of a suite.

    Attributes:
        suite: Name of the suite.
        name: Name of the task.
        title: One line for people.
        kind: Classification or survival.
        unit: Slide or case.
        classes: Class names.
        endpoint: What is timed.
        licence: Licence of its data.
        citation: Where it comes from.
        folds: Number of folds.
        scheme: Fold scheme.
        evaluate_on: The part that numbers are computed on.
        units: Number of units.
        cases: Number of patients.
        slides: Number of slides.
        counts: Units per class, or events and censored.
        metric: The ranked metric.
        metric_definition: Its definition.
        lint: Findings on its splits and labels, the gravest first; None where its data are not at hand.
        lint_facts: Numbers of the whole, such as ``test_slides_patient_in_train``.
    """

    suite: str
    name: str
    title: str
    kind: Kind
    unit: Unit
    classes: tuple[str, ...] = ()
    endpoint: str | None = None
    licence: str
    citation: str
    folds: int
    scheme: str
    evaluate_on: str
    units: int
    cases: int
    slides: int
    counts: dict[str, int]
    metric: str
    metric_definition: str
    lint: tuple[FindingReport, ...] | None = None
    lint_facts: dict[str, int | float | str | None] = pydantic.Field(default_factory=dict)


class SuiteReport(Strict):
    """A suite."""

    name: str
    title: str
    citation: str
    cohort: str
    tasks: tuple[str, ...]
    synthetic: bool = False
