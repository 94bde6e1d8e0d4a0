"""Reproduced? Our own trained results held against the published ones, by a rule fixed before they were run."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean, stdev

from hiptbench.cells import protocol_id, shown_runs
from hiptbench.claims import Claim, ClaimGroup, Reference, Reproduction, references, settings_hash
from hiptbench.errors import UnknownNameError
from hiptbench.metrics import definition_of
from hiptbench.published import PublishedFold, read_published
from hiptbench.published_rows import published_protocol
from hiptbench.results import FoldResult
from hiptbench.sources.importing import load_published_features
from hiptbench.tables.recompute import Key

REPRODUCED, NOT_REPRODUCED = "reproduced", "not reproduced"
NOT_RUN, NO_REFERENCE = "not run", "no published value"


@dataclass(frozen=True)
class Assessment:
    """A claim beside one run of ours, a run being every fold of all its seeds.

    Attributes:
        claim: The claim.
        reference: The published value.
        tolerance: Largest difference that holds however little the seeds differ.
        seeds: The seeds fixed in advance.
        protocol: Short name of the Protocol with the metric.
        variant: Short name of the run's provenance; None if there is no run.
        by_seed: Each of the seeds fixed in advance that was run, to our mean over folds.
        by_fold: Fold to our mean over those seeds.
    """

    claim: Claim
    reference: Reference
    tolerance: float
    seeds: tuple[int, ...]
    protocol: str
    variant: str | None
    by_seed: Mapping[int, float]
    by_fold: Mapping[int, float]

    @property
    def mean(self) -> float | None:
        """Our mean over seeds of the mean over folds."""
        return fmean(self.by_seed.values()) if self.by_seed else None

    @property
    def sd_seeds(self) -> float | None:
        """Sample standard deviation (ddof 1) over seeds of the mean over folds."""
        return stdev(self.by_seed.values()) if len(self.by_seed) > 1 else None

    @property
    def allowed(self) -> float | None:
        """The largest difference that holds; None before all seeds were run.

        The published value is of one seed, ours the mean of S, so by chance alone their difference has a standard
        deviation of ``sqrt(1 + 1/S)`` times that of one seed. Two of these are allowed, or the tolerance if it is more.
        """
        if self.sd_seeds is None or len(self.by_seed) < len(self.seeds):
            return None
        return max(self.tolerance, 2 * sqrt(1 + 1 / len(self.seeds)) * self.sd_seeds)

    @property
    def difference(self) -> float | None:
        """Our mean less the published one."""
        return None if self.mean is None or self.reference.mean is None else self.mean - self.reference.mean

    @property
    def verdict(self) -> str:
        """Whether the claim holds, or why nothing can be said of it."""
        if self.variant is None:
            return NOT_RUN
        if self.allowed is None:
            return f"{len(self.by_seed)} of {len(self.seeds)} seeds"
        if self.difference is None:
            return NO_REFERENCE
        return REPRODUCED if abs(self.difference) <= self.allowed else NOT_REPRODUCED

    @property
    def fold_differences(self) -> dict[int, float]:
        """Fold to our mean over seeds less the authors' value; empty unless both sides have the same folds."""
        if self.by_fold.keys() != self.reference.folds.keys():
            return {}
        return {fold: value - self.reference.folds[fold] for fold, value in self.by_fold.items()}


@dataclass(frozen=True)
class GroupReport:
    """The claims of a group, one assessment each, in the group's order."""

    group: ClaimGroup
    assessments: tuple[Assessment, ...]

    @property
    def holding(self) -> int:
        """How many claims hold."""
        return sum(one.verdict == REPRODUCED for one in self.assessments)


