"""A task restricted to the slides that have features; only for runs that were told to allow it."""

from dataclasses import replace

from hiptbench.features import FeatureSet
from hiptbench.splits import Split
from hiptbench.task_checks import check_folds
from hiptbench.tasks import Task


def restrict(task: Task, features: FeatureSet) -> Task:
    """Return the task with exactly those slides that have features; itself if none is missing.

    Units without any slide left disappear from cohort and splits, so the cohort's hash, and with it the Protocol,
    differs from the full task's.

    Raises:
        TaskError: If a fold can no longer be evaluated.
    """
    missing = set(features.missing(task.all_slides))
    if not missing:
        return task
    slides = {unit: tuple(s for s in task.slides(unit) if s not in missing) for unit in task.units}
    units = tuple(unit for unit in task.units if slides[unit])
    restricted = replace(
        task,
        units=units,
        cases=tuple(task.case(unit) for unit in units),
        slide_ids=tuple(slides[unit] for unit in units),
        target=task.targets(units),
        splits=tuple(_restrict_split(split, frozenset(units)) for split in task.splits),
    )
    check_folds(restricted)
    return restricted


def _restrict_split(split: Split, units: frozenset[str]) -> Split:
    train, val, test = (tuple(u for u in part if u in units) for part in (split.train, split.val, split.test))
    return Split(split.fold, train, val, test)
