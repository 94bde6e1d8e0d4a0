"""One fold as a job that any process can run, given nothing but names and paths."""

import math
import platform
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from hiptbench.baselines import Baseline
from hiptbench.errors import HiptbenchError, RunError
from hiptbench.evaluation import Evaluation, evaluate_split
from hiptbench.features import FeatureSet
from hiptbench.files import sha256_lines
from hiptbench.fractions import FractionRule, take
from hiptbench.heads.base import Fitted
from hiptbench.kept import NOTHING, BagAttention, Keep
from hiptbench.messages import send
from hiptbench.predictions import Predictions
from hiptbench.results import FoldResult, Protocol, Provenance, ResultKind, Timing, definitions_of, fingerprint
from hiptbench.splits import Split
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
        pretrained_on: What the features' encoder was trained on; "nothing" where the head reads no features.
        collections: Where the task's slides come from.
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
    pretrained_on: tuple[str, ...]
    collections: tuple[str, ...] | None

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
        protocol = self.protocol
        fraction = "" if protocol.fraction == 1 else f" at {protocol.fraction:.0%}"
        draw = "" if protocol.draws == 1 else f", draw {self.draw}"
        method = f"{self.features}/{self.baseline.name}"
        return f"{protocol.task}{fraction}, {method}, fold {self.fold}{draw}, seed {self.seed}"

    def split_of(self, task: Task) -> Split:
        """Return the fold's split, with the fraction of its training part that this job draws."""
        return take(task, task.split(self.fold), self.protocol.fraction, rule=self.rule, draw=self.draw)

    def result(self, evaluation: Evaluation, timing: Timing, training_median_risk: float | None) -> FoldResult:
        """Return the row of this job's outcome; see ``FoldResult``."""
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
            history=tuple(_finite(measured) for measured in evaluation.fitted.history),
            provenance=self.provenance,
            timing=timing,
            training_median_risk=training_median_risk,
            pretrained_on=self.pretrained_on,
            collections=self.collections,
        )


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a finished fold leaves.

    Attributes:
        row: Its row.
        predictions: Units, truth and predictions, without attention.
        attention: The attention on each evaluated bag; None if it is not to be kept, empty if the head has none.
        fitted: The fitted head, if it is to be kept.
    """

    row: FoldResult
    predictions: Predictions
    attention: Sequence[BagAttention] | None
    fitted: Fitted | None


def run_job(job: Job, *, executor: str = "serial", keep: Keep = NOTHING) -> Outcome:
    """Run one fold, on one thread, and return what it leaves; nothing is written.

    Args:
        job: The fold.
        executor: Name of the executor that runs it, for the row.
        keep: What is kept beside the row.

    Raises:
        RunError: If the fold fails for a reason that the user can mend; the job is named.
    """
    begin = time.perf_counter()
    send({"job": job.fingerprint, "label": job.label})
    try:
        with threadpool_limits(limits=1):
            evaluation = _evaluate(job)
            cut = _training_median_risk(job, evaluation) if isinstance(evaluation.target, Survival) else None
            attention = _attention(job, evaluation) if keep.attention else None
    except HiptbenchError as error:
        raise RunError(f"{job.label}: {error}") from error
    timing = Timing(
        seconds=round(time.perf_counter() - begin, 3),
        host=platform.node(),
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        executor=executor,
    )
    prediction = evaluation.prediction
    return Outcome(
        row=job.result(evaluation, timing, cut),
        predictions=(evaluation.units, evaluation.target, replace(prediction, attention=None)),
        attention=attention,
        fitted=evaluation.fitted if keep.models else None,
    )


def _evaluate(job: Job) -> Evaluation:
    task, features = load_inputs(job)

    def on_epoch(measured: Mapping[str, float]) -> None:
        send({"job": job.fingerprint, "label": job.label, **measured})

    return evaluate_split(
        task, job.split_of(task), features, job.baseline.make_head(), seed=job.seed, on_epoch=on_epoch
    )


def _attention(job: Job, evaluation: Evaluation) -> tuple[BagAttention, ...]:
    """Return the attention on the evaluated bags, of a head that has some, with where their instances lie."""
    task, features = load_inputs(job)
    weights = evaluation.prediction.attention or ()
    pairs = zip(evaluation.units, weights, strict=True) if weights else ()
    return tuple(BagAttention.of(features.bag(unit, task.slides(unit)), of_unit) for unit, of_unit in pairs)


def _training_median_risk(job: Job, evaluation: Evaluation) -> float | None:
    task, features = load_inputs(job)
    bags = [features.bag(unit, task.slides(unit)) for unit in job.split_of(task).train]
    risk = evaluation.fitted.predict(bags).risk
    return None if risk is None else float(np.median(risk))


def _finite(measured: Mapping[str, float]) -> dict[str, float]:
    """Return what JSON can hold of what an epoch measured; a head of anybody's own may measure other things."""
    numbers = {name: value for name, value in measured.items() if isinstance(value, int | float)}
    return {name: float(value) for name, value in numbers.items() if math.isfinite(value)}


def load_inputs(job: Job) -> tuple[Task, FeatureSet]:
    """Return the task and the features of a job.

    Raises:
        RunError: If they are not those that the job was planned with.
    """
    protocol = job.protocol
    hashes = (protocol.cohort, protocol.labels, protocol.splits, job.provenance.feature_hash)
    return _load(protocol.task, job.home, job.features_path, hashes)


@lru_cache(maxsize=4)
def _load(name: str, home: Path, path: Path, hashes: tuple[str | None, ...]) -> tuple[Task, FeatureSet]:
    """Keep the last few tasks of a worker: most jobs in a row are folds of the same one."""
    features = FeatureSet.open(path)
    task = restrict(Task.load(name, home), features)
    found = (task.hashes.cohort, task.hashes.labels, task.hashes.splits, features.content_hash(task.all_slides))
    if found != hashes:
        raise RunError(f"the data of {name} or the features in {path} changed during the run; start it again")
    return task, features
