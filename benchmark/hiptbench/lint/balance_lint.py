"""How evenly the test parts share out units, classes or events, and which institution is too large for even shares."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hiptbench.lint.findings import Finding, FoldFacts, Number, PartFacts
from hiptbench.lint.subject import Slide, Subject


@dataclass(frozen=True)
class Balance:
    """Where the units of one class, or those with an event, lie.

    Attributes:
        name: The class, or "events".
        tested: Number of them in the test part of each fold.
        institutions: Institution, or tissue source site where that is not known, with the number of them in the cohort;
            the largest first, none where no id tells its site.
    """

    name: str
    tested: tuple[int, ...]
    institutions: tuple[tuple[str, int], ...]

    @property
    def whole(self) -> int:
        """How many of them come from a known institution or site."""
        return sum(count for _, count in self.institutions)

    @property
    def too_large(self) -> tuple[tuple[str, int], ...]:
        """The institutions that hold more than one fold's even share, so that no folds of whole ones can be even."""
        return tuple((name, count) for name, count in self.institutions if count * len(self.tested) > self.whole)


def balances(subject: Subject, folds: Sequence[FoldFacts]) -> tuple[Balance, ...]:
    """Return how each class, or the events, lie over test parts and institutions; nothing without labels."""
    parts = _test_parts(subject, folds)
    names = subject.classes if subject.kind == "classification" else ("events",) * (subject.kind == "survival")
    return tuple(
        Balance(name, tuple(_count(part, name) for part in parts), _institutions(subject, name)) for name in names
    )


def sizes(subject: Subject, folds: Sequence[FoldFacts]) -> dict[str, tuple[int, ...]]:
    """Return how many units each test part has, and how many patients where these are not the units."""
    parts = _test_parts(subject, folds)
    counted = {f"{subject.unit}s": [part.units for part in parts]}
    if subject.unit == "slide":
        counted["patients"] = [part.patients for part in parts if part.patients is not None]
    return {name: tuple(counts) for name, counts in counted.items() if counts}


def balance_findings(subject: Subject, folds: Sequence[FoldFacts]) -> Iterator[Finding]:
    """Yield what makes the folds unequal.

    - ``uneven_test_parts`` (note): test parts differ by more than one in a class, in their events, units or patients;
      numbers are the least and the most, and what each would hold if all held the same.
    - ``institution_larger_than_a_fold`` (note): the folds keep institutions whole, and one or more alone have more of a
      class, or of the events, than a test part's even share.
    """
    found = balances(subject, folds) if len(folds) > 1 else ()
    if len(folds) > 1:
        yield from _uneven({balance.name: balance.tested for balance in found} | sizes(subject, folds))
    if found and _keeps_institutions(subject, folds):
        for balance in found:
            yield from _too_large(balance, len(folds))


def _uneven(tested: dict[str, tuple[int, ...]]) -> Iterator[Finding]:
    uneven = {name: counts for name, counts in tested.items() if counts and max(counts) - min(counts) > 1}
    numbers: dict[str, Number] = {}
    told = []
    for name, counts in uneven.items():
        even = sum(counts) / len(counts)
        told.append(f"{min(counts)} to {max(counts)} {name} (evenly {even:.1f})")
        numbers |= {f"{name}_least": min(counts), f"{name}_most": max(counts), f"{name}_even": even}
    if told:
        message = f"The test parts are not alike: they hold {', '.join(told)}."
        yield Finding("uneven_test_parts", "note", message, numbers, ())


def _too_large(balance: Balance, folds: int) -> Iterator[Finding]:
    if not balance.too_large:
        return
    told = " and ".join(f"{name} has {count} ({count / balance.whole:.1%})" for name, count in balance.too_large)
    message = (
        f"{told} of {balance.whole} {balance.name}, each more than 1/{folds}: folds that keep institutions whole "
        f"cannot share them evenly. The {balance.name} come from {len(balance.institutions)} institutions."
    )
    numbers = {
        "units": sum(count for _, count in balance.too_large),
        "largest": balance.too_large[0][1],
        "of": balance.whole,
        "institutions": len(balance.institutions),
        "folds": folds,
    }
    names = tuple(sorted(name for name, _ in balance.too_large))
    yield Finding("institution_larger_than_a_fold", "note", message, numbers, names)


def _keeps_institutions(subject: Subject, folds: Sequence[FoldFacts]) -> bool:
    """Whether no institution is in train and test of any fold."""
    shared = [fold.overlaps.get(f"train_{subject.tested}") for fold in folds]
    return all(overlap is not None and overlap.institutions == () for overlap in shared)


def _test_parts(subject: Subject, folds: Sequence[FoldFacts]) -> list[PartFacts]:
    return [fold.parts[subject.tested] for fold in folds if subject.tested in fold.parts]


def _count(part: PartFacts, name: str) -> int:
    return part.classes[name] if part.classes else part.events or 0


def _institutions(subject: Subject, name: str) -> tuple[tuple[str, int], ...]:
    firsts = [slides[0] for slides in subject.by_unit.values() if _belongs(slides[0], name, subject)]
    counts = Counter(found for slide in firsts if (found := slide.institution))
    return tuple(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _belongs(slide: Slide, name: str, subject: Subject) -> bool:
    return slide.label == name if subject.kind == "classification" else bool(slide.event)
