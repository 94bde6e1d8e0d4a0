"""What the literature prints, typed in once with its source, and the authors' per-fold files to check it."""

import ast
import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import pydantic
from pydantic import Field, model_validator

from hiptbench import rooms
from hiptbench.errors import SourceError, UnknownNameError
from hiptbench.schema import Strict, read_yaml

Status = Literal["printed", "secondary", "not established"]
Fraction = Annotated[float, Field(gt=0, le=1)]
Unit = Annotated[float, Field(ge=0, le=1)]

ERRATA = "errata.yaml"
REPRODUCTION = "reproduction.yaml"
_NO_TABLES = (ERRATA, REPRODUCTION)


@dataclass(frozen=True)
class PublishedFold:
    """One fold of one run whose results the authors committed to their repository.

    Attributes:
        collection: The folder of results, such as ``results_2022_surv``.
        directory: The run's folder, relative to the checkout, with forward slashes.
        task: The registry's name of the task.
        model: The method as the run's folder names it; the settings do not tell its variants apart.
        fraction: Share of the training slides as the run's folder names it; the settings always say 1.0.
        fold: Number of the fold, from 0.
        metrics: Column of the summary file to value: ``test_auc``, ``val_auc``, ``test_acc``, ``val_acc`` or
            ``val_cindex``.
        settings: The run's recorded settings.
        seed: The recorded seed, where there is one.
    """

    collection: str
    directory: str
    task: str
    model: str
    fraction: float
    fold: int
    metrics: Mapping[str, float]
    settings: Mapping[str, Any]
    seed: int | None

    @property
    def run(self) -> str:
        """The last part of the folder's name, ``s1`` in all runs but one."""
        return self.directory.rsplit("_", 1)[-1]


class Query(Strict):
    """Which of the authors' runs belong to a printed method: the provenance their folds must have."""

    collection: str
    model: str
    run: str = "s1"

    def selects(self, fold: PublishedFold) -> bool:
        """Whether a fold is of such a run."""
        return (fold.collection, fold.model, fold.run) == (self.collection, self.model, self.run)


class Ours(Strict):
    """The same method in our own runs."""

    features: str
    baseline: str


class Method(Strict):
    """A row's name as printed, and where its per-fold values are."""

    name: str
    query: Query | None = None
    ours: Ours | None = None


class Cell(Strict):
    """One printed value.

    Attributes:
        task: The registry's name of the task.
        method: Name of the row.
        fraction: Share of the training slides that the table's heading claims.
        sampled: The share really drawn, where it is another one.
        mean: Mean over folds, to three decimals.
        sd: Sample standard deviation (ddof=1) over folds, to three decimals, where it is known.
        status: ``printed`` in the authors' own output, ``secondary`` if known from others' quotations only.
        source: Key into the table's sources.
    """

    task: str
    method: str
    fraction: Fraction
    sampled: Fraction | None = None
    mean: Unit | None = None
    sd: Unit | None = None
    status: Status
    source: str | None = None

    @property
    def key(self) -> tuple[str, str, float]:
        """What tells it from the table's other cells."""
        return self.task, self.method, self.fraction

    @model_validator(mode="after")
    def _established_iff_valued(self) -> "Cell":
        established = self.status != "not established"
        if established != (self.mean is not None) or established != (self.source is not None):
            raise ValueError("a cell has a mean and a source exactly when its status is printed or secondary")
        return self


