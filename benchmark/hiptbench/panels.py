"""Methods under one Protocol side by side: what intervals and comparisons are computed from."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import fmean

from hiptbench.cells import protocol_id, ranked_by, registered_suites, shown_runs
from hiptbench.errors import StoreError, UnknownNameError
from hiptbench.files import sha256_json
from hiptbench.joining import Joined
from hiptbench.predictions import Predictions
from hiptbench.results import FoldResult, Protocol, ResultKind

PanelKey = tuple[ResultKind, str]


@dataclass(frozen=True, eq=False)
class Run:
    """One method with one provenance: every fold of its seeds and draws.

    Attributes:
        name: "features/baseline", the same on every task; with its settings' short name behind it where any task has
            the method with several settings.
        rows: Its folds.
    """

    name: str
    rows: tuple[FoldResult, ...]

    @property
    def method(self) -> str:
        """The "features/baseline" of its name."""
        return _method(self.rows[0])

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

    def mean(self, metric: str) -> float:
        """Return the mean over folds."""
        return fmean(self.by_fold(metric).values())

    def predictions(self, joined: Joined) -> list[list[Predictions]]:
        """Return what each seed and draw predicted, fold by fold."""
        return [[joined.predictions(row) for row in rows] for rows in self.repeats]


@dataclass(frozen=True, eq=False)
class Panel:
    """The runs of one kind under one Protocol and one definition of the metric; only these may be compared.

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
        return run.mean(self.metric)


_SHORT = 40  # characters of a value, enough to tell hashes apart
_NOT_SETTINGS = {"feature_hash", "coords_hash", "versions", "source_hash", "origin"}


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
            grouped[run[0].kind, protocol_id(run[0], metric), metric].append(run)
    several = _with_several_settings(grouped.values())
    return [_panel(kind, metric, group, several) for (kind, _, metric), group in grouped.items()]


def _panel(kind: ResultKind, metric: str, group: Sequence[Sequence[FoldResult]], several: Collection[str]) -> Panel:
    names = [_name(run[0], several) for run in group]
    shared = Counter(names)
    runs = [
        Run(name if shared[name] == 1 else f"{name} [{run[0].provenance.variant}]", tuple(run))
        for name, run in zip(names, group, strict=True)
    ]
    best_first = sorted(runs, key=lambda run: (-run.mean(metric), run.name))
    return Panel(kind, group[0][0].protocol, metric, tuple(best_first))


def _with_several_settings(groups: Iterable[Sequence[Sequence[FoldResult]]]) -> set[str]:
    """Return the methods that some panel has with several settings: everywhere, their names take the settings."""
    found: set[str] = set()
    for group in groups:
        settings = {(_method(run[0]), _settings(run[0])) for run in group}
        found |= {method for method, count in Counter(method for method, _ in settings).items() if count > 1}
    return found


def _method(row: FoldResult) -> str:
    return f"{row.features}/{row.baseline}"


def _name(row: FoldResult, several: Collection[str]) -> str:
    method = _method(row)
    return f"{method} [{_settings(row)}]" if method in several else method


def _settings(row: FoldResult) -> str:
    """Return the short name of what a method is apart from the task's features and the versions of code."""
    return sha256_json(row.provenance.model_dump(exclude=_NOT_SETTINGS))[:8]


def find_method(given: str, found: Iterable[Panel]) -> str:
    """Return the name of a run that a user names.

    Args:
        given: A name as ``Run.name``, "features/baseline", or a baseline alone: that on its suite's own features if
            these are among several.
        found: Where to look.

    Raises:
        UnknownNameError: If no run has the name.
        StoreError: If several do.
    """
    names = {run.name: run for panel in found for run in panel.runs}
    if given in names:
        return given
    matching = [name for name, run in names.items() if given in (run.method, run.rows[0].baseline)]
    if len({names[name].method for name in matching}) > 1:
        matching = _on_own_features(matching, found) or matching
    if len(matching) > 1:
        raise StoreError(f"'{given}' was run with several features or settings: name one of {', '.join(matching)}.")
    if not matching:
        raise UnknownNameError("method in these results", given, names)
    return matching[0]


def _on_own_features(names: Collection[str], found: Iterable[Panel]) -> list[str]:
    suites, own = registered_suites(), dict[str, None]()
    for panel in found:
        suite = suites.get(panel.protocol.suite)
        for run in panel.runs:
            if suite and run.name in names and run.rows[0].features == suite.features:
                own[run.name] = None
    return list(own)


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
