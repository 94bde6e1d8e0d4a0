"""Folds made by a rule from a task's labels: each unit is tested once, and everybody makes the same folds.

Nothing is drawn at random: names are put in order by SHA-256, and only integers are compared.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hiptbench.errors import TaskError, name_some
from hiptbench.files import sha256_lines
from hiptbench.sources import barcodes
from hiptbench.sources.institution_partitions import Counts, lacking, part_institutions
from hiptbench.sources.institutions import TABLE, institution
from hiptbench.splits import Split
from hiptbench.targets import Labels
from hiptbench.task_spec import MadeSplits
from hiptbench.tasks import Task


@dataclass(frozen=True)
class Strata:
    """What folds are balanced by.

    Attributes:
        names: The classes; or "event" and "censored", in this order.
        of: The stratum of each unit of the task.
        required: How many strata, the first ones, each test part needs for a metric to be defined.
    """

    names: tuple[str, ...]
    of: tuple[int, ...]
    required: int


def make_splits(task: Task, made: MadeSplits) -> list[Split]:
    """Make a task's folds by the rule that its entry states; fold ``k`` is tested in split ``k``.

    Args:
        task: A task without splits; its entry says how many folds there are.
        made: The rule, what is val, and the seed.

    Returns:
        One split a fold: what is neither test nor val is train.

    Raises:
        TaskError: If a unit's id does not tell its institution, or too few institutions have a class or an event.
    """
    whole_institutions = made.rule == "partition of the institutions"
    fold_of = _by_institution(task, made.seed) if whole_institutions else _by_patient(task, made.seed)
    folds = task.spec.folds.count
    return [
        _split(task, fold_of, fold, (fold + 1) % folds if made.val == "the next fold" else None)
        for fold in range(folds)
    ]


def strata_of(task: Task) -> Strata:
    """Return what a task's folds are balanced by: its classes, or events and then the censored."""
    if isinstance(task.target, Labels):
        return Strata(task.target.classes, tuple(map(int, task.target.values)), len(task.target.classes))
    return Strata(("event", "censored"), tuple(int(not seen) for seen in task.target.event), 1)


def deal_patients(slides: Mapping[str, Sequence[int]], *, folds: int, seed: int) -> dict[str, int]:
    """Deal patients out to folds, one stratum after the other, so that each is spread evenly.

    Those with most slides are dealt first. Each goes to the fold whose patients of the stratum have fewest slides
    beyond one each, then to the one with fewest slides of all; a fold that has its share of the stratum is left out.

    Args:
        slides: Patient to the number of its slides in each stratum; its own is that of most of them.
        folds: Number of folds.
        seed: Orders patients with equally many slides.

    Returns:
        Patient to its fold, from 0. A stratum's patients differ by one at most between folds.
    """
    fold_of: dict[str, int] = {}
    all_slides = [0] * folds
    order = sorted(slides, key=lambda name: (-sum(slides[name]), sha256_lines([f"{seed}\t{name}"])))
    for members in _by_stratum(order, slides):
        patients, more = [0] * folds, [0] * folds
        share, left_over = divmod(len(members), folds)
        for name in members:
            has_room = [fold for fold in range(folds) if patients[fold] < share + (left_over > 0)]
            fold = min(has_room, key=lambda k: (more[k], all_slides[k]))
            fold_of[name] = fold
            patients[fold] += 1
            left_over -= patients[fold] > share
            more[fold] += sum(slides[name]) - 1
            all_slides[fold] += sum(slides[name])
    return fold_of


def _by_stratum(order: Sequence[str], slides: Mapping[str, Sequence[int]]) -> list[list[str]]:
    """Return the patients of each stratum, each list in the given order."""
    of = {name: _own_stratum(slides[name]) for name in order}
    return [[name for name in order if of[name] == stratum] for stratum in sorted(set(of.values()))]


def _own_stratum(slides: Sequence[int]) -> int:
    """Return the stratum of most of a patient's slides, the first of equals."""
    return max(range(len(slides)), key=slides.__getitem__)


def _by_patient(task: Task, seed: int) -> dict[str, int]:
    """Return the fold of each unit; patients stay whole."""
    fold_of = deal_patients(_slides_of_patients(task), folds=task.spec.folds.count, seed=seed)
    return {unit: fold_of[case] for unit, case in zip(task.units, task.cases, strict=True)}


def _by_institution(task: Task, seed: int) -> dict[str, int]:
    """Return the fold of each unit; institutions stay whole, and each of their patients counts once."""
    institution_of = _institutions(task)
    strata, folds = strata_of(task), task.spec.folds.count
    patients = _patients_of_institutions(task, institution_of)
    for stratum, name in enumerate(strata.names[: strata.required]):
        found = sum(bool(counts[stratum]) for counts in patients.values())
        if found < folds:
            raise TaskError(
                f"{task.name} cannot have {folds} folds of whole institutions: '{name}' comes from {found} of them, "
                "and each test part needs one. Use fewer folds."
            )
    fold_of = part_institutions(patients, folds=folds, required=strata.required, seed=seed)
    empty = lacking(patients, fold_of, folds=folds, required=strata.required)
    if empty:
        places = name_some([f"fold {fold} has no '{strata.names[stratum]}'" for fold, stratum in empty])
        raise TaskError(f"No way was found to part the institutions of {task.name}: {places}. Use fewer folds.")
    return {unit: fold_of[institution_of[case]] for unit, case in zip(task.units, task.cases, strict=True)}


def _institutions(task: Task) -> dict[str, str]:
    """Return the institution of each case."""
    found = [institution(barcodes.site(unit) or "") for unit in task.units]
    unknown = [unit for unit, name in zip(task.units, found, strict=True) if name is None]
    if unknown:
        raise TaskError(
            f"{len(unknown)} {task.spec.unit}s of {task.name} do not tell their institution: {name_some(unknown)}. "
            f"They are no TCGA barcodes, or {TABLE} lacks their site's code: add it, or make folds of patients."
        )
    return {case: name for case, name in zip(task.cases, found, strict=True) if name is not None}


def _slides_of_patients(task: Task) -> dict[str, Counts]:
    """Return how many slides each patient has in each stratum."""
    strata = strata_of(task)
    held: Counter[tuple[str, int]] = Counter()
    for case, stratum, slides in zip(task.cases, strata.of, task.slide_ids, strict=True):
        held[case, stratum] += len(slides)
    return {case: tuple(held[case, s] for s in range(len(strata.names))) for case in dict.fromkeys(task.cases)}


def _patients_of_institutions(task: Task, institution_of: Mapping[str, str]) -> dict[str, Counts]:
    """Return how many patients each institution has in each stratum."""
    slides = _slides_of_patients(task)
    held = Counter((institution_of[case], _own_stratum(counts)) for case, counts in slides.items())
    strata = range(len(strata_of(task).names))
    return {name: tuple(held[name, s] for s in strata) for name in dict.fromkeys(institution_of.values())}


def _split(task: Task, fold_of: Mapping[str, int], test: int, val: int | None) -> Split:
    def units(*wanted: int | None) -> tuple[str, ...]:
        return tuple(unit for unit in task.units if fold_of[unit] in wanted)

    train = (fold for fold in range(task.spec.folds.count) if fold not in (test, val))
    return Split(test, units(*train), units(val), units(test))