class PublishedTable(Strict):
    """A table of the literature.

    Attributes:
        name: How the table is asked for.
        title: Its heading.
        aliases: Other names, such as its number in the paper.
        metric: What its values are.
        column: The column of the authors' summary files that holds the metric, if there are any.
        folds: Number of folds behind each value.
        sources: Where the values are printed.
        methods: Its rows.
        cells: Its values.
    """

    name: str
    title: str
    aliases: tuple[str, ...]
    metric: Literal["auc", "c_index"]
    column: str | None = None
    folds: Annotated[int, Field(ge=2)]
    sources: dict[str, str]
    methods: tuple[Method, ...]
    cells: tuple[Cell, ...]

    def cells_of(self, fold: PublishedFold) -> tuple[Cell, ...]:
        """Return the cells whose value is a mean over this fold of the authors and its likes."""
        rows = {method.name for method in self.methods if method.query and method.query.selects(fold)}
        wanted = (fold.task, fold.fraction)
        return tuple(cell for cell in self.cells if cell.method in rows and (cell.task, cell.fraction) == wanted)

    @property
    def sampled(self) -> float | None:
        """The fraction really drawn for the cells whose heading claims another one."""
        return next((cell.sampled for cell in self.cells if cell.sampled), None)

    @model_validator(mode="after")
    def _consistent(self) -> "PublishedTable":
        keys = [(cell.task, cell.method, cell.fraction) for cell in self.cells]
        if repeated := {key for key in keys if keys.count(key) > 1}:
            raise ValueError(f"cells given twice: {sorted(repeated)}")
        if unknown := {cell.method for cell in self.cells} - {method.name for method in self.methods}:
            raise ValueError(f"cells of undeclared methods: {sorted(unknown)}")
        if len({cell.sampled for cell in self.cells if cell.sampled}) > 1:
            raise ValueError("cells of more than one sampled fraction")
        if unknown := {cell.source for cell in self.cells if cell.source} - set(self.sources):
            raise ValueError(f"cells of undeclared sources: {sorted(unknown)}")
        return self


class Erratum(Strict):
    """What is wrong with some printed values, and which.

    Attributes:
        id: Its mark.
        sentence: What is wrong.
        tables: Names of the tables it concerns.
        methods: Rows it concerns; all if empty.
        tasks: Tasks it concerns; all if empty.
        fractions: Fractions it concerns; all if empty.
        swapped: Two rows printed under each other's name, proven by a value that equals the other row's
            recomputed one.
        settings: Recorded settings that prove it, if the runs behind a value have them.
    """

    id: str
    sentence: str
    tables: tuple[str, ...]
    methods: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    fractions: tuple[float, ...] = ()
    swapped: tuple[str, str] | None = None
    settings: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _one_test(self) -> "Erratum":
        if self.swapped and self.settings:
            raise ValueError("an erratum is proven either by a swap or by settings")
        return self

    def selects(self, table: str, cell: Cell) -> bool:
        """Whether the erratum concerns a cell of a table."""
        chosen = (
            (cell.method, self.swapped or self.methods),
            (cell.task, self.tasks),
            (cell.fraction, self.fractions),
        )
        return table in self.tables and all(not wanted or value in wanted for value, wanted in chosen)


class Errata(Strict):
    """The file of errata."""

    errata: tuple[Erratum, ...]


def read_published(name: str) -> PublishedTable:
    """Read a table by its name or an alias.

    Raises:
        UnknownNameError: If there is no such table.
        SchemaError: If a file of published values breaks its schema.
    """
    by_name = {key: table for table in published_tables() for key in (table.name, *table.aliases)}
    if name not in by_name:
        raise UnknownNameError("published table", name, by_name)
    return by_name[name]


def published_tables() -> tuple[PublishedTable, ...]:
    """Read all tables.

    Raises:
        SchemaError: If a file of published values breaks its schema.
    """
    files = sorted(path for path in rooms.PUBLISHED.glob("*.yaml") if path.name not in _NO_TABLES)
    return tuple(read_yaml(file, PublishedTable) for file in files)


def read_errata() -> tuple[Erratum, ...]:
    """Read the errata of all published tables.

    Raises:
        SchemaError: If the file breaks its schema.
    """
    return read_yaml(rooms.PUBLISHED / ERRATA, Errata).errata


@dataclass(frozen=True)
class _Collection:
    """A folder of results in a checkout, the pattern of its summary files and how its runs are named."""

    folder: str
    summaries: str
    run: re.Pattern[str]
    kind: str


class _SummaryRow(pydantic.BaseModel, extra="allow"):
    """A row of a summary file: a fold's number and, in any other columns, its metrics."""

    __pydantic_extra__: dict[str, Unit]
    folds: Annotated[int, Field(ge=0)]


