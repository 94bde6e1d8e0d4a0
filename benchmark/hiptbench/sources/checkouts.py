"""Build a registered task from checkouts of the public repositories, following the quirks its entry states."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pandas as pd

from hiptbench.errors import SourceError, TaskError, name_some
from hiptbench.formats import slide_id
from hiptbench.formats.splits import SplitLists, read_splits
from hiptbench.formats.tables import read_table
from hiptbench.sources import barcodes
from hiptbench.sources.label_tables import flag, number, read_labels
from hiptbench.sources.partitions import make_splits
from hiptbench.splits import Split
from hiptbench.task_checks import check_task
from hiptbench.task_spec import (
    CheckoutData,
    CheckoutFile,
    LabelMap,
    LabelTable,
    MadeSplits,
    NormalTissue,
    TaskSpec,
)
from hiptbench.tasks import SlideRow, Task

Checkouts = Mapping[str, Path]

_OUTSIDE = "named by the splits, but not in the cohort"


@dataclass(frozen=True)
class Dropped:
    """What a published rule leaves out of a task.

    Attributes:
        reason: Why, in words.
        names: Slide ids, or unit ids where split files name units that the labels lack.
    """

    reason: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class Built:
    """A task built from checkouts, and what its rules left out."""

    task: Task
    dropped: tuple[Dropped, ...]


class _Tables:
    """Tables of the checkouts, each read once."""

    def __init__(self, checkouts: Checkouts) -> None:
        self.checkouts = checkouts
        self.labels = cache(self._labels)
        self.listed = cache(self._listed)

    def _labels(self, labels: LabelTable, code: str | None) -> pd.DataFrame:
        """Return a label table with the columns that it is said to have, and perhaps one of diagnosis codes."""
        names = [labels.case_column, *(column for column in (labels.label_column, code) if column)]
        numbers = [column for column in (labels.time_column, labels.censored_column) if column]
        slide = labels.slide_column
        path = locate(self.checkouts, labels)
        table = read_labels(path, slide=slide, columns=[*names, *numbers], text=[slide, *names])
        return table.assign(slide=[slide_id(name) for name in table[slide]])

    def _listed(self, listing: str, column: str) -> frozenset[str]:
        """Return the slides that a listing of HIPT's names."""
        path = locate(self.checkouts, CheckoutFile(checkout="hipt", path=listing))
        return frozenset(map(slide_id, read_table(path, columns=[column], text=[column])[column]))


def build_task(spec: TaskSpec, checkouts: Checkouts) -> Built:
    """Build one registered task; see ``build_tasks``."""
    return build_tasks([spec], checkouts)[0]


def build_tasks(specs: Iterable[TaskSpec], checkouts: Checkouts) -> list[Built]:
    """Build registered tasks and check them against their entries' counts and hashes.

    Args:
        specs: Tasks whose data come from checkouts; a table that several have in common is read once.
        checkouts: "hipt" and "porpoise" to the folders of the checkouts.

    Returns:
        The tasks and what was dropped on the way, with reasons.

    Raises:
        SourceError: If a file is not where it should be.
        FormatError: If a file cannot be read as what it should be.
        TaskError: If labels and splits contradict each other or the registry.
    """
    tables = _Tables(checkouts)
    return [_build(spec, tables) for spec in specs]


def _build(spec: TaskSpec, tables: _Tables) -> Built:
    data = spec.data
    if not isinstance(data, CheckoutData):
        raise TaskError(f"{spec.name} is not made from a checkout; its data are '{data.origin}'.")
    codes = data.quirks.codes
    table = tables.labels(data.labels, codes.column if codes and codes.rule == "keep listed" else None)
    dropped = []
    for reason, keep in _filters(spec, data, tables):
        mask = keep(table)
        dropped.append(Dropped(reason, tuple(table.loc[~mask, "slide"])))
        table = table[mask]
    path = locate(tables.checkouts, data.labels)
    rows = [_slide_row(record, data, path) for record in table.to_dict("records")]
    splits, outside = _splits(spec, data, rows, tables.checkouts)
    task = Task.build(spec, rows, splits)
    check_task(task)
    return Built(task, tuple(part for part in (*dropped, outside) if part.names))


