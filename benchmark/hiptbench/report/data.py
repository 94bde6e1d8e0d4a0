"""What the page is drawn from: derived numbers without ids or labels; ``stored`` keeps them beside an export's rows."""

from typing import Literal

import pydantic

from hiptbench.results import Protocol, Provenance, ResultKind
from hiptbench.schema import Strict
from hiptbench.task_spec import Kind, Unit

Severity = Literal["error", "warning", "note"]


class Bounds(Strict):
    """An interval: its ends, the draws behind it and those that were drawn again because a fold was undefined."""

    low: float
    high: float
    draws: int
    redrawn: int


class MeasureReport(Strict):
    """A metric beside the ranked one, as a mean over folds.

    Attributes:
        name: Its name.
        definition: One sentence.
        value: Mean over the folds in which it could be evaluated; None if it could in none.
        folds: Number of those folds.
        why: What could not be evaluated, or was restricted, and why.
    """

    name: str
    definition: str
    value: float | None
    folds: int
    why: str | None = None


class Curve(Strict):
    """A line with an optional band.

    Attributes:
        label: What it is a line of: a class, or a group of patients.
        x: Abscissae, rising.
        y: Ordinates.
        low: Lower edge of the band.
        high: Upper edge of the band.
        band: What the band is, in words.
        n: Units behind it.
        events: Events among them; survival only.
    """

    label: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    low: tuple[float, ...] | None = None
    high: tuple[float, ...] | None = None
    band: str | None = None
    n: int | None = None
    events: int | None = None


class Groups(Strict):
    """Kaplan-Meier curves of patients grouped by predicted risk.

    Attributes:
        curves: One a group, over months.
        cut: How the groups were made, in words.
        log_rank_p: Descriptive: the groups were made by predictions on overlapping training sets.
        why: Why there are no curves.
    """

    curves: tuple[Curve, ...] = ()
    cut: str
    log_rank_p: float | None = None
    why: str | None = None


class Attention(Strict):
    """Attention of a trained head over one evaluated bag.

    Attributes:
        name: Number of the bag within its fold; never an id.
        weights: One an instance.
        coords: Position (x, y) of each instance in level-0 pixels, where features have some.
    """

    name: str
    weights: tuple[float, ...]
    coords: tuple[tuple[int, int], ...] | None = None


class FoldValue(Strict):
    """The ranked metric in one fold, a mean over seeds and draws."""

    fold: int
    value: float
    n: int | None
    events: int | None


class RunReport(Strict):
    """One cell of the leaderboard and the card behind it.

    Attributes:
        card: Short name of the card, unique in a report; usable in a link.
        kind: Measured, published or synthetic.
        suite: Name of the suite.
        task: Name of the task.
        features: Name of the features.
        baseline: Name of the method.
        fraction: Fraction of the training part.
        metric: The ranked metric.
        mean: Mean over folds, then over draws and seeds.
        sd_folds: Standard deviation (ddof 1) over folds.
        sd_seeds: Standard deviation (ddof 1) over seeds.
        n_seeds: Seeds.
        n_draws: Draws of the training subset.
        n_units: Distinct units evaluated in any fold.
        n_evaluations: Units evaluated, summed over folds.
        n_events: Events among them.
        folds: Value of each fold.
        interval: Interval for new patients of the tested part.
        interval_why: Why there is none.
        contamination: What is known of the encoder having seen the cohort.
        reproduced: Verdict where the method claims to reproduce a published value.
        errata: Marks of the errata that touch a published number.
        measures: Other metrics.
        roc: One curve a class, vertical averages over folds.
        calibration: Reliability curve.
        groups: Survival by predicted risk.
        attention: Some evaluated bags, where attention was kept.
        training: Names of what was measured in each epoch, each a list of means over the folds.
        protocol: What must be equal to compare; its short name.
        protocol_id: Short name of the Protocol with the metric; cells with equal ones may be compared.
        metric_definition: Definition of the ranked metric when the value was computed.
        provenance: What may differ.
        dates: First and last date on which its folds ran.
        seconds: Time of all its folds.
        remake: Commands that make and check the number again.
    """

    card: str
    kind: ResultKind
    suite: str
    task: str
    features: str
    baseline: str
    fraction: float
    metric: str
    mean: float
    sd_folds: float | None
    sd_seeds: float | None
    n_seeds: int
    n_draws: int
    n_units: int
    n_evaluations: int | None
    n_events: int | None
    folds: tuple[FoldValue, ...]
    interval: Bounds | None = None
    interval_why: str | None = None
    contamination: str | None = None
    reproduced: str | None = None
    errata: str | None = None
    measures: tuple[MeasureReport, ...] = ()
    roc: tuple[Curve, ...] = ()
    calibration: Curve | None = None
    groups: Groups | None = None
    attention: tuple[Attention, ...] = ()
    training: dict[str, tuple[float, ...]] = pydantic.Field(default_factory=dict)
    protocol: Protocol
    protocol_id: str
    metric_definition: str
    provenance: Provenance
    dates: tuple[str, str] | None = None
    seconds: float | None = None
    remake: tuple[str, ...] = ()

    @property
    def method(self) -> str:
        """How people call what was run."""
        return f"{self.features}/{self.baseline}"


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


