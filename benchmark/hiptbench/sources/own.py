"""Make a task of one's own from a label table, with given splits or patient-grouped, stratified folds."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hiptbench.errors import TaskError, name_some
from hiptbench.formats import slide_id
from hiptbench.formats.splits import read_splits
from hiptbench.formats.tables import read_table
from hiptbench.splits import Split
from hiptbench.targets import Labels
from hiptbench.task_checks import measured
from hiptbench.task_spec import Expected, Folds, Kind, OwnData, TaskSpec, Unit
from hiptbench.task_store import registered, save_task
from hiptbench.tasks import SlideRow, Task

MONTHS_PER = {"days": 1 / 30.4375, "months": 1.0, "years": 12.0}


@dataclass(frozen=True, kw_only=True)
class Columns:
    """Columns of a label table.

    Attributes:
        slide: Slide ids, with or without a file suffix.
        case: Case (patient) ids.
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


def create_task(
    name: str,
    labels: Path,
    columns: Columns,
    *,
    splits: Path | None = None,
    folds: int = 5,
    seed: int = 1,
    unit: Unit | None = None,
    home: str | Path | None = None,
) -> Task:
    """Make a task and write it into the data home.

    Args:
        name: Its name; lower-case letters, digits, - and _.
        labels: CSV or TSV, one row a slide.
        columns: The table's columns.
        splits: A folder of CLAM's ``splits_<i>.csv``; otherwise folds are made.
        folds: Number of folds to make: patient-grouped, stratified by class or event; each unit is tested once.
        seed: Seed of the folds.
        unit: "slide" or "case"; cases for survival and slides for classification by default.
        home: The data home.

    Returns:
        The task, checked and saved.

    Raises:
        TaskError: If labels and splits contradict each other, or a fold could not be evaluated.
    """
    if name in registered():
        raise TaskError(f"'{name}' is a task of the registry; choose another name.")
    rows = _rows(labels, columns)
    unit = unit or ("case" if columns.kind == "survival" else "slide")
    spec = _spec(name, labels, columns, rows, unit)
    bare = Task.build(spec, rows, [])
    parts = _given(splits) if splits else make_folds(bare, folds=folds, seed=seed)
    source = f"{splits}" if splits else f"made: {folds} folds, patient-grouped, stratified, seed {seed}"
    task = _completed(spec, rows, parts, source, made=splits is None)
    save_task(task, home)
    return task


def make_folds(task: Task, *, folds: int, seed: int) -> list[Split]:
    """Return patient-grouped folds, stratified by class or event; every unit is in one test part.

    Args:
        task: A task without splits.
        folds: Number of folds.
        seed: Seed of the shuffle.

    Raises:
        TaskError: If there are fewer patients than folds.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    strata = task.target.values if isinstance(task.target, Labels) else task.target.event.astype(np.int64)
    smallest = min(len({task.cases[i] for i in np.flatnonzero(strata == value)}) for value in np.unique(strata))
    if not 2 <= folds <= smallest:
        raise TaskError(
            f"{task.name} cannot have {folds} folds: every fold needs a patient of each class (or with and without an "
            f"event), and the rarest has {smallest}. Give --folds between 2 and {smallest}."
        )
    splitter = StratifiedGroupKFold(n_splits=folds, shuffle=True, random_state=seed)
    units = np.array(task.units, dtype=object)
    return [
        Split(fold, tuple(units[train]), (), tuple(units[test]))
        for fold, (train, test) in enumerate(splitter.split(units, strata, task.cases))
    ]


def _given(folder: Path) -> list[Split]:
    return [Split(lists.fold, lists.train, lists.val, lists.test) for lists in read_splits(folder)]


def _rows(path: Path, columns: Columns) -> list[SlideRow]:
    answers = [c for c in (columns.label, columns.time, columns.event) if c]
    text = [c for c in (columns.slide, columns.case, columns.label) if c]
    table = read_table(path, columns=[columns.slide, columns.case, *answers], text=text)
    empty = table.index[table.isna().any(axis=1)]
    if len(empty):
        rows = name_some([str(table.loc[i, columns.slide]) for i in empty])
        raise TaskError(f"{path} has {len(empty)} rows with empty cells in the columns asked for: slides {rows}.")
    records = table.to_dict("records")
    return [_row(record, columns, columns.kind, path) for record in records]


def _row(record: Mapping[Hashable, object], columns: Columns, kind: Kind, path: Path) -> SlideRow:
    slide, case = slide_id(str(record[columns.slide])), str(record[columns.case])
    if kind == "classification":
        return SlideRow(slide, case, label=str(record[columns.label]))
    time, event = record[columns.time], record[columns.event]
    if columns.time_unit not in MONTHS_PER:
        raise TaskError(f"A time unit is one of {', '.join(MONTHS_PER)}, not '{columns.time_unit}'.")
    if str(event) not in {"0", "1", "0.0", "1.0", "True", "False"}:
        raise TaskError(
            f"{path}: column '{columns.event}' of slide {slide} holds '{event}'; 1 is an event, 0 censored."
        )
    try:
        months = float(str(time)) * MONTHS_PER[columns.time_unit]
    except ValueError as error:
        raise TaskError(f"{path}: column '{columns.time}' of slide {slide} holds '{time}', not a number.") from error
    return SlideRow(slide, case, time=months, event=str(event) in {"1", "1.0", "True"})


def _spec(name: str, labels: Path, columns: Columns, rows: Sequence[SlideRow], unit: Unit) -> TaskSpec:
    survival = columns.kind == "survival"
    return TaskSpec(
        name=name,
        title=f"{name}, from {labels.name}",
        kind=columns.kind,
        unit=unit,
        evaluate_on="test",
        classes=None if survival else tuple(sorted({str(row.label) for row in rows})),
        endpoint=f"{columns.time}, {columns.event}" if survival else None,
        licence="the owner's",
        citation="none",
        folds=Folds(count=0, scheme="given", patient_disjoint=False, source="none"),
        data=OwnData(origin="own", made_from=str(labels)),
        expected=Expected(units=0, evaluated=0, cases=0, slides=0),
    )


def _completed(spec: TaskSpec, rows: Sequence[SlideRow], parts: Sequence[Split], source: str, *, made: bool) -> Task:
    """Fill in what only the finished task tells: where it is evaluated, its folds, counts and hashes."""
    on_test = any(split.test for split in parts)
    folds = Folds(count=len(parts), scheme="partition" if made else "given", patient_disjoint=made, source=source)
    draft = spec.model_copy(update={"folds": folds, "evaluate_on": "test" if on_test else "val"})
    task = Task.build(draft, rows, parts)
    final = draft.model_copy(update={"expected": measured(task), "hashes": task.hashes})
    return Task.build(final, rows, parts)
