"""Slides without features, and slides whose features are those of another slide."""

from collections.abc import Iterator
from dataclasses import dataclass

from hiptbench.features import FeatureSet
from hiptbench.files import sha256_array
from hiptbench.lint.findings import Finding, Severity
from hiptbench.lint.subject import Subject


@dataclass(frozen=True)
class FeatureFacts:
    """How a feature set fits a cohort.

    Attributes:
        name: Name of the feature set.
        missing: Slides without features, sorted.
        alike: Groups of slides with the same features, value for value; sorted.
    """

    name: str
    missing: tuple[str, ...]
    alike: tuple[tuple[str, ...], ...]

    @property
    def duplicates(self) -> tuple[str, ...]:
        """Every slide that shares its features."""
        return tuple(slide for group in self.alike for slide in group)


def feature_facts(subject: Subject, features: FeatureSet) -> FeatureFacts:
    """Compare a cohort with a feature set; the features of every slide are read and hashed.

    Raises:
        FormatError: If a feature file cannot be read.
        FeatureError: If one is broken.
    """
    slides = sorted(slide.id for slide in subject.slides)
    groups: dict[str, list[str]] = {}
    for slide in slides:
        if slide in features:
            groups.setdefault(sha256_array("", features[slide]), []).append(slide)
    alike = sorted(tuple(group) for group in groups.values() if len(group) > 1)
    return FeatureFacts(features.card.name, tuple(sorted(features.missing(slides))), tuple(alike))


def feature_findings(subject: Subject, facts: FeatureFacts) -> Iterator[Finding]:
    """Yield what the features lack or have twice.

    - ``slide_without_features`` (warning): such a slide can be neither trained on nor tested.
    - ``duplicate_features`` (error if one of a group is trained on and another tested in the same fold, else warning):
      two ids have the same features, value for value, so that one is a copy or a mistake.
    """
    slides = len(subject.slides)
    if facts.missing:
        message = f"{len(facts.missing)} of {slides} slides have no features in '{facts.name}'."
        numbers = {"slides": len(facts.missing), "of": slides}
        yield Finding("slide_without_features", "warning", message, numbers, facts.missing)
    if facts.alike:
        leaking = sum(_leaks(subject, group) for group in facts.alike)
        message = (
            f"{len(facts.duplicates)} slides, in {len(facts.alike)} groups, have the same features as another slide; "
            f"{leaking} of the groups are trained on and tested in the same fold."
        )
        numbers = {"slides": len(facts.duplicates), "groups": len(facts.alike), "groups_in_train_and_test": leaking}
        severity: Severity = "error" if leaking else "warning"
        yield Finding("duplicate_features", severity, message, numbers, facts.duplicates)


def _leaks(subject: Subject, group: tuple[str, ...]) -> bool:
    """Whether a fold trains on one of these slides and tests another."""
    for split in subject.folds:
        trained = {slide.id for slide in subject.part(split, "train")}.intersection(group)
        tested = {slide.id for slide in subject.part(split, subject.tested)}.intersection(group)
        if trained and tested:
            return True
    return False
