"""Make a task of one's own from a label table, with given splits or patient-grouped, stratified folds."""

import re
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from hiptbench.errors import TaskError
from hiptbench.formats import slide_id
from hiptbench.formats.splits import read_splits
from hiptbench.sources.label_tables import flag, number, read_labels
from hiptbench.splits import Split
from hiptbench.targets import Labels
from hiptbench.task_checks import measured, shared_cases
from hiptbench.task_spec import NAME_PATTERN, Expected, Folds, Kind, OwnData, TaskSpec, Unit
from hiptbench.task_store import registered, save_task
from hiptbench.tasks import SlideRow, Task

MONTHS_PER = {"days": 1 / 30.4375, "months": 1.0, "years": 12.0}


@dataclass(frozen=True, kw_only=True)
class Columns:
    """Columns of a label table.

    Attributes:
        slide: Slide ids, with or without a file suffix.
        case: Case (patient) ids; may be the column of slides where every patient has one.
        label: Class names; classification only.
        time: Times; survival only.
        event: 1 where the event was seen, 0 where the time is censored; survival only.
        time_unit: "days", "months" or "years".
    """

    slide: str
    case: str
    label: str | None = None
    time: str | None = None
    event: str | None = None
    time_unit: str = "months"

    @property
    def kind(self) -> Kind:
        """The kind of task that the columns describe.

        Raises:
            TaskError: If they describe neither or both.
        """
        if self.label and not (self.time or self.event):
            return "classification"
        if self.time and self.event and not self.label:
            return "survival"
        raise TaskError("Give --label-col for classification, or --time-col and --event-col for survival.")

    @property
    def months(self) -> float:
        """How many months the time unit has.

        Raises:
            TaskError: If it is not a unit of time.
        """
        if self.time_unit not in MONTHS_PER:
            raise TaskError(f"A time unit is one of {', '.join(MONTHS_PER)}, not '{self.time_unit}'.")
        return MONTHS_PER[self.time_unit]


def create_task(
    name: str,
    labels: str | Path,
    columns: Columns,
    *,
    splits: str | Path | None = None,
    folds: int = 5,
    seed: int = 1,
    unit: Unit | None = None,
    home: str | Path | None = None,
) -> Task:
    """Make a task and write it into the data home; an earlier one of that name is replaced.

    Args:
        name: Its name; lower-case letters, digits, - and _.
        labels: CSV or TSV, one row a slide.
        columns: The table's columns.
        splits: A folder of CLAM's ``splits_<i>.csv``, which list units; otherwise folds are made. Without a test
            part, val is what is evaluated.
        folds: Number of folds to make: patient-grouped, stratified by class or event; each unit is tested once.
        seed: Seed of the folds.
        unit: "slide" or "case"; cases for survival and slides for classification by default.
        home: The data home.

    Returns:
        The task, checked and saved.

    Raises:
        FormatError: If the table or a split file cannot be read.
        TaskError: If the name cannot be used, labels and splits contradict each other, or a fold could not be
            evaluated; an earlier task of that name stays as it was.
        StoreError: If the home cannot be written.
    """
    _check_name(name)
    labels, splits = Path(labels), Path(splits) if splits else None
    rows = label_rows(labels, columns)
    spec = _spec(name, labels, columns, rows, unit or ("case" if columns.kind == "survival" else "slide"))
    parts = _given(splits) if splits else make_folds(Task.build(spec, rows, []), folds=folds, seed=seed)
    source = f"{splits}" if splits else f"made: {folds} folds, patient-grouped, stratified, seed {seed}"
    task = _completed(Task.build(spec, rows, parts), source, made=splits is None)
    save_task(task, home)
    return task


