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
from hiptbench.evaluate import Evaluation, evaluate_split
from hiptbench.features import FeatureSet
from hiptbench.files import sha256_lines
from hiptbench.results import FoldResult, Protocol, Provenance, ResultKind, Timing, fingerprint
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
            n=len(evaluation.units),
            units_sha256=sha256_lines(evaluation.units),
            events=int(target.event.sum()) if isinstance(target, Survival) else None,
            provenance=self.provenance,
            timing=timing,
        )


def run_job(job: Job) -> tuple[FoldResult, Evaluation]:
    """Run one fold, on one thread, and return its row and outcome; nothing is written.

    Raises:
        RunError: If the fold fails for a reason that the user can mend; the job is named.
    """
    begin = time.perf_counter()
    task, features = _load(job.protocol.task, job.home, job.features_path)
    split = next(split for split in task.splits if split.fold == job.fold)
    split = split.take(job.protocol.fraction, rule=job.rule, draw=job.draw)
    head = job.baseline.make_head()
    try:
        with threadpool_limits(limits=1):
            evaluation = evaluate_split(task, split, features, head, seed=job.seed)
    except HiptbenchError as error:
        raise RunError(f"{job.label}: {error}") from error
    seconds = round(time.perf_counter() - begin, 3)
    timing = Timing(seconds=seconds, host=platform.node(), date=datetime.now(UTC).isoformat(timespec="seconds"))
    return job.result(evaluation, timing), evaluation


@lru_cache(maxsize=4)
def _load(task: str, home: Path, features: Path) -> tuple[Task, FeatureSet]:
    """Keep the last few tasks of a worker: most jobs in a row are folds of the same one."""
    feature_set = FeatureSet.open(features)
    return restrict(Task.load(task, home), feature_set), feature_set
