"""The static site: every page of a report, drawn from its data alone."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any

import jinja2

from hiptbench.errors import StoreError
from hiptbench.files import write_text
from hiptbench.report import wording
from hiptbench.report.across_page import Across
from hiptbench.report.addresses import Addresses, addresses_of
from hiptbench.report.board import board_of, choices_of
from hiptbench.report.data import ReportData
from hiptbench.report.errata import Erratum, anchor, errata_of, tables_in_order, unmarked
from hiptbench.report.groups import Group, groups_of
from hiptbench.report.method_page import fields, method_page
from hiptbench.report.run_data import RunReport
from hiptbench.report.table_data import TableCell
from hiptbench.report.task_data import TaskReport
from hiptbench.report.task_page import lint_facts, task_page
from hiptbench.report.verdicts import held_of

_HERE = Path(__file__).parent
_ASSETS = ("assets/page.css", "assets/page.js")

MEANINGS = (
    ("measured", "run by hiptbench on the real slides of the task"),
    ("published", "the authors' own numbers, read from what they published"),
    ("synthetic", "run on simulated data; says nothing about real slides"),
)
COLUMNS = (
    ("method", "Method", "ascending"),
    ("kind", "Result", "ascending"),
    ("mean", "Mean", "descending"),
    ("interval", "95% interval", "descending"),
    ("sd_folds", "sd folds", "ascending"),
    ("sd_seeds", "sd seeds", "ascending"),
    ("verdict", "Verdict", "ascending"),
    ("contamination", "Contamination", "ascending"),
    ("reproduced", "Reproduced", "ascending"),
    ("errata", "Errata", "ascending"),
    ("card", "Card", None),
)
"""Key, heading, and first direction of each column of the leaderboard; the script fills them."""

ORDERS = (
    ("", "suite and task"),
    ("task", "task, A to Z"),
    ("fraction", "training share, least first"),
    ("n", "units, most first"),
    ("events", "events, most first"),
)
"""How groups can be ordered; the script does it."""

Content = tuple[str, str, Mapping[str, Any]]
"""Where a page is, its template, and what fills it."""


def write_site(data: ReportData, out: Path, *, on_page: Callable[[Path], object] | None = None) -> list[Path]:
    """Write a report as a static site that works from a folder, without a server or a network.

    Args:
        data: What to show; the same data give the same bytes.
        out: Folder of the site: new, empty, or an earlier report, whose pages are replaced.
        on_page: Called with each page once it is written.

    Returns:
        Every page, relative to ``out``.

    Raises:
        StoreError: If ``out`` holds something else, or cannot be written.
    """
    _make_room(out)
    for asset in _ASSETS:
        write_text(out / asset, (_HERE / asset).read_text(encoding="utf-8"))
    written = []
    for page, text in pages_of(data):
        write_text(out / page, text)
        written.append(Path(page))
        if on_page:
            on_page(written[-1])
    return written


def pages_of(data: ReportData) -> Iterator[tuple[str, str]]:
    """Yield where each page of a report stands, relative to the site's folder, and its text; the leaderboard first."""
    environment, addresses = _environment(), addresses_of(data)
    errata = errata_of(tables_in_order(data))
    for page, template, content in _contents(data, addresses, errata):
        at = addresses.seen_from(page)
        yield page, environment.get_template(template).render(data=data, page=page, at=at, errata=errata, **content)


def _make_room(out: Path) -> None:
    """Remove the pages of an earlier report, and nothing else."""
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    if not all((out / asset).is_file() for asset in _ASSETS):
        raise StoreError(f"{out} exists and is no earlier report. Give --out a new or an empty folder.")
    for page in [*out.glob("*.html"), *out.glob("tasks/*.html"), *out.glob("methods/*.html")]:
        page.unlink()


def _contents(data: ReportData, addresses: Addresses, errata: Mapping[str, Erratum]) -> Iterator[Content]:
    groups, held = groups_of(data), held_of(data)
    tasks = {(task.suite, task.name): task for task in data.tasks}
    yield "index.html", "index.html", _index(data, groups, addresses, errata)
    yield "across.html", "across.html", {"families": [Across(family) for family in data.families]}
    yield "tables.html", "tables.html", {"tables": tables_in_order(data), "by_task": _by_task}
    own = {task: [group for group in groups if group.task == task] for task in tasks}
    for key, page in addresses.tasks.items():
        yield page, "task.html", task_page(data, tasks[key], own[key], addresses.seen_from(page))
    methods: dict[str, list[RunReport]] = defaultdict(list)
    for run in (run for group in groups for run in group.runs):
        methods[run.method].append(run)
    for method, page in addresses.methods.items():
        yield page, "method.html", method_page(methods[method], tasks, held)


def _index(data: ReportData, groups: list[Group], at: Addresses, errata: Mapping[str, Erratum]) -> dict[str, Any]:
    tasks: dict[str, list[TaskReport]] = defaultdict(list)
    for task in data.tasks:
        tasks[task.suite].append(task)
    methods: dict[str, list[RunReport]] = defaultdict(list)
    for run in sorted({run.method: run for run in data.runs}.values(), key=attrgetter("features", "baseline")):
        methods[run.features].append(run)
    return {
        "board": board_of(data, groups, at, errata),
        "choices": choices_of(data),
        "columns": COLUMNS,
        "orders": ORDERS,
        "meanings": MEANINGS,
        "tasks_of": tasks,
        "methods": methods,
    }


def _by_task(cells: Iterable[TableCell]) -> list[tuple[str, list[TableCell]]]:
    return [(task, list(own)) for task, own in groupby(cells, key=attrgetter("task"))]


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    words: tuple[Callable[..., object], ...] = (
        wording.number,
        wording.signed,
        wording.count,
        wording.interval,
        wording.plus_minus,
        wording.probability,
        wording.measure,
        wording.percent,
        wording.share,
        wording.plural,
        wording.duration,
        wording.metric_name,
        wording.listed,
        wording.sentence,
    )
    environment.globals.update({one.__name__: one for one in (*words, fields, lint_facts, anchor, unmarked)})
    environment.globals["signs"] = wording.SIGNS
    return environment
