"""Methods under one Protocol side by side: what intervals and comparisons are computed from."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import fmean

from hiptbench.cells import protocol_id, ranked_by, registered_suites, shown_runs
from hiptbench.errors import StoreError, UnknownNameError
from hiptbench.files import sha256_json
from hiptbench.joining import Joined
from hiptbench.predictions import Predictions
from hiptbench.results import FoldResult, Protocol, ResultKind
from hiptbench.suites import Suite
from hiptbench.task_spec import Kind

PanelKey = tuple[ResultKind, str]


@dataclass(frozen=True, eq=False)
class Run:
    """One method with one provenance: every fold of its seeds and draws.

    Attributes:
        name: "features/baseline"; with the variant behind it where two runs of a panel would share a name.
        rows: Its folds.
    """

    name: str
    rows: tuple[FoldResult, ...]

    @property
    def variant(self) -> str:
        """Short name of the provenance."""
        return self.rows[0].provenance.variant

    @cached_property
    def card(self) -> str:
        """Short name of the card behind the run's number; the same however many seeds it has."""
        row = self.rows[0]
        return sha256_json([row.kind, row.protocol.model_dump(), row.features, row.baseline, self.variant])[:10]

    @cached_property
    def repeats(self) -> tuple[tuple[FoldResult, ...], ...]:
        """The folds, in order, of each seed and draw."""
        grouped: dict[tuple[int, int], list[FoldResult]] = defaultdict(list)
        for row in sorted(self.rows, key=lambda row: (row.seed, row.draw, row.fold)):
            grouped[row.seed, row.draw].append(row)
        return tuple(tuple(rows) for rows in grouped.values())

    def by_fold(self, metric: str) -> dict[int, float]:
        """Return fold to value, a mean over seeds and draws."""
        found: dict[int, list[float]] = defaultdict(list)
        for row in self.rows:
            found[row.fold].append(row.metrics[metric])
        return {fold: fmean(values) for fold, values in sorted(found.items())}

    def predictions(self, joined: Joined) -> list[list[Predictions]]:
        """Return what each seed and draw predicted, fold by fold."""
        return [[joined.predictions(row) for row in rows] for rows in self.repeats]


@dataclass(frozen=True, eq=False)
class Panel:
    """The runs of one kind under one Protocol; only these may be compared.

    Attributes:
        kind: Measured, published or synthetic.
        protocol: What is equal among them.
        metric: What they are ranked by.
        runs: The runs, best first.
    """

    kind: ResultKind
    protocol: Protocol
    metric: str
    runs: tuple[Run, ...]

    @property
    def id(self) -> str:
        """Short name of the Protocol with the metric, as a cell shows it."""
        return protocol_id(self.runs[0].rows[0], self.metric)

    @property
    def key(self) -> PanelKey:
        """What tells it from other panels: kind and short name of the Protocol."""
        return self.kind, self.id

    def run(self, name: str) -> Run | None:
        """Return the run of that name."""
        return next((run for run in self.runs if run.name == name), None)

    def mean(self, run: Run) -> float:
        """Return a run's mean over folds."""
        return fmean(run.by_fold(self.metric).values())


_SHORT = 40  # characters of a value, enough to tell hashes apart

FamilyKey = tuple[str, float, str, Kind, ResultKind]
"""Suite, fraction, its rule, kind of task and kind of results: what one family of comparisons has in common."""


def panels(rows: Iterable[FoldResult], *, all_variants: bool = False) -> list[Panel]:
    """Group rows into panels; incomplete runs and older variants are left out, as on the leaderboard.

    Args:
        rows: Rows of a store or an export.
        all_variants: Whether to take every provenance, not only the newest.
    """
    runs, _ = shown_runs(rows, all_variants=all_variants)
    suites = registered_suites()
    grouped: dict[tuple[ResultKind, str, str], list[list[FoldResult]]] = defaultdict(list)
    for run in runs:
        metric = ranked_by(run[0].protocol, suites)
        if metric in run[0].metrics:
            grouped[run[0].kind, run[0].protocol.model_dump_json(), metric].append(run)
    return [_panel(kind, metric, group) for (kind, _, metric), group in grouped.items()]


def _panel(kind: ResultKind, metric: str, group: Sequence[Sequence[FoldResult]]) -> Panel:
    shared = Counter(_method(run[0]) for run in group)
    runs = [Run(_name(run[0], shared), tuple(run)) for run in group]
    best_first = sorted(runs, key=lambda run: (-fmean(run.by_fold(metric).values()), run.name))
    return Panel(kind, group[0][0].protocol, metric, tuple(best_first))


def _method(row: FoldResult) -> str:
    return f"{row.features}/{row.baseline}"


def _name(row: FoldResult, shared: Mapping[str, int]) -> str:
    method = _method(row)
    return method if shared[method] == 1 else f"{method} [{row.provenance.variant}]"


def by_family(found: Iterable[Panel]) -> dict[FamilyKey, list[Panel]]:
    """Group panels of complete cohorts into families, tasks in their suite's order.

    Where a task has several Protocols in a family, such as cohorts of two versions, the one with the most runs stands.
    """
    suites = registered_suites()
    families: dict[FamilyKey, dict[str, Panel]] = defaultdict(dict)
    for panel in sorted(found, key=lambda panel: -len(panel.runs)):
        protocol = panel.protocol
        if not protocol.missing_slides:
            key = (protocol.suite, protocol.fraction, protocol.fraction_rule or "", protocol.task_kind, panel.kind)
            families[key].setdefault(protocol.task, panel)
    return {key: _in_order(tasks, suites.get(key[0])) for key, tasks in sorted(families.items())}


def _in_order(tasks: Mapping[str, Panel], suite: Suite | None) -> list[Panel]:
    order = suite.tasks if suite else sorted(tasks)
    return [tasks[task] for task in order if task in tasks]


def find_method(given: str, found: Iterable[Panel]) -> str:
    """Return the name of a run that a user names by "features/baseline" or by a baseline that only one has.

    Raises:
        UnknownNameError: If no run has the name.
        StoreError: If several do.
    """
    names = dict.fromkeys(run.name for panel in found for run in panel.runs)
    if given in names:
        return given
    matching = [name for name in names if name.partition("/")[2] == given]
    if len(matching) > 1:
        raise StoreError(f"'{given}' was run with several features: name one of {', '.join(matching)}.")
    if not matching:
        raise UnknownNameError("method in these results", given, names)
    return matching[0]


def refuse_other_protocols(first: str, second: str, found: Sequence[Panel]) -> None:
    """Refuse two methods that no Protocol has in common, saying what differs.

    Raises:
        StoreError: If they were never run under one Protocol.
    """
    ours, theirs = ([panel for panel in found if panel.run(name)] for name in (first, second))
    if any(panel in theirs for panel in ours):
        return
    alike = max(((a, b) for a in ours for b in theirs), key=lambda pair: -len(_differing(*pair)), default=None)
    differs = "; ".join(_differing(*alike)) if alike else "one of them has no results"
    raise StoreError(
        f"{first} and {second} were never run under one Protocol, so that their numbers cannot be compared. "
        f"What differs: {differs}. Run both alike."
    )


def _differing(first: Panel, second: Panel) -> list[str]:
    """Return in words what two panels differ in."""
    ours, theirs = ({"kind": panel.kind} | panel.protocol.model_dump() for panel in (first, second))
    return [
        f"{name} {str(ours[name])[:_SHORT]} and {str(theirs[name])[:_SHORT]}"
        for name in ours
        if ours[name] != theirs[name]
    ]