def locate(checkouts: Checkouts, file: CheckoutFile) -> Path:
    """Return the path of a file or folder inside its checkout.

    Raises:
        SourceError: If the checkout was not given or lacks it.
    """
    if file.checkout not in checkouts:
        raise SourceError(f"{file.path} comes from a checkout of {file.checkout.upper()}: give --{file.checkout} DIR.")
    path = checkouts[file.checkout] / file.path
    if not path.exists():
        raise SourceError(
            f"{checkouts[file.checkout]} has no {file.path}. Is it a checkout of {file.checkout.upper()} at the commit "
            "that the README names? `hiptbench data fetch` gets one."
        )
    return path


Filter = Callable[[pd.DataFrame], "pd.Series[bool]"]


def _filters(spec: TaskSpec, data: CheckoutData, tables: _Tables) -> Iterator[tuple[str, Filter]]:
    """Yield (reason for dropping, which rows to keep) for each quirk that narrows the cohort."""
    quirks, column = data.quirks, data.labels.label_column
    if quirks.codes and quirks.codes.rule == "keep listed":
        code, listed = quirks.codes.column, quirks.codes.listed
        yield "diagnosis code is not in the cohort", lambda table: table[code].isin(listed)
    if quirks.label_map and column:
        known = quirks.label_map
        yield (
            "diagnosis code is not a class of the task",
            lambda table: _is_class(table[column], known, spec.name),
        )
    ids = tables.listed(quirks.embedded_slides_only.listing, quirks.embedded_slides_only.column)
    yield "no published region embedding", lambda table: table["slide"].isin(ids)
    if quirks.normal_tissue:
        tissue = quirks.normal_tissue
        yield "slide of normal tissue", lambda table: _tumour_or_kept(table["slide"], tissue, spec.name)


def _is_class(codes: "pd.Series[str]", label_map: LabelMap, task: str) -> "pd.Series[bool]":
    unknown = sorted(set(codes) - set(label_map.classes) - set(label_map.ignored))
    if unknown:
        raise TaskError(f"The labels of {task} hold codes that the registry does not know: {name_some(unknown)}.")
    return codes.isin(label_map.classes)


def _tumour_or_kept(slides: "pd.Series[str]", quirk: NormalTissue, task: str) -> "pd.Series[bool]":
    normal = slides.map(barcodes.is_normal).astype(bool)
    if normal.sum() != quirk.slides:
        raise TaskError(f"{task} has {normal.sum()} slides of normal tissue, the registry says {quirk.slides}.")
    return ~normal if quirk.rule == "drop" else slides.notna()


def _splits(
    spec: TaskSpec, data: CheckoutData, rows: Sequence[SlideRow], checkouts: Checkouts
) -> tuple[list[Split], Dropped]:
    """Return the splits, read or made, and which units they name that the cohort lacks."""
    if isinstance(data.splits, MadeSplits):
        return make_splits(Task.build(spec, rows, []), data.splits), Dropped(_OUTSIDE, ())
    units = {row.slide if spec.unit == "slide" else row.case for row in rows}
    splits, outside = _restrict(read_splits(locate(checkouts, data.splits)), units)
    rule = data.quirks.split_ids_outside_labels
    if outside.names and rule and rule.rule == "refuse":
        raise TaskError(
            f"The splits of {spec.name} name {len(outside.names)} {spec.unit}s without labels: "
            f"{name_some(outside.names)}."
        )
    return splits, outside


def _restrict(lists: Sequence[SplitLists], units: set[str]) -> tuple[list[Split], Dropped]:
    named = dict.fromkeys(unit for fold in lists for part in (fold.train, fold.val, fold.test) for unit in part)
    outside = tuple(unit for unit in named if unit not in units)
    splits = [
        Split(fold.fold, *(tuple(u for u in part if u in units) for part in (fold.train, fold.val, fold.test)))
        for fold in lists
    ]
    return splits, Dropped(_OUTSIDE, outside)


def _slide_row(record: Mapping[Hashable, object], data: CheckoutData, path: Path) -> SlideRow:
    labels, label_map = data.labels, data.quirks.label_map
    slide, case = str(record["slide"]), str(record[labels.case_column])
    if label_map:
        return SlideRow(slide, case, label=label_map.classes[str(record[labels.label_column])])
    time = number(record[labels.time_column], f"{path}: column '{labels.time_column}' of slide {slide}")
    place = f"{path}: column '{labels.censored_column}' of slide {slide}"
    censored = flag(record[labels.censored_column], place, "1 is censored, 0 an event")
    return SlideRow(slide, case, time=time, event=not censored)
