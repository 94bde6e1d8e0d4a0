"""Tasks on disk: specifications in the registry or the home, labels and splits in the home."""

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar, get_args

from hiptbench import rooms
from hiptbench.errors import TaskError, UnknownNameError
from hiptbench.files import write_text
from hiptbench.schema import dump_yaml, read_yaml
from hiptbench.splits import Split
from hiptbench.targets import Labels, Survival
from hiptbench.task_checks import check_task, remedy
from hiptbench.task_spec import Part, TaskSpec
from hiptbench.tasks import SlideRow, Task

SPEC, LABELS, SPLITS = "task.yaml", "labels.csv", "splits.csv"
PARTS = get_args(Part)

Row = TypeVar("Row")


def folder_of(name: str, home: str | Path | None = None) -> Path:
    """Return where a task's labels and splits lie in the home."""
    return rooms.home(home) / "tasks" / name


def registered() -> dict[str, Path]:
    """Return the registry's tasks: name to ``task.yaml``."""
    return {path.parent.name: path for path in sorted(rooms.TASKS.glob(f"*/{SPEC}"))}


def known(home: str | Path | None = None) -> dict[str, Path]:
    """Return the registry's tasks and those of the home: name to ``task.yaml``."""
    own = (rooms.home(home) / "tasks").glob(f"*/{SPEC}")
    return {path.parent.name: path for path in sorted(own)} | registered()


def load_spec(name: str, home: str | Path | None = None) -> TaskSpec:
    """Load a task's specification.

    Raises:
        UnknownNameError: If no such task is registered.
        SchemaError: If its file breaks the schema.
        TaskError: If its folder has another name.
    """
    paths = known(home)
    if name not in paths:
        raise UnknownNameError("task", name, paths)
    spec = read_yaml(paths[name], TaskSpec)
    if spec.name != name:
        raise TaskError(f"{paths[name]} calls itself '{spec.name}'; folder and name must agree.")
    return spec


def load_task(name: str, home: str | Path | None = None) -> Task:
    """Load a task with its data and check it; see ``Task.load``."""
    spec = load_spec(name, home)
    folder = folder_of(name, home)
    if not (folder / LABELS).exists():
        raise TaskError(f"The data of '{name}' are not in {folder}. {remedy(spec)}")
    task = Task.build(spec, _read(folder / LABELS, _slide_row), _splits(_read(folder / SPLITS, _split_row)))
    check_task(task)
    return task


def is_imported(name: str, home: str | Path | None = None) -> bool:
    """Whether a task's data are in the home."""
    return (folder_of(name, home) / LABELS).exists()


def save_task(task: Task, home: str | Path | None = None) -> Path:
    """Check a task and write its labels and splits, and its specification if the registry has none.

    Returns:
        The folder written.

    Raises:
        TaskError: If the task does not pass its checks; nothing is written then.
        StoreError: If the home cannot be written.
    """
    check_task(task)
    folder = folder_of(task.name, home)
    write_text(folder / SPLITS, _csv(("fold", "part", "unit"), _split_rows(task)))
    if task.name not in registered():
        write_text(folder / SPEC, dump_yaml(task.spec))
    write_text(folder / LABELS, _csv(("slide_id", "case_id", *_columns(task)), _label_rows(task)))
    return folder


def _columns(task: Task) -> tuple[str, ...]:
    return ("label",) if isinstance(task.target, Labels) else ("time_months", "event")


def _label_rows(task: Task) -> Iterable[tuple[object, ...]]:
    for i, unit in enumerate(task.units):
        for slide in task.slides(unit):
            yield (slide, task.cases[i], *_answer(task, i))


def _answer(task: Task, position: int) -> tuple[object, ...]:
    if isinstance(task.target, Survival):
        return repr(float(task.target.time[position])), int(task.target.event[position])
    return (task.target.classes[task.target.values[position]],)


def _split_rows(task: Task) -> Iterable[tuple[object, ...]]:
    for split in task.splits:
        for part in PARTS:
            for unit in getattr(split, part):
                yield split.fold, part, unit


def _csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()


def _read(path: Path, parse: Callable[[dict[str, str]], Row]) -> list[Row]:
    try:
        with path.open(encoding="utf-8", newline="") as handle:
            return [parse(row) for row in csv.DictReader(handle)]
    except (OSError, LookupError, ValueError, TypeError, csv.Error) as error:
        raise TaskError(f"{path} is damaged ({error}). Import or create the task again.") from error


def _slide_row(row: dict[str, str]) -> SlideRow:
    if "label" in row:
        return SlideRow(row["slide_id"], row["case_id"], label=row["label"])
    time, event = float(row["time_months"]), bool(int(row["event"]))
    return SlideRow(row["slide_id"], row["case_id"], time=time, event=event)


def _split_row(row: dict[str, str]) -> tuple[int, int, str]:
    return int(row["fold"]), PARTS.index(row["part"]), row["unit"]


def _splits(rows: Iterable[tuple[int, int, str]]) -> list[Split]:
    folds: dict[int, tuple[list[str], ...]] = {}
    for fold, part, unit in rows:
        folds.setdefault(fold, ([], [], []))[part].append(unit)
    return [Split(fold, *(tuple(part) for part in parts)) for fold, parts in sorted(folds.items())]
