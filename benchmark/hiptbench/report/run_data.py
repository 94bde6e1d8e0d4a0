"""What the page is drawn from, of a run: its card, with curves and other measures; no ids or labels."""

import pydantic

from hiptbench.results import Protocol, Provenance, ResultKind
from hiptbench.schema import Strict


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
        why: Why it could not be evaluated, in the folds in which it could not.
        note: What it is restricted to, or what must be known to read it.
    """

    name: str
    definition: str
    value: float | None
    folds: int
    why: str | None = None
    note: str | None = None


class Curve(Strict):
    """A line with an optional band, or points with intervals.

    Attributes:
        label: What it is a line of: a class, a group of patients, or survival at one time.
        x: Abscissae, rising.
        y: Ordinates.
        low: Lower edge of the band, or lower ends of the intervals.
        high: Upper edge, or upper ends.
        band: What the band or the intervals are, in words.
        n: Units behind it.
        events: Events among them, of survival at one time those by then; survival only.
        at_risk: Months, and how many units were followed so long; survival only.
    """

    label: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    low: tuple[float, ...] | None = None
    high: tuple[float, ...] | None = None
    band: str | None = None
    n: int | None = None
    events: int | None = None
    at_risk: tuple[tuple[int, int], ...] = ()


class Groups(Strict):
    """Kaplan-Meier curves of patients grouped by predicted risk.

    Attributes:
        curves: One a group, over months.
        cut: How the groups were made, in words; None without curves.
        log_rank_p: Descriptive: the groups were made by predictions on overlapping training sets.
        why: Why there are no curves.
    """

    curves: tuple[Curve, ...] = ()
    cut: str | None = None
    log_rank_p: float | None = None
    why: str | None = None


class Attention(Strict):
    """Attention of a trained head over one evaluated bag.

    Attributes:
        name: Number of the bag within its fold; never an id.
        weights: One an instance.
        cells: Column and row of each instance in the grid of its slide, several slides side by side; None where
            features have no coordinates.
    """

    name: str
    weights: tuple[float, ...]
    cells: tuple[tuple[int, int], ...] | None = None


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
        printed: Name under which the paper prints a published row, where it does.
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
        of_repeat: Which seed and draw measures, curves and groups are of; None if there is one.
        measures: Other metrics.
        roc: One curve a class, vertical averages over folds.
        calibration: Reliability curve, or survival at one time: predicted in groups, and how many survived it.
        calibration_why: Why a survival run has none; None where it has one, or nothing is known of its units.
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
    printed: str | None = None
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
    of_repeat: str | None = None
    measures: tuple[MeasureReport, ...] = ()
    roc: tuple[Curve, ...] = ()
    calibration: Curve | None = None
    calibration_why: str | None = None
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
        """What was run: features and baseline."""
        return f"{self.features}/{self.baseline}"

    @property
    def name(self) -> str:
        """How people call what was run."""
        return self.printed or self.method