def report(stated: Reproduction, rows: Sequence[FoldResult], folds: Sequence[PublishedFold]) -> tuple[GroupReport, ...]:
    """Hold our results against the published ones.

    Args:
        stated: The claims.
        rows: Rows of a store or an export. Of several runs that the leaderboard shows under one name, as on another
            device, the one with the most seeds counts, of equal ones the newest.
        folds: The authors' folds, as imported.

    Raises:
        UnknownNameError: If a claim names a table or a cell that does not exist.
    """
    runs: dict[Claim, list[Assessment]] = defaultdict(list)
    for one in assess(stated, rows, folds):
        runs[one.claim].append(one)  # the newest first
    best = {claim: max(found, key=lambda one: len(one.by_seed)) for claim, found in runs.items()}
    return tuple(GroupReport(group, tuple(best[claim] for claim in group.claims)) for group in stated.groups)


def assess(
    stated: Reproduction,
    rows: Sequence[FoldResult],
    folds: Sequence[PublishedFold],
    *,
    all_variants: bool = False,
) -> list[Assessment]:
    """Assess every run on the leaderboard that a claim is about, newest first, and every claim without one.

    Args:
        stated: The claims.
        rows: Rows of a store or an export. Only measured ones under the published value's Protocol, so on its complete
            cohort, with the stated settings and the published features are about a claim.
        folds: The authors' folds, as imported.
        all_variants: Whether to assess every provenance, not only the newest.

    Raises:
        UnknownNameError: If a claim names a table or a cell that does not exist.
    """
    runs, _ = shown_runs([row for row in rows if row.kind == "measured"], all_variants=all_variants)
    return [one for group in stated.groups for one in _assess_group(group, stated, runs, folds)]


def _assess_group(
    group: ClaimGroup, stated: Reproduction, runs: Sequence[Sequence[FoldResult]], folds: Sequence[PublishedFold]
) -> list[Assessment]:
    table = read_published(group.table)
    known, metric = references(table, folds), table.metric
    assessed = []
    for claim in group.claims:
        if claim.cell not in known:
            raise UnknownNameError(f"cell of table {table.name}", _words(claim.cell), [_words(cell) for cell in known])
        protocol = published_protocol(claim.task, claim.fraction).id_for(metric, definition_of(metric))
        own = [run for run in runs if _is_of(run[0], claim, metric, protocol) and _as_stated(run[0], claim, stated)]
        assessed += [assess_run(stated, claim, known[claim.cell], run, metric, protocol) for run in own or [()]]
    return assessed


def _words(cell: Key) -> str:
    task, method, fraction = cell
    return f"{task}, {method}, {fraction:g}"


def _is_of(row: FoldResult, claim: Claim, metric: str, protocol: str) -> bool:
    same = (row.features, row.baseline) == (claim.features, claim.baseline)
    return same and metric in row.metrics and protocol_id(row, metric) == protocol


def _as_stated(row: FoldResult, claim: Claim, stated: Reproduction) -> bool:
    """Whether a row was made with the settings and on the features of the claim, and not only under their names."""
    provenance = row.provenance
    features = load_published_features(claim.features).content_hashes[claim.task]
    settings = stated.settings[claim.baseline][claim.task]
    return provenance.feature_hash == features and settings_hash(provenance.settings) == settings


def assess_run(
    stated: Reproduction, claim: Claim, reference: Reference, run: Sequence[FoldResult], metric: str, protocol: str
) -> Assessment:
    """Hold one run against a claim.

    Args:
        stated: What the claim is a part of; rows with other seeds than its own are ignored.
        claim: The claim.
        reference: The published value.
        run: Every fold of each of the run's seeds; empty if nothing was run.
        metric: The metric to compare.
        protocol: Short name of the run's Protocol with the metric.
    """
    by_seed: dict[int, list[float]] = defaultdict(list)
    by_fold: dict[int, list[float]] = defaultdict(list)
    for row in run:
        if row.seed in stated.seeds:
            by_seed[row.seed].append(row.metrics[metric])
            by_fold[row.fold].append(row.metrics[metric])
    return Assessment(
        claim=claim,
        reference=reference,
        tolerance=stated.tolerances[claim.tolerance].value,
        seeds=stated.seeds,
        protocol=protocol,
        variant=run[0].provenance.variant if run else None,
        by_seed={seed: fmean(by_seed[seed]) for seed in sorted(by_seed)},
        by_fold={fold: fmean(by_fold[fold]) for fold in sorted(by_fold)},
    )