def make_folds(task: Task, *, folds: int, seed: int) -> list[Split]:
    """Return patient-grouped folds, stratified by class or event; every unit is in one test part.

    Args:
        task: A task without splits.
        folds: Number of folds.
        seed: Seed of the shuffle.

    Raises:
        TaskError: If a class (or the patients with, or without, an event) has fewer patients than there are folds.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    strata = task.target.values if isinstance(task.target, Labels) else task.target.event.astype(np.int64)
    rarest = min(len({task.cases[i] for i in np.flatnonzero(strata == value)}) for value in np.unique(strata))
    if not 2 <= folds <= rarest:
        raise TaskError(
            f"{task.name} cannot have {folds} folds: there are at least 2, and each needs a patient of every class "
            f"(or with and without an event), of which the rarest has {rarest}. Give other --folds, or more patients."
        )
    splitter = StratifiedGroupKFold(n_splits=folds, shuffle=True, random_state=seed)
    units = np.array(task.units, dtype=object)
    return [
        Split(fold, tuple(units[train]), (), tuple(units[test]))
        for fold, (train, test) in enumerate(splitter.split(units, strata, task.cases))
    ]


def _check_name(name: str) -> None:
    if not re.match(NAME_PATTERN, name):
        raise TaskError(f"'{name}' cannot name a task: use lower-case letters, digits, - and _.")
    if name in registered():
        raise TaskError(f"'{name}' is a task of the registry; choose another name.")


def _given(folder: Path) -> list[Split]:
    return [Split(lists.fold, lists.train, lists.val, lists.test) for lists in read_splits(folder)]


def label_rows(path: Path, columns: Columns) -> list[SlideRow]:
    """Return the rows of a label table, times in months.

    Args:
        path: CSV or TSV, one row a slide.
        columns: The table's columns.

    Raises:
        FormatError: If the table cannot be read or lacks a column.
        TaskError: If the columns describe no task, or a cell is empty or no number.
    """
    answers = [column for column in (columns.label, columns.time, columns.event) if column]
    text = [column for column in (columns.slide, columns.case, columns.label) if column]
    table = read_labels(path, slide=columns.slide, columns=[columns.case, *answers], text=text)
    return [_row(record, columns, path) for record in table.to_dict("records")]


def _row(record: Mapping[Hashable, object], columns: Columns, path: Path) -> SlideRow:
    slide, case = slide_id(str(record[columns.slide])), str(record[columns.case])
    if columns.kind == "classification":
        return SlideRow(slide, case, label=str(record[columns.label]))
    time = number(record[columns.time], f"{path}: column '{columns.time}' of slide {slide}")
    place = f"{path}: column '{columns.event}' of slide {slide}"
    event = flag(record[columns.event], place, "1 is an event, 0 censored")
    return SlideRow(slide, case, time=time * columns.months, event=event)


def _spec(name: str, labels: Path, columns: Columns, rows: Sequence[SlideRow], unit: Unit) -> TaskSpec:
    survival = columns.kind == "survival"
    return TaskSpec(
        name=name,
        title=f"{name}, from {labels.name}",
        kind=columns.kind,
        unit=unit,
        evaluate_on="test",
        classes=None if survival else _classes(labels, columns, rows),
        endpoint=f"{columns.time}, {columns.event}" if survival else None,
        licence="the owner's",
        citation="none",
        folds=Folds(count=0, scheme="given", patient_disjoint=False, source="none"),
        data=OwnData(origin="own", made_from=str(labels)),
        expected=Expected(units=0, evaluated=0, cases=0, slides=0),
    )


def _classes(path: Path, columns: Columns, rows: Sequence[SlideRow]) -> tuple[str, ...]:
    classes = sorted({str(row.label) for row in rows})
    if len(classes) < 2:
        found = f"one class only, '{classes[0]}'" if classes else "no classes"
        raise TaskError(f"{path}: column '{columns.label}' holds {found}. Classification needs at least two.")
    return tuple(classes)


def _completed(task: Task, source: str, *, made: bool) -> Task:
    """Fill in what only the finished task tells: where it is evaluated, its folds, counts and hashes."""
    disjoint = not any(shared_cases(task, split) for split in task.splits)
    scheme = Folds(
        count=len(task.splits), scheme="partition" if made else "given", patient_disjoint=disjoint, source=source
    )
    on_test = any(split.test for split in task.splits)
    draft = replace(
        task, spec=task.spec.model_copy(update={"folds": scheme, "evaluate_on": "test" if on_test else "val"})
    )
    return replace(draft, spec=draft.spec.model_copy(update={"expected": measured(draft), "hashes": draft.hashes}))
