"""Subject: ids by fold and part, with what is known of them; unlike a task it may contradict itself."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from hiptbench.errors import TaskError, name_some
from hiptbench.lint.split_files import SplitFiles
from hiptbench.sources import barcodes
from hiptbench.sources.institutions import institution
from hiptbench.splits import Split
from hiptbench.targets import Labels
from hiptbench.task_spec import Kind, Part, Unit
from hiptbench.tasks import SlideRow, Task


@dataclass(frozen=True)
class Slide:
    """A slide, or a patient of whom only the id is listed.

    Attributes:
        id: Slide id, without a file suffix.
        unit: The unit it belongs to: itself or its case.
        patient: The patient as the barcode says, else as the label table says; None if neither does.
        label: Class name; classification only.
        time: Time to event or censoring; survival only.
        event: Whether the event was seen; survival only.
    """

    id: str
    unit: str
    patient: str | None
    label: str | None = None
    time: float | None = None
    event: bool | None = None

    @property
    def site(self) -> str | None:
        """The tissue source site, where the id is a TCGA barcode."""
        return barcodes.site(self.id)

    @property
    def institution(self) -> str | None:
        """The institution behind the site, or the site's code where the table of institutions lacks it."""
        return self.site and (institution(self.site) or self.site)

    @property
    def answer(self) -> tuple[str | None, float | None, bool | None]:
        """What is to be predicted."""
        return self.label, self.time, self.event


@dataclass(frozen=True)
class Subject:
    """What is linted.

    Attributes:
        name: The task, or the folder.
        kind: Kind of the task; None without labels.
        unit: What the folds list.
        tested: The part that numbers are computed on.
        slides: Every slide of the cohort, once.
        folds: The folds; an id may be listed twice.
        classes: Class names; classification only.
        unlabelled: Ids that the folds list and the label table lacks; they are left out of ``folds``.
        contradicted: Slides that the label table lists twice with different answers.
        slides_known: False where only the ids of patients are known, which then stand in for slides.
    """

    name: str
    kind: Kind | None
    unit: Unit
    tested: Literal["test", "val"]
    slides: tuple[Slide, ...]
    folds: tuple[Split, ...]
    classes: tuple[str, ...] = ()
    unlabelled: tuple[str, ...] = ()
    contradicted: tuple[str, ...] = ()
    slides_known: bool = True

    @cached_property
    def by_unit(self) -> dict[str, list[Slide]]:
        """Unit to its slides."""
        grouped: dict[str, list[Slide]] = {}
        for slide in self.slides:
            grouped.setdefault(slide.unit, []).append(slide)
        return grouped

    @property
    def patients_known(self) -> bool:
        """Whether ids or labels tell the patient of any slide."""
        return any(slide.patient for slide in self.slides)

    def slides_of(self, units: Iterable[str]) -> list[Slide]:
        """Return the slides of these units, each once."""
        return [slide for unit in dict.fromkeys(units) for slide in self.by_unit[unit]]

    def part(self, split: Split, part: Part) -> list[Slide]:
        """Return the slides of one part of a fold, each once."""
        units: tuple[str, ...] = getattr(split, part)
        return self.slides_of(units)

    def count(self, slides: Sequence[object]) -> int | None:
        """Return how many slides these are; None where only patients are known."""
        return len(slides) if self.slides_known else None


def subject_of_task(task: Task) -> Subject:
    """Return a task as something to lint."""
    slides = [
        _slide(SlideRow(slide, task.cases[i], *_answer(task, i)), task.spec.unit)
        for i, unit in enumerate(task.units)
        for slide in task.slides(unit)
    ]
    return Subject(
        task.name,
        task.spec.kind,
        task.spec.unit,
        task.spec.evaluate_on,
        tuple(slides),
        task.splits,
        task.spec.classes or (),
    )


def subject_of_ids(name: str, given: SplitFiles) -> Subject:
    """Return split files as something to lint, knowing no more than their ids."""
    ids = list(dict.fromkeys(given.ids))
    listed_cases = given.lists_cases or all(barcodes.patient(one) == one for one in ids)
    slides = [
        Slide(one, one, barcodes.patient(one) or given.cases.get(one) or (one if listed_cases else None)) for one in ids
    ]
    return Subject(
        name,
        None,
        "case" if listed_cases else "slide",
        given.tested,
        tuple(slides),
        given.folds,
        slides_known=not listed_cases,
    )


def subject_of_rows(name: str, given: SplitFiles, rows: Sequence[SlideRow], kind: Kind) -> Subject:
    """Return split files with a label table as something to lint.

    Args:
        name: What to call it.
        given: The split files; they list slides or cases, whichever of the table's ids more of theirs are.
        rows: The rows of the label table, a slide perhaps twice.
        kind: What the table's labels are.

    Raises:
        TaskError: If the table has none of the ids.
    """
    unit = _unit(name, given, rows)
    slides: dict[str, Slide] = {}
    for row in rows:
        slides.setdefault(row.slide, _slide(row, unit))
    known = {slide.unit for slide in slides.values()}
    return Subject(
        name,
        kind,
        unit,
        given.tested,
        tuple(slides.values()),
        tuple(_restricted(split, known) for split in given.folds),
        tuple(sorted({str(row.label) for row in rows})) if kind == "classification" else (),
        tuple(one for one in dict.fromkeys(given.ids) if one not in known),
        tuple(sorted({row.slide for row in rows if row.answer != slides[row.slide].answer})),
    )


def _slide(row: SlideRow, unit: Unit) -> Slide:
    patient = barcodes.patient(row.slide) or row.case
    return Slide(row.slide, row.slide if unit == "slide" else row.case, patient, *row.answer)


def _answer(task: Task, position: int) -> tuple[str | None, float | None, bool | None]:
    target = task.target
    if isinstance(target, Labels):
        return target.classes[target.values[position]], None, None
    return None, float(target.time[position]), bool(target.event[position])


def _unit(name: str, given: SplitFiles, rows: Sequence[SlideRow]) -> Unit:
    ids = set(given.ids)
    slides, cases = len(ids & {row.slide for row in rows}), len(ids & {row.case for row in rows})
    if not slides and not cases:
        raise TaskError(
            f"{name} lists {len(ids)} ids ({name_some(sorted(ids), most=2)}), none of which the label table has as a "
            f"slide or a case; its slides are {name_some([row.slide for row in rows], most=2)}. Check --slide-col and "
            "--case-col."
        )
    return "slide" if slides >= cases else "case"


def _restricted(split: Split, known: set[str]) -> Split:
    train, val, test = (tuple(one for one in part if one in known) for part in (split.train, split.val, split.test))
    return Split(split.fold, train, val, test)
