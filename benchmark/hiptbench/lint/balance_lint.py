"""How evenly the test parts share out the classes or the events, and which institution is too large for even shares."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hiptbench.lint.findings import Finding, FoldFacts, Number, PartFacts
from hiptbench.lint.sites_lint import institution_of
from hiptbench.lint.subject import Slide, Subject


@dataclass(frozen=True)
class Balance:
    """Where the units of one class, or those with an event, lie.

    Attributes:
        name: The class, or "events".
        tested: Number of them in the test part of each fold.
        sites: Institution, or tissue source site where that is not known, with the number of them in the cohort; the
            largest first, none where no id tells its site.
    """

    name: str
    tested: tuple[int, ...]
    sites: tuple[tuple[str, int], ...]

    @property
    def even(self) -> float:
        """What each test part would hold if all held the same."""
        return sum(self.tested) / len(self.tested)

    @property
    def deviations(self) -> tuple[float, ...]:
        """How many more than that each test part holds."""
        return tuple(count - self.even for count in self.tested)

    @property
    def too_large(self) -> tuple[tuple[str, int], ...]:
        """The sites that hold more than one fold's even share of the cohort's, so that no folds of whole sites can."""
        whole = sum(count for _, count in self.sites)
        return tuple((site, count) for site, count in self.sites if count * len(self.tested) > whole)


def balances(subject: Subject, folds: Sequence[FoldFacts]) -> tuple[Balance, ...]:
    """Return how each class, or the events, lie over test parts and sites; nothing without labels."""
    parts = [fold.parts[subject.tested] for fold in folds if subject.tested in fold.parts]
    names = subject.classes if subject.kind == "classification" else ("events",) * (subject.kind == "survival")
    return tuple(Balance(name, tuple(_count(part, name) for part in parts), _sites(subject, name)) for name in names)


def balance_findings(subject: Subject, folds: Sequence[FoldFacts]) -> Iterator[Finding]:
    """Yield what makes the folds unequal.

    - ``uneven_test_parts`` (note): test parts differ by more than one unit in a class, or in their events; numbers are
      the least and the most, and what each would hold if all held the same.
    - ``institution_larger_than_a_fold`` (note): the folds keep sites whole, and one institution alone has more of a
      class, or of the events, than a test part's even share.
    """
    found = balances(subject, folds) if len(folds) > 1 else ()
    yield from _uneven([balance for balance in found if balance.tested])
    if found and _keeps_sites(subject, folds):
        for balance in found:
            yield from _too_large(balance, len(folds))


def _uneven(found: Sequence[Balance]) -> Iterator[Finding]:
    uneven = [balance for balance in found if max(balance.tested) - min(balance.tested) > 1]
    if uneven:
        told = ", ".join(f"{min(b.tested)} to {max(b.tested)} {b.name} (evenly {b.even:.1f})" for b in uneven)
        numbers: dict[str, Number] = {}
        for b in uneven:
            numbers |= {f"{b.name}_least": min(b.tested), f"{b.name}_most": max(b.tested), f"{b.name}_even": b.even}
        yield Finding("uneven_test_parts", "note", f"The test parts are not alike: they hold {told}.", numbers, ())


def _too_large(balance: Balance, folds: int) -> Iterator[Finding]:
    whole = sum(count for _, count in balance.sites)
    for site, count in balance.too_large:
        message = (
            f"{site} alone has {count} of {whole} {balance.name} ({count / whole:.1%}), more than 1/{folds}: no "
            f"folds of whole institutions share them evenly. The {balance.name} come from {len(balance.sites)} of them."
        )
        numbers = {"units": count, "of": whole, "institutions": len(balance.sites), "folds": folds}
        yield Finding("institution_larger_than_a_fold", "note", message, numbers, (site,))


def _keeps_sites(subject: Subject, folds: Sequence[FoldFacts]) -> bool:
    """Whether no site is in train and test of any fold."""
    shared = [fold.overlaps.get(f"train_{subject.tested}") for fold in folds]
    return all(overlap is not None and overlap.sites == () for overlap in shared)


def _count(part: PartFacts, name: str) -> int:
    return part.classes[name] if part.classes else part.events or 0


def _sites(subject: Subject, name: str) -> tuple[tuple[str, int], ...]:
    firsts = [slides[0] for slides in subject.by_unit.values() if _belongs(slides[0], name, subject)]
    counts = Counter(found for slide in firsts if (found := institution_of(slide)))
    return tuple(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _belongs(slide: Slide, name: str, subject: Subject) -> bool:
    return slide.label == name if subject.kind == "classification" else bool(slide.event)
