"""What the parts of a fold share, and how often each unit is tested.

``Subject.tested`` is the part that numbers are computed on; in codes, keys and messages it is called the test part.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from hiptbench.lint.findings import Finding, FoldFacts, Number, Overlap, PartFacts, Scheme
from hiptbench.lint.split_files import PARTS
from hiptbench.lint.subject import Slide, Subject
from hiptbench.splits import Split
from hiptbench.task_spec import Part

PAIRS: tuple[tuple[Part, Part], ...] = (("train", "val"), ("train", "test"), ("val", "test"))


def fold_facts(subject: Subject, split: Split) -> FoldFacts:
    """Return what one fold holds and what its parts share."""
    parts = {part: subject.part(split, part) for part in PARTS}
    filled = {part: part_facts(subject, slides) for part, slides in parts.items() if slides}
    shared = {f"{a}_{b}": _overlap(parts[a], parts[b]) for a, b in PAIRS if a in filled and b in filled}
    tested = parts[subject.tested]
    leaked = subject.count(leaked_slides(subject, split)) if subject.patients_known else None
    return FoldFacts(split.fold, filled, shared, subject.count(tested), leaked)


def part_facts(subject: Subject, slides: Sequence[Slide]) -> PartFacts:
    """Return what these slides amount to."""
    firsts = list({slide.unit: slide for slide in reversed(slides)}.values())
    labels = Counter(slide.label for slide in firsts)
    survival = subject.kind == "survival"
    return PartFacts(
        units=len(firsts),
        slides=subject.count(slides),
        patients=_number(_patients(slides)),
        sites=_number(_sites(slides)),
        institutions=_number(_institutions(slides)),
        classes={name: labels[name] for name in subject.classes} if subject.classes else None,
        events=sum(bool(slide.event) for slide in firsts) if survival else None,
    )


def leaked_slides(subject: Subject, split: Split) -> list[Slide]:
    """Return the tested slides of a fold whose patient it trains on."""
    trained = _patients(subject.part(split, "train"))
    return [slide for slide in subject.part(split, subject.tested) if slide.patient in (trained or ())]


def times_tested(subject: Subject) -> Counter[str]:
    """Return in how many folds each unit is tested."""
    return Counter(unit for split in subject.folds for unit in set(getattr(split, subject.tested)))


def scheme(subject: Subject) -> Scheme:
    """Return how the test parts relate: one split, a partition of the listed units, disjoint, or drawn anew."""
    tested = times_tested(subject)
    listed = {unit for split in subject.folds for part in PARTS for unit in getattr(split, part)}
    if len(subject.folds) == 1:
        return "one split"
    if max(tested.values(), default=0) > 1:
        return "monte carlo"
    return "partition" if tested.keys() == listed else "disjoint"


def split_findings(subject: Subject, folds: Sequence[FoldFacts]) -> Iterator[Finding]:
    """Yield what is wrong with the splits themselves.

    - ``slide_in_two_parts`` (error between train and test, else warning): a slide is in two parts of a fold.
    - ``patient_in_train_and_test`` (error): the patient of a tested slide is trained on in the same fold.
    - ``patient_in_val`` (warning): a patient is in val and in another part; models are selected on whom they know.
    - ``site_in_train_and_test`` (note): tissue source sites are in both; usual, but no test of unseen sites alone.
    - ``unknown_patients`` (note): neither ids nor labels tell the patients, so that nothing can be said of them.
    - ``listed_twice`` (warning): an id is twice in one part and counts double there.
    - ``never_tested``, ``tested_repeatedly``, ``in_no_fold`` (notes): units of the cohort that are tested in no fold,
      in several, or are in no part of any fold.
    """
    yield from _shared_slides(subject, folds)
    yield from _shared_patients(subject, folds)
    yield from _shared_sites(subject, folds)
    yield from _listed_twice(subject)
    yield from _tested(subject)


def _shared_slides(subject: Subject, folds: Sequence[FoldFacts]) -> Iterator[Finding]:
    for a, b in PAIRS:
        names, draws, concerned = _names(folds, f"{a}_{b}", "slides")
        if names:
            yield Finding(
                "slide_in_two_parts",
                "error" if (a, b) == ("train", subject.tested) else "warning",
                f"{len(names)} {_word(subject)} are in {a} and {b} of the same fold, in {concerned} of {len(folds)}.",
                {"slides": len(names), "fold_slides": draws, "folds": concerned},
                names,
            )


def _shared_patients(subject: Subject, folds: Sequence[FoldFacts]) -> Iterator[Finding]:
    if not subject.patients_known:
        message = "The ids do not tell the patients, so that nothing can be said of them. Give labels with cases."
        yield Finding("unknown_patients", "note", message, {"slides": len(subject.slides)}, ())
        return
    for a, b in PAIRS:
        names, draws, concerned = _names(folds, f"{a}_{b}", "patients")
        if not names:
            continue
        numbers: dict[str, Number] = {"patients": len(names), "fold_patients": draws, "folds": concerned}
        told = f"{len(names)} patients are in {a} and {b} of the same fold, in {concerned} of {len(folds)}"
        if (a, b) == ("train", subject.tested):
            leaks = _leaks(folds)
            yield Finding("patient_in_train_and_test", "error", told + _share(leaks), numbers | leaks, names)
        else:
            yield Finding("patient_in_val", "warning", f"{told}.", numbers, names)


def _leaks(folds: Sequence[FoldFacts]) -> dict[str, Number]:
    return {
        "test_slides": total([fold.test_slides for fold in folds]),
        "test_slides_patient_in_train": total([fold.test_slides_patient_in_train for fold in folds]),
    }


def _share(leaks: dict[str, Number]) -> str:
    tested, leaked = leaks["test_slides"], leaks["test_slides_patient_in_train"]
    if not tested or not leaked:
        return "."
    return f": {leaked} of {tested} tested slides ({leaked / tested:.1%}) are of a patient trained on."


def _shared_sites(subject: Subject, folds: Sequence[FoldFacts]) -> Iterator[Finding]:
    names, draws, concerned = _names(folds, f"train_{subject.tested}", "sites")
    if names:
        yield Finding(
            "site_in_train_and_test",
            "note",
            f"{len(names)} tissue source sites are in train and {subject.tested} of the same fold, in {concerned} of "
            f"{len(folds)}: these folds do not test unseen sites alone.",
            {"sites": len(names), "fold_sites": draws, "folds": concerned},
            names,
        )


def _listed_twice(subject: Subject) -> Iterator[Finding]:
    counts = [Counter(getattr(split, part)) for split in subject.folds for part in PARTS]
    names = _sorted(unit for count in counts for unit, times in count.items() if times > 1)
    if names:
        message = f"{len(names)} {subject.unit}s are listed twice in one part and count double there."
        yield Finding("listed_twice", "warning", message, {"units": len(names)}, names)


def _tested(subject: Subject) -> Iterator[Finding]:
    tested, cohort = times_tested(subject), subject.by_unit
    listed = {unit for split in subject.folds for part in PARTS for unit in getattr(split, part)}
    again = _sorted(unit for unit, times in tested.items() if times > 1)
    absent, never = _sorted(cohort.keys() - listed), _sorted(listed - tested.keys())
    of = f"of {len(cohort)} {subject.unit}s"
    told = {
        "never_tested": (never, f"{len(never)} {of} are listed but tested in no fold."),
        "tested_repeatedly": (
            again,
            f"{len(again)} {of} are tested in several folds, up to {max(tested.values(), default=0)}: the folds' "
            "numbers are not of different patients.",
        ),
        "in_no_fold": (absent, f"{len(absent)} {of} are in no part of any fold."),
    }
    for code, (names, message) in told.items():
        if names:
            yield Finding(code, "note", message, {"units": len(names), "of": len(cohort)}, names)


def total(numbers: Sequence[int | None]) -> int | None:
    """Return the sum; None if a number is not known."""
    known = [number for number in numbers if number is not None]
    return sum(known) if len(known) == len(numbers) else None


def _names(folds: Sequence[FoldFacts], pair: str, what: str) -> tuple[tuple[str, ...], int, int]:
    """Return what a pair of parts shares in any fold: its names, how often in all, and in how many folds."""
    shared = [getattr(fold.overlaps[pair], what) or () for fold in folds if pair in fold.overlaps]
    return _sorted(name for names in shared for name in names), sum(map(len, shared)), sum(map(bool, shared))


def _overlap(some: Sequence[Slide], others: Sequence[Slide]) -> Overlap:
    slides = _sorted({slide.id for slide in some} & {slide.id for slide in others})
    return Overlap(slides, *(_both(what(some), what(others)) for what in (_patients, _sites, _institutions)))


def _both(some: set[str] | None, others: set[str] | None) -> tuple[str, ...] | None:
    return None if some is None or others is None else _sorted(some & others)


def _patients(slides: Sequence[Slide]) -> set[str] | None:
    return {slide.patient for slide in slides if slide.patient} or None


def _sites(slides: Sequence[Slide]) -> set[str] | None:
    return {site for slide in slides if (site := slide.site)} or None


def _institutions(slides: Sequence[Slide]) -> set[str] | None:
    found = {(slide.site, name) for slide in slides if (name := slide.institution)}
    told = any(name != site for site, name in found)
    return {name for _, name in found} if told else None


def _number(names: set[str] | None) -> int | None:
    return None if names is None else len(names)


def _word(subject: Subject) -> str:
    return "slides" if subject.slides_known else "patients"


def _sorted(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(names)))
