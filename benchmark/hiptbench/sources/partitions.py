"""Folds made by a rule from a task's labels: each unit is tested once, and everybody makes the same folds.

Nothing is drawn at random: names are put in order by SHA-256, and only integers are compared.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hiptbench.errors import TaskError, name_some
from hiptbench.files import sha256_lines
from hiptbench.sources import barcodes
from hiptbench.sources.institutions import TABLE, institution
from hiptbench.sources.site_partitions import Counts, lacking, part_sites
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
    of = {name: max(range(len(slides[name])), key=slides[name].__getitem__) for name in order}
    return [[name for name in order if of[name] == stratum] for stratum in sorted(set(of.values()))]


def _by_patient(task: Task, seed: int) -> dict[str, int]:
    """Return the fold of each unit; patients stay whole."""
    weights = [len(slides) for slides in task.slide_ids]
    slides = _tally(task.cases, strata_of(task), weights)
    fold_of = deal_patients(slides, folds=task.spec.folds.count, seed=seed)
    return {unit: fold_of[case] for unit, case in zip(task.units, task.cases, strict=True)}


def _by_institution(task: Task, seed: int) -> dict[str, int]:
    """Return the fold of each unit; institutions stay whole."""
    institutions = _institutions(task)
    strata, folds = strata_of(task), task.spec.folds.count
    units = _tally(institutions, strata, [1] * len(institutions))
    for stratum, name in enumerate(strata.names[: strata.required]):
        found = sum(bool(counts[stratum]) for counts in units.values())
        if found < folds:
            raise TaskError(
                f"{task.name} cannot have {folds} folds of whole institutions: '{name}' comes from {found} of them, "
                "and each test part needs one. Use fewer folds."
            )
    fold_of = part_sites(units, folds=folds, required=strata.required, seed=seed)
    empty = lacking(units, fold_of, folds=folds, required=strata.required)
    if empty:
        places = name_some([f"fold {fold} has no '{strata.names[stratum]}'" for fold, stratum in empty])
        raise TaskError(f"No way was found to part the institutions of {task.name}: {places}. Use fewer folds.")
    return {unit: fold_of[name] for unit, name in zip(task.units, institutions, strict=True)}


def _institutions(task: Task) -> list[str]:
    found = [institution(barcodes.site(unit) or "") for unit in task.units]
    unknown = [unit for unit, name in zip(task.units, found, strict=True) if name is None]
    if unknown:
        raise TaskError(
            f"{len(unknown)} {task.spec.unit}s of {task.name} do not tell their institution: {name_some(unknown)}. "
            f"They are no TCGA barcodes, or {TABLE} lacks their site's code: add it, or make folds of patients."
        )
    return [name for name in found if name is not None]


def _tally(groups: Sequence[str], strata: Strata, weights: Sequence[int]) -> dict[str, Counts]:
    """Return what each group holds of each stratum."""
    held: Counter[tuple[str, int]] = Counter()
    for group, stratum, weight in zip(groups, strata.of, weights, strict=True):
        held[group, stratum] += weight
    return {group: tuple(held[group, s] for s in range(len(strata.names))) for group in dict.fromkeys(groups)}


def _split(task: Task, fold_of: Mapping[str, int], test: int, val: int | None) -> Split:
    def units(*wanted: int | None) -> tuple[str, ...]:
        return tuple(unit for unit in task.units if fold_of[unit] in wanted)

    train = (fold for fold in range(task.spec.folds.count) if fold not in (test, val))
    return Split(test, units(*train), units(val), units(test))