class Comparison(Strict):
    """A method held against the reference on one task.

    Attributes:
        task: Name of the task.
        method: The method.
        card: Card of the method's number.
        reference_card: Card of the reference's number.
        difference: Method less reference.
        interval: Paired bootstrap interval of the difference for new patients.
        interval_why: Why there is none.
        p: Raw p of the corrected t over folds.
        p_adjusted: After Holm within the family.
        test: Name of the test, with what is heuristic about it.
        verdict: What may be said of it, in a word or two.
        sensitivity: What another choice within the test would have given, in words.
    """

    task: str
    method: str
    card: str
    reference_card: str
    difference: float
    interval: Bounds | None
    interval_why: str | None = None
    p: float | None
    p_adjusted: float | None
    test: str
    verdict: str
    sensitivity: str | None = None


class Rank(Strict):
    """A method across the tasks of a family, over methods complete on all of them."""

    method: str
    mean_rank: float
    low: float | None
    high: float | None
    mean_difference: float | None
    wins: int | None
    ties: int | None
    losses: int | None


class Family(Strict):
    """Comparisons that are adjusted together: results of one kind in one suite, one fraction, one kind of task.

    Attributes:
        suite: Name of the suite.
        fraction: Training fraction.
        kind: Kind of the tasks.
        results: Kind of the results.
        reference: The one method that others are held against.
        chosen: How the reference was chosen; said where it was after the fact.
        tasks: The tasks.
        comparisons: Every method but the reference on every task.
        ranks: Methods that are complete on the tasks, best first.
        caption: N, shared cohorts, smallest attainable p and what else must be said.
        friedman_p: Descriptive; None where too few tasks or methods.
        critical_difference: Of mean ranks, Nemenyi at .05.
    """

    suite: str
    fraction: float
    kind: Kind
    results: ResultKind = "measured"
    reference: str
    chosen: str
    tasks: tuple[str, ...]
    comparisons: tuple[Comparison, ...]
    ranks: tuple[Rank, ...]
    caption: str
    friedman_p: float | None = None
    critical_difference: float | None = None


class SuiteReport(Strict):
    """A suite."""

    name: str
    title: str
    citation: str
    cohort: str
    tasks: tuple[str, ...]
    synthetic: bool = False


Column = Literal["recomputed", "ours", "corrected"]


class TableCell(Strict):
    """One cell of a table of the paper; each value is mean and standard deviation.

    ``cards`` names the cards of the values that have one.
    """

    task: str
    method: str
    fraction: float
    printed: tuple[float, float | None] | None
    status: str
    sampled: tuple[float, float | None] | None = None
    recomputed: tuple[float, float | None] | None
    ours: tuple[float, float | None] | None
    corrected: tuple[float, float | None] | None = None
    marks: tuple[str, ...] = ()
    cards: dict[Column, str] = pydantic.Field(default_factory=dict)


class ErratumReport(Strict):
    """An erratum: its mark and its sentence."""

    id: str
    sentence: str


class TableReport(Strict):
    """A table of the paper: as published, recomputed from the authors' folds, ours, and ours on corrected splits."""

    name: str
    title: str
    metric: str
    cells: tuple[TableCell, ...]
    errata: tuple[ErratumReport, ...]
    sources: tuple[str, ...]


class ReportData(Strict):
    """Everything that the page shows.

    Attributes:
        version: Version of hiptbench that derived it.
        estimand: What an interval is about, in words.
        suites: Suites, in order.
        tasks: Their tasks, in order.
        runs: Cells of the leaderboard.
        families: Comparisons.
        tables: The paper's tables.
        notes: What the leaderboard left out.
    """

    version: str
    estimand: str
    suites: tuple[SuiteReport, ...]
    tasks: tuple[TaskReport, ...]
    runs: tuple[RunReport, ...]
    families: tuple[Family, ...] = ()
    tables: tuple[TableReport, ...] = ()
    notes: tuple[str, ...] = ()