_SUBTYPING = re.compile(
    r"(?P<study>tcga_[a-z]+)_subtype_(?P<model>.+)_vits_tcga_pancancer_dino_(?P<fraction>\d\.\d+)_none_s\d+"
)
_SURVIVAL = re.compile(r"(?P<study>tcga_[a-z]+)_(?P<model>.+)_nll_surv_a0\.0_5foldcv_gc32_dino_sig_s\d+")
_SUBTYPING_ROOT = "2-Weakly-Supervised-Subtyping"
_SURVIVAL_ROOT = "2-Weakly-Supervised-Survival"
_COLLECTIONS = (
    _Collection(f"{_SUBTYPING_ROOT}/results_cvpr2022_class", "*/*/summary.csv", _SUBTYPING, "subtype"),
    _Collection(f"{_SUBTYPING_ROOT}/results_Issue25", "*/*/summary.csv", _SUBTYPING, "subtype"),
    _Collection(f"{_SURVIVAL_ROOT}/results_2022_surv", "*/*/*/summary_latest.csv", _SURVIVAL, "survival"),
)
_REMEDY = "Use a complete, unchanged checkout of github.com/mahmoodlab/HIPT (`git restore .` in it)."


def import_hipt(checkout: Path) -> tuple[PublishedFold, ...]:
    """Read the per-fold results of the HIPT paper and of its issue 25.

    A run without a summary file never finished and gives no folds.

    Args:
        checkout: A checkout of github.com/mahmoodlab/HIPT.

    Returns:
        The folds, ordered by collection, folder and fold.

    Raises:
        SourceError: If a folder of results is missing or empty, or a file in it is malformed.
    """
    return tuple(fold for collection in _COLLECTIONS for fold in _read_collection(checkout, collection))


def _read_collection(checkout: Path, collection: _Collection) -> Iterator[PublishedFold]:
    folder = checkout / collection.folder
    if not folder.is_dir():
        raise SourceError(f"There is no folder {folder}. {_REMEDY}")
    summaries = sorted(folder.glob(collection.summaries))
    if not summaries:
        raise SourceError(f"{folder} holds no {collection.summaries}. {_REMEDY}")
    for summary in summaries:
        yield from _read_run(checkout, collection, summary)


def _read_run(checkout: Path, collection: _Collection, summary: Path) -> Iterator[PublishedFold]:
    named = collection.run.fullmatch(summary.parent.name)
    if named is None:
        raise SourceError(
            f"{summary.parent} is not named as a run of the authors ({collection.run.pattern}). {_REMEDY}"
        )
    parts = named.groupdict()
    settings = _read_settings(summary.parent)
    for fold, metrics in _read_summary(summary).items():
        yield PublishedFold(
            collection=Path(collection.folder).name,
            directory=summary.parent.relative_to(checkout).as_posix(),
            task=f"{parts['study']}_{collection.kind}",
            model=parts["model"],
            fraction=float(parts.get("fraction", 1)),
            fold=fold,
            metrics=metrics,
            settings=settings,
            seed=settings.get("seed"),
        )


def _read_settings(run: Path) -> dict[str, Any]:
    files = sorted(run.glob("experiment_*.txt"))
    if len(files) != 1:
        raise SourceError(f"{run} holds {len(files)} files experiment_*.txt where it should hold one. {_REMEDY}")
    try:
        settings = ast.literal_eval(_read_text(files[0]))
    except (ValueError, TypeError, SyntaxError) as error:
        raise SourceError(f"{files[0]} is not a Python dict literal ({error}). {_REMEDY}") from error
    if not isinstance(settings, dict):
        raise SourceError(f"{files[0]} holds a {type(settings).__name__} where it should hold a dict. {_REMEDY}")
    return settings


def _read_summary(path: Path) -> dict[int, dict[str, float]]:
    reader = csv.DictReader(_read_text(path).splitlines(), restkey="surplus values")
    folds: dict[int, dict[str, float]] = {}
    for row in reader:
        place = f"{path}, line {reader.line_num}"
        fold, metrics = _read_row(place, row)
        if fold in folds:
            raise SourceError(f"{place}: fold {fold} stands there twice. {_REMEDY}")
        folds[fold] = metrics
    if not folds:
        raise SourceError(f"{path} holds no folds. {_REMEDY}")
    return folds


def _read_row(place: str, row: Mapping[str, Any]) -> tuple[int, dict[str, float]]:
    try:
        parsed = _SummaryRow.model_validate({column: value for column, value in row.items() if column})
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        raise SourceError(
            f"{place}, column {first['loc'][0]}: {first['msg']} (got {first['input']!r}). {_REMEDY}"
        ) from error
    return parsed.folds, dict(parsed.__pydantic_extra__)


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{path} cannot be read as text ({error}). {_REMEDY}") from error
