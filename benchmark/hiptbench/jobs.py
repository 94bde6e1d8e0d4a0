"""One fold as a job that any process can run, given nothing but names and paths."""

import platform
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from threadpoolctl import threadpool_limits

from hiptbench.baselines import Baseline
from hiptbench.errors import HiptbenchError, RunError
from hiptbench.evaluation import Evaluation, evaluate_split
from hiptbench.features import FeatureSet
from hiptbench.files import sha256_lines
from hiptbench.predictions import Predictions
from hiptbench.results import FoldResult, Protocol, Provenance, ResultKind, Timing, definitions_of, fingerprint
from hiptbench.splits import FractionRule
from hiptbench.targets import Survival
from hiptbench.task_cohort import restrict
from hiptbench.tasks import Task


@dataclass(frozen=True)
class Job:
    """One fold of one method on one task.

    Attributes:
        protocol: What must be equal to compare.
        provenance: What may differ.
        kind: Whether the data are real or simulated.
        baseline: The method.
        features: Name of the features.
        features_path: Folder of the packed features.
        home: The data home.
        rule: How a fraction of the training part is drawn.
        fold: Number of the fold.
        draw: Number of the draw.
        seed: Seed of the fit.
    """

    protocol: Protocol
    provenance: Provenance
    kind: ResultKind
    baseline: Baseline
    features: str
    features_path: Path
    home: Path
    rule: FractionRule | None
    fold: int
    draw: int
    seed: int

    @property
    def fingerprint(self) -> str:
        """Hash of everything that the result depends on."""
        return fingerprint(
            self.protocol,
            self.provenance,
            kind=self.kind,
            features=self.features,
            baseline=self.baseline.name,
            fold=self.fold,
            draw=self.draw,
            seed=self.seed,
        )

    @property
    def label(self) -> str:
        """How people call this job."""
        fraction = "" if self.protocol.fraction == 1 else f" at {self.protocol.fraction:.0%}"
        return (
            f"{self.protocol.task}{fraction}, {self.features}/{self.baseline.name}, fold {self.fold}, seed {self.seed}"
        )

    def result(self, evaluation: Evaluation, timing: Timing) -> FoldResult:
        """Return the row of this job's outcome."""
        target = evaluation.target
        return FoldResult(
            fingerprint=self.fingerprint,
            kind=self.kind,
            protocol=self.protocol,
            features=self.features,
            baseline=self.baseline.name,
            fold=self.fold,
            draw=self.draw,
            seed=self.seed,
            metrics=dict(evaluation.metrics),
            definitions=definitions_of(evaluation.metrics),
            n=len(evaluation.units),
            units_sha256=sha256_lines(evaluation.units),
            events=int(target.event.sum()) if isinstance(target, Survival) else None,
            provenance=self.provenance,
            timing=timing,
        )


def run_job(job: Job) -> tuple[FoldResult, Predictions]:
    """Run one fold, on one thread, and return its row and predictions; nothing is written.

    Raises:
        RunError: If the fold fails for a reason that the user can mend; the job is named.
    """
    begin = time.perf_counter()
    try:
        with threadpool_limits(limits=1):
            evaluation = _evaluate(job)
    except HiptbenchError as error:
        raise RunError(f"{job.label}: {error}") from error
    seconds = round(time.perf_counter() - begin, 3)
    timing = Timing(seconds=seconds, host=platform.node(), date=datetime.now(UTC).isoformat(timespec="seconds"))
    return job.result(evaluation, timing), (evaluation.units, evaluation.target, evaluation.prediction)


def _evaluate(job: Job) -> Evaluation:
    protocol = job.protocol
    hashes = (protocol.cohort, protocol.labels, protocol.splits, job.provenance.feature_hash)
    task, features = _load(protocol.task, job.home, job.features_path, hashes)
    split = next(split for split in task.splits if split.fold == job.fold)
    split = split.take(protocol.fraction, rule=job.rule, draw=job.draw)
    return evaluate_split(task, split, features, job.baseline.make_head(), seed=job.seed)


@lru_cache(maxsize=4)
def _load(name: str, home: Path, path: Path, hashes: tuple[str | None, ...]) -> tuple[Task, FeatureSet]:
    """Keep the last few tasks of a worker: most jobs in a row are folds of the same one."""
    features = FeatureSet.open(path)
    task = restrict(Task.load(name, home), features)
    found = (task.hashes.cohort, task.hashes.labels, task.hashes.splits, features.content_hash(task.all_slides))
    if found != hashes:
        raise RunError(f"the data of {name} or the features in {path} changed during the run; start it again")
    return task, features
