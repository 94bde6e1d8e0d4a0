"""The schema of ``tasks/<name>/task.yaml``: what a task is, where its data come from, what it must amount to."""

from typing import Annotated, Literal

import pydantic

from hiptbench.schema import Strict

Kind = Literal["classification", "survival"]
Unit = Literal["slide", "case"]
Part = Literal["train", "val", "test"]

NAME_PATTERN = r"^[a-z0-9][a-z0-9_-]*$"


class Quirk(Strict):
    """A published choice that changes numbers, and where it is published.

    Attributes:
        rule: What is done.
        source: The file, paper or thread that shows it.
        note: What it means for a reader, where that is not plain.
    """

    rule: str
    source: str
    note: str | None = None


class SplitIdsOutsideLabels(Quirk):
    """What happens to ids of the split files that the label table lacks."""

    rule: Literal["drop", "refuse"]


class EmbeddedSlidesOnly(Quirk):
    """Restrict the cohort to the slides that a published listing names; a case needs at least one."""

    rule: Literal["listed slides only"]
    listing: str
    column: str


class NormalTissue(Quirk):
    """What happens to slides of normal tissue (TCGA sample types 10 to 19)."""

    rule: Literal["keep", "drop"]
    slides: int


class Codes(Quirk):
    """Which diagnosis codes make the cohort."""

    rule: Literal["keep all", "keep listed"]
    column: str
    listed: tuple[str, ...] = ()


class LabelMap(Quirk):
    """How codes of the label table become classes; other codes must be listed as ignored."""

    rule: Literal["map"] = "map"
    classes: dict[str, str]
    ignored: tuple[str, ...] = ()


class TimeBins(Quirk):
    """The published bins of discrete-time survival models; made from all cases, those evaluated included.

    Attributes:
        edges: Edges of the bins in months, rising.
    """

    rule: Literal["quartiles of the uncensored cases of the whole cohort"]
    edges: tuple[float, ...]


class Quirks(Strict):
    """The published choices of one task; ``split_ids_outside_labels`` where its splits are published, too."""

    split_ids_outside_labels: SplitIdsOutsideLabels | None = None
    embedded_slides_only: EmbeddedSlidesOnly
    label_map: LabelMap | None = None
    codes: Codes | None = None
    normal_tissue: NormalTissue | None = None
    time_bins: TimeBins | None = None


class CheckoutFile(Strict):
    """A file or folder inside a checkout."""

    checkout: Literal["hipt", "porpoise"]
    path: str


class MadeSplits(Strict):
    """Folds that hiptbench makes by a rule from the labels; see ``hiptbench.sources.partitions``.

    Each unit is tested once: fold ``k`` is the test part of split ``k``.

    Attributes:
        rule: "stratified partition of the patients": patients stay whole, and each class (or event and censored) is
            spread evenly. "partition of the institutions": all patients of an institution are in one fold, under
            whatever tissue-source-site code they came; every test part has every class (or an event), and the patients
            of each class (or with an event, and censored) are as even as institutions allow.
        val: Whether split ``k`` keeps the next fold (after the last, the first) as val, or has no val part. What is
            neither test nor val is train.
        seed: Orders what the rule leaves open.
        source: Why the folds are made so.
    """

    rule: Literal["stratified partition of the patients", "partition of the institutions"]
    val: Literal["the next fold", "none"]
    seed: int
    source: str


class LabelTable(CheckoutFile):
    """A label table and the names of its columns."""

    slide_column: str = "slide_id"
    case_column: str = "case_id"
    label_column: str | None = None
    time_column: str | None = None
    censored_column: str | None = None


class CheckoutData(Strict):
    """Labels come from checkouts of the public repositories; so do the splits, or they are made from the labels."""

    origin: Literal["checkout"]
    labels: LabelTable
    splits: CheckoutFile | MadeSplits
    quirks: Quirks

    @pydantic.model_validator(mode="after")
    def _published_splits_have_their_rule(self) -> "CheckoutData":
        if isinstance(self.splits, CheckoutFile) != (self.quirks.split_ids_outside_labels is not None):
            raise ValueError("published splits, and only they, need the quirk split_ids_outside_labels")
        return self


