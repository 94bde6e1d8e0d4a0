"""What lint reports: facts of each fold, facts of the whole, and findings with their severity."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Literal

from hiptbench.task_spec import Kind, Unit

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")
Scheme = Literal["one split", "partition", "disjoint", "monte carlo"]
Number = int | float | None


@dataclass(frozen=True)
class Finding:
    """One thing that a reader of the numbers should know.

    Attributes:
        code: Short name of the rule, for machines.
        severity: "error": a number computed on these splits is wrong or undefined; "warning": it can mislead;
            "note": it must be known to read it.
        message: What was found, in one sentence.
        numbers: The numbers behind it; None where the ids do not tell.
        names: Every slide, patient, site or unit that is concerned, sorted.
    """

    code: str
    severity: Severity
    message: str
    numbers: Mapping[str, Number]
    names: tuple[str, ...]


@dataclass(frozen=True)
class PartFacts:
    """What one part of a fold holds.

    Attributes:
        units: Number of units.
        slides: Number of their slides; None where only patients are listed.
        patients: Number of patients; None where the ids do not tell them.
        sites: Number of tissue source sites; None where the ids do not tell them.
        institutions: Number of institutions behind them; a site counts by its code where the table of institutions
            lacks that, and None stands where it has none of them.
        classes: Class to number of units; None without class labels.
        events: Number of units with an event; None without survival times.
    """

    units: int
    slides: int | None
    patients: int | None
    sites: int | None
    institutions: int | None
    classes: Mapping[str, int] | None
    events: int | None


@dataclass(frozen=True)
class Overlap:
    """What two parts of a fold share, by name; None where the ids do not tell."""

    slides: tuple[str, ...]
    patients: tuple[str, ...] | None
    sites: tuple[str, ...] | None
    institutions: tuple[str, ...] | None

    def to_json(self) -> dict[str, object]:
        """Return counts and names as plain values."""
        shared = asdict(self)
        counts = {name: None if ids is None else len(ids) for name, ids in shared.items()}
        return counts | {f"{name.removesuffix('s')}_names": ids for name, ids in shared.items()}


@dataclass(frozen=True)
class FoldFacts:
    """What lint counts in one fold; "test" is the part that numbers are computed on, whatever the files call it.

    Attributes:
        fold: Its number.
        parts: Part to what it holds; parts without units are left out.
        overlaps: "train_val" and so on to what the two parts share.
        test_slides: Number of slides that are tested; None where only patients are listed.
        test_slides_patient_in_train: Number of those whose patient is trained on.
    """

    fold: int
    parts: Mapping[str, PartFacts]
    overlaps: Mapping[str, Overlap]
    test_slides: int | None
    test_slides_patient_in_train: int | None

    def to_json(self) -> dict[str, object]:
        """Return plain values that JSON can hold."""
        return asdict(self) | {"overlaps": {pair: shared.to_json() for pair, shared in self.overlaps.items()}}


@dataclass(frozen=True)
class OverallFacts:
    """What lint counts over all folds and in the cohort; None where ids, labels or features do not tell.

    Attributes:
        scheme: "partition": every unit is tested once; "disjoint": none twice, some never; "monte carlo": some
            repeatedly; "one split": there is one fold.
        units: Number of units; without labels, of those that the split files list.
        slides: Number of slides.
        patients: Number of patients.
        sites: Number of tissue source sites.
        institutions: Number of institutions behind them.
        classes: Class to number of units.
        events: Number of units with an event.
        test_slides: Number of tested slides, summed over the folds.
        test_slides_patient_in_train: Number of those whose patient is trained on in the same fold.
        slides_ever_tested: Number of slides that are tested in at least one fold.
        slides_tested_repeatedly: Number of slides that are tested in several folds.
        normal_tissue_slides: Number of slides whose barcode says normal tissue.
        sites_shared_between_classes: Number of sites with slides of several classes.
        slides_at_sites_of_one_class: Number of slides whose site has one class only.
        ids_without_label: Number of listed ids that the label table lacks.
        slides_without_features: Number of slides without features.
        slides_with_duplicate_features: Number of slides whose features are those of another slide, too.
    """

    scheme: Scheme
    units: int
    slides: int | None
    patients: int | None
    sites: int | None
    institutions: int | None
    classes: Mapping[str, int] | None
    events: int | None
    test_slides: int | None
    test_slides_patient_in_train: int | None
    slides_ever_tested: int | None
    slides_tested_repeatedly: int | None
    normal_tissue_slides: int | None
    sites_shared_between_classes: int | None
    slides_at_sites_of_one_class: int | None
    ids_without_label: int | None
    slides_without_features: int | None
    slides_with_duplicate_features: int | None


@dataclass(frozen=True)
class LintReport:
    """Everything that lint has to say of a task or a folder of splits.

    Attributes:
        name: The task, or the folder.
        kind: Kind of the task; None without labels.
        unit: What the splits list.
        tested_part: The part that numbers are computed on.
        overall: Facts of the whole.
        folds: Facts of each fold.
        findings: Findings, the gravest first.
    """

    name: str
    kind: Kind | None
    unit: Unit
    tested_part: Literal["test", "val"]
    overall: OverallFacts
    folds: tuple[FoldFacts, ...]
    findings: tuple[Finding, ...]

    @property
    def has_errors(self) -> bool:
        """Whether a finding is an error."""
        return any(finding.severity == "error" for finding in self.findings)

    def to_json(self) -> dict[str, object]:
        """Return plain values that JSON can hold; the facts of the whole stand at the top."""
        head = {"name": self.name, "kind": self.kind, "unit": self.unit, "tested_part": self.tested_part}
        folds = [fold.to_json() for fold in self.folds]
        findings = [asdict(finding) for finding in self.findings]
        return head | asdict(self.overall) | {"folds": folds, "findings": findings}
