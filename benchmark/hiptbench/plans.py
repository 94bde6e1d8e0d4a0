"""Plan: every fold that a run stands for, what is done already, and what is skipped and why."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
from jaxtyping import Bool

from hiptbench import rooms
from hiptbench.baselines import Baseline
from hiptbench.code_hash import library_versions, source_hash
from hiptbench.contamination import NOTHING as UNTRAINED
from hiptbench.contamination import collections_of
from hiptbench.errors import FeatureError, RunError, name_some
from hiptbench.feature_sources import packed
from hiptbench.features import FeatureSet
from hiptbench.files import sha256_file
from hiptbench.fractions import BY_PATIENTS, FractionRule, take
from hiptbench.heads.base import Head, TrainedHead, resolve
from hiptbench.jobs import Job
from hiptbench.kept import NOTHING, Keep
from hiptbench.registry import settings_of
from hiptbench.results import Protocol, Provenance
from hiptbench.store import Store
from hiptbench.suites import Suite
from hiptbench.task_cohort import restrict
from hiptbench.tasks import Task

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Request:
    """What a user asked to run.

    Attributes:
        suite: The suite that fractions and metrics come from.
        tasks: Names of the tasks.
        features: Name or folder; None takes each task's own.
        baselines: The methods.
        fractions: Training fractions; None takes the suite's.
        by_patients: Whether fractions are drawn by patients, stratified and nested, and not by the suite's rule.
        seeds: Seeds of the fits; methods that draw nothing run the first only.
        device: Where to train; None leaves it to each method.
        allow_missing: Whether a cohort may lack slides; such rows are never ranked with complete ones.
        verify: Whether to read and hash all feature files again.
        home: The data home.
    """

    suite: Suite
    tasks: Sequence[str]
    features: str | None
    baselines: Sequence[Baseline]
    fractions: Sequence[float] | None = None
    by_patients: bool = False
    seeds: Sequence[int] = (1,)
    device: str | None = None
    allow_missing: bool = False
    verify: bool = False
    home: Path | None = None

    @property
    def rule(self) -> FractionRule | None:
        """How fractions below 1 are drawn."""
        return BY_PATIENTS if self.by_patients else self.suite.fractions.rule


@dataclass(frozen=True)
class Plan:
    """The jobs of a run.

    Attributes:
        jobs: Every fold.
        skipped: Why a method does not run on a task.
        notes: What a user should know before the run: packed or changed features.
    """

    jobs: tuple[Job, ...]
    skipped: tuple[str, ...]
    notes: tuple[str, ...]

    def to_do(self, store: Store, keep: Keep = NOTHING) -> tuple[Job, ...]:
        """Return the jobs that the store does not have yet, or not with all that is to be kept."""
        return tuple(
            job for job in self.jobs if not (store.has(job.fingerprint) and store.kept(job.fingerprint).has(keep))
        )


def make_plan(request: Request, *, on_file: Progress | None = None) -> Plan:
    """Check that a request can be run and list its folds; nothing is fitted.

    Args:
        request: What to run.
        on_file: Called with (files done, files in all) while features are packed.

    Raises:
        HiptbenchError: If a task, its features, a head or a fraction is not usable.
    """
    jobs: list[Job] = []
    skipped: list[str] = []
    opened = _Opened(request, on_file)
    for name in request.tasks:
        task = Task.load(name, request.home)
        usable = [baseline for baseline in request.baselines if not baseline.skip(task.spec)]
        skipped += [reason for baseline in request.baselines if (reason := baseline.skip(task.spec))]
        if usable:
            features, path = opened.features(task)
            cohort = _cohort(task, features, request.allow_missing)
            if void := _void(cohort, features):
                skipped.append(void)
                continue
            instance = features[cohort.all_slides[0]].shape[1:]
            for baseline in usable:
                head = resolve(baseline.on_device(request.device).make_head(), task.spec)
                misfit = head.misfit(instance) if isinstance(head, TrainedHead) else None
                if misfit:
                    skipped.append(f"{baseline.name}: {misfit}")
                else:
                    jobs += _jobs(request, task, cohort, features, path, baseline, head)
    if not jobs:
        raise RunError(f"There is nothing to run: {'; '.join(skipped) or 'no task was given'}.")
    unique = {job.fingerprint: job for job in jobs}  # a name or seed may have been given twice
    return Plan(tuple(unique.values()), tuple(dict.fromkeys(skipped)), tuple(opened.notes))


class _Opened:
    """Opens each feature set once and collects what there is to say about it."""

    def __init__(self, request: Request, on_file: Progress | None) -> None:
        self.request, self.on_file = request, on_file
        self.notes: list[str] = []
        self._open: dict[str, tuple[FeatureSet, Path]] = {}

    def features(self, task: Task) -> tuple[FeatureSet, Path]:
        name = self.request.features or task.spec.features
        if name is None:
            raise RunError(f"{task.name} has no features of its own: give --features NAME or --features DIR.")
        if name not in self._open:
            opened, path, report = packed(name, self.request.home, verify=self.request.verify, on_file=self.on_file)
            self._open[name] = opened, path
            if report and report.changed:
                self.notes.append(
                    f"{len(report.changed)} slides of '{opened.card.name}' have changed since they were packed "
                    f"({name_some(report.changed)}): every fold of their tasks runs again."
                )
        return self._open[name]


def _cohort(task: Task, features: FeatureSet, allow_missing: bool) -> Task:
    missing = features.missing(task.all_slides)
    if missing and not allow_missing:
        raise FeatureError(
            f"The features '{features.card.name}' lack {len(missing)} of the {len(task.all_slides)} slides of "
            f"{task.name}: {name_some(missing)}. Add them, or run with --allow-missing: such rows are never ranked "
            "with complete ones."
        )
    return restrict(task, features)


def _void(cohort: Task, features: FeatureSet) -> str | None:
    """Return why nothing that is learnt from one-hot features, or the like, can be told of the tested; or None.

    So it is with the site as feature where no tested site is trained on. What a head then predicts differs by rounding.
    """
    if features.card.level != "slide":
        return None
    parts = [(split.train, getattr(split, cohort.spec.evaluate_on)) for split in cohort.splits]
    void = sum(not (_used(cohort, features, train) & _used(cohort, features, tested)).any() for train, tested in parts)
    if not void:
        return None
    return (
        f"'{features.card.name}' tells nothing of {cohort.name}: in {void} of {len(parts)} folds every column that a "
        "tested slide has a value in is zero in all of training"
    )


def _used(cohort: Task, features: FeatureSet, units: Sequence[str]) -> Bool[np.ndarray, " *dim"]:
    """Return which columns are other than zero in any slide of some units."""
    used: Bool[np.ndarray, " *dim"] = np.any(
        [features[slide].any(axis=0) for unit in units for slide in cohort.slides(unit)], axis=0
    )
    return used


def _jobs(
    request: Request, task: Task, cohort: Task, features: FeatureSet, path: Path, baseline: Baseline, head: Head
) -> Iterator[Job]:
    """Yield every fold of one method on one task."""
    provenance = _provenance(head, features, cohort)
    trained = isinstance(head, TrainedHead)  # others have no more settings than were given
    settled = baseline.model_copy(update={"settings": provenance.settings}) if trained else baseline
    reads_features = getattr(head, "reads_features", True)  # few heads read none, and those say so
    pretrained_on = features.card.pretrained_on if reads_features else (UNTRAINED,)
    collections = collections_of(task.spec, task.all_slides)
    for fraction in request.fractions or request.suite.fractions_of(task.spec):
        rule = request.rule if fraction < 1 else None
        protocol = _protocol(request.suite, task, cohort, fraction, rule)
        runs = product(request.seeds if head.stochastic else (1,), range(protocol.draws), cohort.splits)
        for seed, draw, split in runs:
            yield Job(
                protocol=protocol,
                provenance=provenance,
                kind="synthetic" if task.spec.synthetic or features.card.synthetic else "measured",
                baseline=settled,
                features=features.card.name,
                features_path=path,
                home=rooms.home(request.home),
                rule=rule,
                fold=split.fold,
                draw=draw,
                seed=seed,
                pretrained_on=pretrained_on,
                collections=collections,
            )


def _protocol(suite: Suite, task: Task, cohort: Task, fraction: float, rule: FractionRule | None) -> Protocol:
    for split in cohort.splits:
        take(cohort, split, fraction, rule=rule)  # refuses a fraction that cannot be drawn before any work starts
    hashes = cohort.hashes
    return Protocol(
        suite=suite.name,
        task=task.name,
        task_kind=task.spec.kind,
        cohort=hashes.cohort,
        labels=hashes.labels,
        splits=hashes.splits,
        folds=len(cohort.splits),
        evaluated_units=len(cohort.ever_evaluated),
        missing_units=len(task.units) - len(cohort.units),
        missing_slides=len(task.all_slides) - len(cohort.all_slides),
        fraction=fraction,
        fraction_rule=rule.stated if rule else None,
        draws=rule.draws if rule else 1,
        evaluate_on=task.spec.evaluate_on,
        unit=task.spec.unit,
    )


def _provenance(head: Head, features: FeatureSet, cohort: Task) -> Provenance:
    head_class = type(head)
    ours = head_class.__module__.startswith("hiptbench.")
    trained = head if isinstance(head, TrainedHead) else None
    return Provenance(
        feature_hash=features.content_hash(cohort.all_slides),
        coords_hash=features.coords_hash(cohort.all_slides),
        head=f"{head_class.__module__}:{head_class.__qualname__}",
        settings=settings_of(head),
        files=file_hashes(trained) if trained else {},
        selection=trained.selection if trained else "none" if ours else "unknown",
        epoch_rule=trained.epoch_rule if trained else None,
        device=trained.device if trained else "cpu" if ours else "unknown",
        precision=trained.precision if trained else "float64" if ours else "unknown",
        versions=library_versions(),
        source_hash=source_hash(head_class.__module__, *(trained.sources if trained else ())),
    )


def file_hashes(head: TrainedHead) -> dict[str, str]:
    """Return the SHA-256 of each file that a head's training begins with.

    Raises:
        RunError: If there is no such file.
    """
    for path in head.files:
        if not path.is_file():
            raise RunError(f"There is no file {path} to begin the training with. Name an existing one.")
    return {path.name: sha256_file(path) for path in head.files}
