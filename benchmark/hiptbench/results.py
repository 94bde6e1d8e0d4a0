"""What a number is made of: Protocol (must be equal to compare), Provenance (shown), FoldResult (one stored row)."""

from collections.abc import Iterable
from typing import Any, Literal

import pydantic

from hiptbench.contamination import Contamination, contamination, registered_collections, registered_pretraining
from hiptbench.files import sha256_json
from hiptbench.metrics import definition_of
from hiptbench.schema import Strict
from hiptbench.task_spec import Kind, Unit

ResultKind = Literal["measured", "published", "synthetic"]


class Protocol(Strict):
    """What must be equal for two numbers to share a leaderboard cell.

    Attributes:
        suite: Name of the suite.
        task: Name of the task.
        task_kind: Kind of the task.
        cohort: Hash of the exact units and slides; a run that lacks some has another one.
        labels: Hash of the labels.
        splits: Hash of the splits.
        folds: Number of folds.
        evaluated_units: Distinct units evaluated in any fold.
        missing_units: Units of the registered cohort that this run lacks; 0 unless --allow-missing was given.
        missing_slides: Slides that it lacks.
        fraction: Fraction of the training part.
        fraction_rule: How it was drawn; None at 1.
        draws: How many draws a number is the mean of; 1 at fraction 1.
        evaluate_on: The part that the metrics are computed on.
        unit: What one prediction is for.
    """

    suite: str
    task: str
    task_kind: Kind
    cohort: str
    labels: str
    splits: str
    folds: int
    evaluated_units: int
    missing_units: int = 0
    missing_slides: int = 0
    fraction: float
    fraction_rule: str | None = None
    draws: int = 1
    evaluate_on: Literal["test", "val"]
    unit: Unit

    def id_for(self, metric: str, definition: str) -> str:
        """Return the short name of this protocol with a metric and its definition."""
        return sha256_json([self.model_dump(), metric, definition])[:12]


class Provenance(Strict):
    """What may differ between two numbers of one Protocol, and is always shown.

    Attributes:
        feature_hash: Content hash of the cohort's features.
        coords_hash: Hash of the instances' coordinates, where the features have some.
        head: "package.module:Class" of the head.
        settings: Every setting of the head, defaults included.
        files: SHA-256 of the files that training begins with, such as a checkpoint, by their names.
        selection: What guided the choice of epoch or setting; "test" and "val" exist on published rows only.
            "unknown", here and below, is said of heads of others.
        epoch_rule: Which epoch's model was evaluated; None where nothing is iterated.
        device: Class of device.
        precision: Floating-point precision of the fit.
        versions: Versions of the numeric libraries.
        source_hash: SHA-256 over the sources of the head, what it uses, and the metrics.
        origin: Where a published number was read from.
    """

    feature_hash: str | None = None
    coords_hash: str | None = None
    head: str | None = None
    settings: dict[str, Any] = pydantic.Field(default_factory=dict)
    files: dict[str, str] = pydantic.Field(default_factory=dict)
    selection: Literal["none", "inner val", "val", "test", "unknown"] = "none"
    epoch_rule: str | None = None
    device: str = "cpu"
    precision: str = "float64"
    versions: dict[str, str] = pydantic.Field(default_factory=dict)
    source_hash: str | None = None
    origin: str | None = None

    @property
    def method(self) -> str:
        """Return the short name of what was run: the same method in another version of code or libraries has it too."""
        return sha256_json(self.model_dump(exclude={"versions", "source_hash"}))[:12]

    @property
    def variant(self) -> str:
        """Return the short name of this provenance; numbers of two variants are never averaged."""
        return sha256_json(self.model_dump())[:12]


class Timing(Strict):
    """When, where and on which executor a fold ran; outside every comparison and every fingerprint."""

    seconds: float
    host: str
    date: str
    executor: str | None = None


def definitions_of(metrics: Iterable[str]) -> dict[str, str]:
    """Return today's definitions of metrics, as a row computed today keeps them."""
    return {name: definition_of(name) for name in metrics}


class FoldResult(Strict):
    """One row of the results store: one fold of one method under one Protocol.

    Attributes:
        fingerprint: Hash of everything that the number depends on; "the fingerprint exists" means "it is done".
        kind: Measured on real data, published by others, or measured on simulated data.
        protocol: What must be equal to compare.
        features: Name of the features.
        baseline: Name of the method.
        fold: Number of the fold.
        draw: Number of the training subset's draw.
        seed: Seed of the fit.
        metrics: Metric to value.
        definitions: Metric to its definition when the value was computed.
        n: Units evaluated.
        units_sha256: Hash of the evaluated units' ids, in order.
        events: Events among them; survival only.
        provenance: What may differ.
        history: What training measured in each epoch; empty where nothing is iterated.
        timing: When and where.
        predictions_sha256: Hash of the predictions file; None where only the metrics are published.
        training_median_risk: Median risk that the model predicts for its training part, by which evaluated units are
            cut into groups; None for classification, and in rows stored before rows had it.
        pretrained_on: What the features' encoder was trained on, as their card says, or "nothing" where the head reads
            no features; None in rows stored before rows said so. Like the next, outside the fingerprint: the values
            that a number depends on are hashed.
        collections: Where the task's slides come from; None where that is not known. See ``hiptbench.contamination``.
    """

    fingerprint: str
    kind: ResultKind
    protocol: Protocol
    features: str
    baseline: str
    fold: int
    draw: int = 0
    seed: int
    metrics: dict[str, pydantic.FiniteFloat]
    definitions: dict[str, str]
    n: int | None = None
    units_sha256: str | None = None
    events: int | None = None
    provenance: Provenance
    history: tuple[dict[str, float], ...] = ()
    timing: Timing | None = None
    predictions_sha256: str | None = None
    training_median_risk: pydantic.FiniteFloat | None = None
    pretrained_on: tuple[str, ...] | None = None
    collections: tuple[str, ...] | None = None

    @property
    def contamination(self) -> Contamination:
        """Whether the encoder was trained on the task's slides; what a row does not say, the registry may by name."""
        trained_on, slides_from = self.pretrained_on, self.collections
        return contamination(
            registered_pretraining(self.features) if trained_on is None else trained_on,
            registered_collections(self.protocol.task) if slides_from is None else slides_from,
        )


def fingerprint(
    protocol: Protocol,
    provenance: Provenance,
    *,
    kind: ResultKind,
    features: str,
    baseline: str,
    fold: int,
    draw: int,
    seed: int,
) -> str:
    """Return the hash of everything that one fold's number depends on."""
    return sha256_json(
        {
            "protocol": protocol.model_dump(),
            "provenance": provenance.model_dump(),
            "kind": kind,
            "method": [features, baseline],
            "run": [fold, draw, seed],
        }
    )


def refingerprint(row: FoldResult) -> str:
    """Return the fingerprint that a row's contents amount to."""
    return fingerprint(
        row.protocol,
        row.provenance,
        kind=row.kind,
        features=row.features,
        baseline=row.baseline,
        fold=row.fold,
        draw=row.draw,
        seed=row.seed,
    )
