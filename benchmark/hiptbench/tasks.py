"""Task: units, their slides, what is to be predicted, and the splits, all frozen and hashed."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from hiptbench.errors import TaskError, name_some
from hiptbench.files import sha256_lines
from hiptbench.splits import Split
from hiptbench.targets import Labels, Survival, Target
from hiptbench.task_spec import Hashes, TaskSpec


@dataclass(frozen=True)
class SlideRow:
    """One row of a label table.

    Attributes:
        slide: Slide id, without a file suffix.
        case: Case (patient) id.
        label: Class name; classification only.
        time: Months; survival only.
        event: Whether the event was seen; survival only.
    """

    slide: str
    case: str
    label: str | None = None
    time: float | None = None
    event: bool | None = None

    @property
    def answer(self) -> tuple[str | None, float | None, bool | None]:
        """What all slides of one case must agree on."""
        return self.label, self.time, self.event


@dataclass(frozen=True, eq=False)
class Task:
    """A task with its data.

    Attributes:
        spec: What ``task.yaml`` says.
        units: Unit ids (slides or cases) in the order of the label table.
        cases: The case of each unit.
        slide_ids: The slides of each unit, in order.
        target: What is to be predicted, per unit.
        splits: One split per fold.
    """

    spec: TaskSpec
    units: tuple[str, ...]
    cases: tuple[str, ...]
    slide_ids: tuple[tuple[str, ...], ...]
    target: Target
    splits: tuple[Split, ...]

    @classmethod
    def load(cls, name: str, home: str | Path | None = None) -> "Task":
        """Load a task whose data were imported, created or simulated into the data home.

        Args:
            name: Name of the task.
            home: The data home; see ``hiptbench.rooms.home``.

        Raises:
            UnknownNameError: If no such task is registered.
            TaskError: If its data are not in the home, or are not what the registry says.
        """
        from hiptbench.task_store import load_task

        return load_task(name, home)

    @classmethod
    def build(cls, spec: TaskSpec, rows: Sequence[SlideRow], parts: Iterable[Split]) -> "Task":
        """Make a task from the rows of a label table and lists of unit ids.

        Args:
            spec: What the task is.
            rows: One row a slide, in the table's order.
            parts: The splits; ids in any order.

        Returns:
            The task, unchecked but for contradictions between rows; see ``hiptbench.task_checks``.

        Raises:
            TaskError: If a slide appears twice or slides of one case contradict each other.
        """
        _refuse_duplicates([row.slide for row in rows], spec.name)
        grouped: dict[str, list[SlideRow]] = {}
        for row in rows:
            grouped.setdefault(row.slide if spec.unit == "slide" else row.case, []).append(row)
        firsts = [_agreed(unit, group, spec.name) for unit, group in grouped.items()]
        slides = tuple(tuple(row.slide for row in group) for group in grouped.values())
        task = cls(spec, tuple(grouped), tuple(r.case for r in firsts), slides, _target(spec, firsts), ())
        return replace(task, splits=tuple(task._in_order(split) for split in parts))

    @property
    def name(self) -> str:
        """The task's name."""
        return self.spec.name

    @cached_property
    def _position(self) -> dict[str, int]:
        return {unit: i for i, unit in enumerate(self.units)}

    def slides(self, unit: str) -> tuple[str, ...]:
        """Return the ordered slides of a unit."""
        return self.slide_ids[self._position[unit]]

    def case(self, unit: str) -> str:
        """Return the case (patient) of a unit."""
        return self.cases[self._position[unit]]

    def targets(self, units: Sequence[str]) -> Target:
        """Return what is to be predicted for these units, in their order."""
        return self.target.take([self._position[unit] for unit in units])

    def split(self, fold: int) -> Split:
        """Return the split of a fold, by its number."""
        return next(split for split in self.splits if split.fold == fold)

    def evaluated(self, split: Split) -> tuple[str, ...]:
        """Return the units of a split that numbers are computed on."""
        return split.test if self.spec.evaluate_on == "test" else split.val

    @property
    def ever_evaluated(self) -> frozenset[str]:
        """Return the units that are evaluated in at least one fold."""
        return frozenset(unit for split in self.splits for unit in self.evaluated(split))

    @property
    def all_slides(self) -> tuple[str, ...]:
        """Every slide of the cohort."""
        return tuple(slide for slides in self.slide_ids for slide in slides)

    @cached_property
    def hashes(self) -> Hashes:
        """SHA-256 of cohort, labels and splits; each covers the order of the label table."""
        cohort = ["\t".join((u, c, *s)) for u, c, s in zip(self.units, self.cases, self.slide_ids, strict=True)]
        labels = [f"{unit}\t{row}" for unit, row in zip(self.units, self.target.rows(), strict=True)]
        splits = [
            f"{split.fold}\t{part}\t{unit}"
            for split in self.splits
            for part in ("train", "val", "test")
            for unit in getattr(split, part)
        ]
        return Hashes(cohort=sha256_lines(cohort), labels=sha256_lines(labels), splits=sha256_lines(splits))

    def _in_order(self, split: Split) -> Split:
        unknown = [u for u in (*split.train, *split.val, *split.test) if u not in self._position]
        if unknown:
            raise TaskError(
                f"Fold {split.fold} of {self.name} names {len(unknown)} {self.spec.unit}s that have no label: "
                f"{name_some(unknown)}. Add their labels or take them out of the split."
            )
        parts = (split.train, split.val, split.test)
        return Split(split.fold, *(tuple(sorted(part, key=self._position.__getitem__)) for part in parts))


def _refuse_duplicates(ids: Sequence[str], place: str) -> None:
    twice = [slide for slide, count in Counter(ids).items() if count > 1]
    if twice:
        raise TaskError(f"The labels of {place} list {len(twice)} slides twice: {name_some(twice)}. Keep one row each.")


def _agreed(unit: str, rows: list[SlideRow], place: str) -> SlideRow:
    first = rows[0]
    for row in rows[1:]:
        if row.answer != first.answer:
            raise TaskError(
                f"The slides of {unit} in {place} contradict each other: {first.slide} says {first.answer}, "
                f"{row.slide} says {row.answer}. Mend the label table."
            )
    return first


def _target(spec: TaskSpec, rows: Sequence[SlideRow]) -> Target:
    if spec.kind == "survival":
        time = np.array([row.time for row in rows], dtype=np.float64)
        return Survival(time, np.array([row.event for row in rows], dtype=bool))
    classes = spec.classes or ()
    unknown = sorted({str(row.label) for row in rows} - set(classes))
    if unknown:
        raise TaskError(f"{spec.name} has labels that are not among its classes {list(classes)}: {name_some(unknown)}.")
    return Labels(np.array([classes.index(str(row.label)) for row in rows], dtype=np.int64), classes)
