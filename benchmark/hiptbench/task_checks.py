"""Checks of a task against itself and against the registry; a task that passes can be run."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from hiptbench.errors import TaskError, name_some
from hiptbench.metrics import comparable_pairs
from hiptbench.splits import Split
from hiptbench.targets import Labels, Survival
from hiptbench.task_spec import Expected, TaskSpec
from hiptbench.tasks import Task


def check_task(task: Task) -> None:
    """Check what every task must fulfil, then the counts and hashes that its registry entry states.

    Raises:
        TaskError: Naming the task, the fold and the units.
    """
    _check_values(task)
    check_folds(task)
    _check_counts(task)
    _check_hashes(task)


def check_folds(task: Task) -> None:
    """Check that the parts of every fold are disjoint, and that a metric is defined on those fitted and evaluated.

    Raises:
        TaskError: Naming the fold and what is wrong with it.
    """
    for split in task.splits:
        _check_parts(task, split)
        _check_evaluable(task, split)


def shared_cases(task: Task, split: Split) -> list[str]:
    """Return the cases that have units in two parts of a split, sorted."""
    train, val, test = ({task.case(unit) for unit in part} for part in (split.train, split.val, split.test))
    return sorted((train & val) | (train & test) | (val & test))


def remedy(spec: TaskSpec) -> str:
    """Return the sentence that says how to get a task's data, or get them again."""
    match spec.data.origin:
        case "checkout":
            return "Run `hiptbench data import --hipt DIR --porpoise DIR`, or `hiptbench data fetch` first."
        case "own":
            return "Create it again with `hiptbench task create`."
        case _:
            return f"Run `hiptbench data make --task {spec.name}`."


def measured(task: Task) -> Expected:
    """Return the counts of a task, in the form its registry entry states them."""
    counts = {
        "units": len(task.units),
        "evaluated": len(task.ever_evaluated),
        "cases": len(set(task.cases)),
        "slides": len(task.all_slides),
    }
    if isinstance(task.target, Survival):
        return Expected(**counts, events=int(task.target.event.sum()))
    per_class = np.bincount(task.target.values, minlength=len(task.target.classes))
    return Expected(**counts, per_class=dict(zip(task.target.classes, map(int, per_class), strict=True)))


def _check_values(task: Task) -> None:
    if not isinstance(task.target, Survival):
        return
    bad = [u for u, t in zip(task.units, task.target.time, strict=True) if not (np.isfinite(t) and t >= 0)]
    if bad:
        raise TaskError(f"{task.name} has {len(bad)} times that are missing or negative: {name_some(bad)}.")


def _check_parts(task: Task, split: Split) -> None:
    counts = Counter([*split.train, *split.val, *split.test])
    repeated = [unit for unit, count in counts.items() if count > 1]
    if repeated:
        raise TaskError(
            f"Fold {split.fold} of {task.name} has {len(repeated)} units in two of its parts, or twice in one: "
            f"{name_some(repeated)}. A unit belongs in one part, once."
        )
    if not split.train or not task.evaluated(split):
        raise TaskError(f"Fold {split.fold} of {task.name} has an empty train or {task.spec.evaluate_on} part.")
    if task.spec.folds.patient_disjoint:
        shared = shared_cases(task, split)
        if shared:
            raise TaskError(
                f"Fold {split.fold} of {task.name} is said to be patient-disjoint, but {len(shared)} patients are in "
                f"two parts: {name_some(shared)}."
            )


def _check_evaluable(task: Task, split: Split) -> None:
    for part, units in (("train", split.train), (task.spec.evaluate_on, task.evaluated(split))):
        problem = _unusable(task, units)
        if problem:
            raise TaskError(
                f"The {part} part of fold {split.fold} of {task.name} {problem}: no metric is defined there. "
                "Use fewer folds or other splits."
            )


def _unusable(task: Task, units: Sequence[str]) -> str | None:
    target = task.targets(units)
    if isinstance(target, Labels):
        absent = [c for i, c in enumerate(target.classes) if not (target.values == i).any()]
        return f"has no unit of class {name_some(absent)}" if absent else None
    return None if comparable_pairs(target.time, target.event) else "has no comparable pair of survival times"


def _check_counts(task: Task) -> None:
    got = measured(task)
    if got != task.spec.expected:
        raise TaskError(
            f"{task.name} is registered with {task.spec.expected.model_dump(exclude_none=True)} but its data have "
            f"{got.model_dump(exclude_none=True)}: these are other data. {remedy(task.spec)}"
        )
    if len(task.splits) != task.spec.folds.count:
        raise TaskError(
            f"{task.name} is registered with {task.spec.folds.count} folds, its data have {len(task.splits)}. "
            f"{remedy(task.spec)}"
        )


def _check_hashes(task: Task) -> None:
    if task.spec.hashes is None:
        return
    for name in ("cohort", "labels", "splits"):
        expected, got = getattr(task.spec.hashes, name), getattr(task.hashes, name)
        if expected != got:
            raise TaskError(
                f"The {name} of {task.name} hash to {got[:12]}, its task.yaml says {expected[:12]}: these are other "
                f"data. {remedy(task.spec)}"
            )
