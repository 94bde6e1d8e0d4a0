"""What a figure shows, before anything is drawn: panels of tasks, and rows of methods in one order."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import NamedTuple

from hiptbench.cells import Cell
from hiptbench.errors import StoreError, name_some
from hiptbench.figures.selection import Place
from hiptbench.results import ResultKind

_METRICS = {"auc": "AUC", "c_index": "c-index"}
_SUBJECTS: dict[ResultKind, str] = {"measured": "", "published": ", published results", "synthetic": ", simulated data"}


class Method(NamedTuple):
    """A row of a figure.

    Attributes:
        name: Name of the baseline, after that of the features where a task has several of them.
        kind: Measured, published or synthetic.
    """

    name: str
    kind: ResultKind


@dataclass(frozen=True)
class Panel:
    """The numbers of one task in one metric.

    Attributes:
        suite: Name of the suite.
        task: Name of the task.
        metric: Name of the metric.
        cells: Method and fraction to its cell.
    """

    suite: str
    task: str
    metric: str
    cells: Mapping[tuple[Method, float], Cell]

    @property
    def title(self) -> str:
        """The task's name, as people read it."""
        return self.task.replace("_", " ")

    @property
    def subtitle(self) -> str:
        """The metric, and on how many units and events it stands."""
        cells = list(self.cells.values())
        events = next((f", {cell.n_events} events" for cell in cells if cell.n_events is not None), "")
        return f"{_METRICS.get(self.metric, self.metric.replace('_', ' '))}, {cells[0].n_units} units{events}"

    @property
    def methods(self) -> frozenset[Method]:
        """The methods that have a number here."""
        return frozenset(method for method, _ in self.cells)


@dataclass(frozen=True)
class Content:
    """Everything that a figure shows.

    Attributes:
        methods: Every method once, the best mean rank over tasks and fractions first.
        panels: In the order of the suite.
        features: Names of the features.
        published: Place of a cell to the published value that it is to reproduce.
    """

    methods: tuple[Method, ...]
    panels: tuple[Panel, ...]
    features: tuple[str, ...]
    published: Mapping[Place, float]

    @property
    def kinds(self) -> tuple[ResultKind, ...]:
        """The kinds of its numbers, in alphabetical order."""
        return tuple(sorted({method.kind for method in self.methods}))

    @property
    def fractions(self) -> tuple[float, ...]:
        """The training fractions, rising."""
        return tuple(sorted({fraction for panel in self.panels for _, fraction in panel.cells}))

    @property
    def labels(self) -> Mapping[Method, str]:
        """What to call each method; where there are several kinds, what is not measured is marked."""
        plain = len(self.kinds) == 1
        return {
            one: one.name if plain or one.kind == "measured" else f"{one.name} ({one.kind})" for one in self.methods
        }

    @property
    def subject(self) -> str:
        """What the numbers are of, for a heading."""
        suites = list(dict.fromkeys(panel.suite for panel in self.panels))
        kinds = _SUBJECTS[self.kinds[0]] if len(self.kinds) == 1 else ""
        features = f", features {self.features[0]}" if len(self.features) == 1 else ""
        return f"{name_some(suites, 3)}{kinds}{features}"

    def reference(self, cell: Cell) -> float | None:
        """Return the published value that a measured cell is to reproduce, if there is one."""
        place = cell.protocol, cell.features, cell.baseline
        return self.published.get(place) if cell.kind == "measured" else None


def content_of(cells: Sequence[Cell], published: Mapping[Place, float | None] | None = None) -> Content:
    """Arrange cells for a figure.

    Args:
        cells: In the leaderboard's order; those of incomplete cohorts are left out, as they are never ranked.
        published: Place of a cell to the published value that it is to reproduce.

    Raises:
        StoreError: If there are no cells, or numbers that do not compare would share a place.
    """
    cells = [cell for cell in cells if not cell.missing_slides]
    if not cells:
        raise StoreError(
            "There are no complete results to draw. `hiptbench run` makes some, and finishes what was cut."
        )
    panels = _panels(cells)
    values = {place: value for place, value in (published or {}).items() if value is not None}
    return Content(_best_first(panels), panels, tuple(sorted({cell.features for cell in cells})), values)


def _panels(cells: Sequence[Cell]) -> tuple[Panel, ...]:
    tasks: dict[tuple[str, str, str], list[Cell]] = defaultdict(list)
    for cell in cells:
        tasks[cell.suite, cell.task, cell.metric].append(cell)
    several = any(len({cell.features for cell in own}) > 1 for own in tasks.values())
    return tuple(Panel(*key, _placed(own, with_features=several)) for key, own in tasks.items())


def _placed(cells: Sequence[Cell], *, with_features: bool) -> Mapping[tuple[Method, float], Cell]:
    """Return the cells of a task by their place, each of which one number may claim."""
    _refuse_other_protocols(cells)
    placed: dict[tuple[Method, float], Cell] = {}
    for cell in cells:
        place = Method(cell.method if with_features else cell.baseline, cell.kind), cell.fraction
        if place in placed:
            raise StoreError(
                f"Two numbers claim the place of {cell.method} on {cell.task} at {cell.fraction:.0%}, as with other "
                "settings or on another device: draw a store or an export that holds one of them."
            )
        placed[place] = cell
    return placed


def _refuse_other_protocols(cells: Iterable[Cell]) -> None:
    protocols = Counter(fraction for fraction, _ in {(cell.fraction, cell.protocol) for cell in cells})
    for cell in cells:
        if protocols[cell.fraction] > 1:
            raise StoreError(
                f"Numbers of {protocols[cell.fraction]} protocols stand on {cell.task} at {cell.fraction:.0%} and do "
                "not compare: draw a store or an export that holds one of them."
            )


def _best_first(panels: Sequence[Panel]) -> tuple[Method, ...]:
    """Return every method, the best mean rank first; ranks are shares, since tasks differ in how many methods ran."""
    ranks: dict[Method, list[float]] = defaultdict(list)
    for panel in panels:
        for (method, fraction), cell in panel.cells.items():
            rivals = [other.mean for (_, at), other in panel.cells.items() if at == fraction]
            better, equal = (sum(map(test, rivals)) for test in (cell.mean.__lt__, cell.mean.__eq__))
            ranks[method].append((better + equal / 2) / len(rivals))
    return tuple(sorted(ranks, key=lambda method: (fmean(ranks[method]), method)))