class SyntheticData(Strict):
    """A simulated cohort with the sizes of a real task; see ``hiptbench.sources.synthetic`` for the model.

    Attributes:
        modelled_on: The real task whose sizes, balance and fold scheme are copied.
        seed: Seed of the generator.
        dim: Length of a feature vector.
        regions_mean: Mean number of regions per slide.
        witness_rate: Fraction of a bag's regions that carry the signal.
        signal: Distance of the signal regions from the others, in standard deviations.
        slides_per_case: How many cases have 1, 2, ... slides.
        median_months: Median survival time at average hazard; survival only.
        log_hazard_sd: Standard deviation of the log hazard between cases; survival only.
    """

    origin: Literal["synthetic"]
    modelled_on: str
    seed: int
    dim: int
    regions_mean: float
    witness_rate: float
    signal: float
    slides_per_case: tuple[int, ...]
    median_months: float | None = None
    log_hazard_sd: float | None = None


class DigitsData(Strict):
    """Bags of scikit-learn's handwritten digits, positive iff one image shows ``witness``.

    Attributes:
        seed: Seed of folds and bags.
        witness: The digit that makes a bag positive.
        train_bags: Training bags in each fold.
        test_bags: Test bags in each fold.
        bag_mean: Mean number of images in a bag.
        bag_sd: Standard deviation of that number.
        bag_least: Least number of images in a bag.
    """

    origin: Literal["digits"]
    seed: int
    witness: int
    train_bags: int
    test_bags: int
    bag_mean: float
    bag_sd: float
    bag_least: int


class OwnData(Strict):
    """Labels and splits of the user's own, made by ``hiptbench task create``."""

    origin: Literal["own"]
    made_from: str


Data = Annotated[CheckoutData | SyntheticData | DigitsData | OwnData, pydantic.Field(discriminator="origin")]


class Folds(Strict):
    """The fold scheme.

    Attributes:
        count: Number of folds.
        scheme: Whether evaluated parts tile the cohort ("partition") or are drawn anew ("monte carlo"); "given" where
            only the lists are known.
        patient_disjoint: Whether no patient is in two parts of one fold.
        source: Where the lists come from.
    """

    count: int
    scheme: Literal["partition", "monte carlo", "given"]
    patient_disjoint: bool
    source: str


class Expected(Strict):
    """What the imported task must amount to; ``evaluated`` are the units evaluated in at least one fold."""

    units: int
    evaluated: int
    cases: int
    slides: int
    per_class: dict[str, int] | None = None
    events: int | None = None


class Hashes(Strict):
    """SHA-256 of the cohort (units, cases, slides), the labels and the splits; see ``hiptbench.tasks``.

    ``features`` is the content hash of simulated features over the cohort's slides; see ``FeatureSet.content_hash``.
    """

    cohort: str
    labels: str
    splits: str
    features: str | None = None


class Oracle(Strict):
    """The best that any method can expect on simulated data, and the command that measured it."""

    value: float
    standard_error: float
    bags: int
    definition: str
    command: str


class TaskSpec(Strict):
    """One task, as ``task.yaml`` states it."""

    name: str = pydantic.Field(pattern=NAME_PATTERN)
    title: str
    kind: Kind
    unit: Unit
    evaluate_on: Literal["test", "val"]
    classes: tuple[str, ...] | None = None
    endpoint: str | None = None
    features: str | None = None
    licence: str
    citation: str
    folds: Folds
    data: Data
    expected: Expected
    hashes: Hashes | None = None
    oracle: Oracle | None = None

    @pydantic.model_validator(mode="after")
    def _kind_has_its_fields(self) -> "TaskSpec":
        if self.kind == "classification" and len(self.classes or ()) < 2:
            raise ValueError("a classification task lists at least two classes")
        if self.kind == "survival" and not self.endpoint:
            raise ValueError("a survival task names its endpoint")
        return self

    @property
    def published_time_bins(self) -> TimeBins | None:
        """The published time bins of a survival task, where it has some."""
        return self.data.quirks.time_bins if isinstance(self.data, CheckoutData) else None

    @property
    def synthetic(self) -> bool:
        """Whether the data are simulated."""
        return self.data.origin == "synthetic"
