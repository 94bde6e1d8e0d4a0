"""The authors' per-fold results in a results store, and as leaderboard rows beside our own."""

import dataclasses
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from hiptbench.errors import StoreError
from hiptbench.files import sha256_json, write_text
from hiptbench.published import PublishedFold
from hiptbench.results import FoldResult, Protocol, Provenance, definitions_of
from hiptbench.suites import load_suite
from hiptbench.task_store import load_spec

SUITE = "hipt-2022"
_METRICS = {"test_auc": "auc", "test_acc": "accuracy", "val_cindex": "c_index"}
_REGION_RUNS = "results_Issue25"


def save_published(store: Path, folds: Sequence[PublishedFold]) -> None:
    """Write the authors' folds into a store, replacing those imported before."""
    lines = [json.dumps(dataclasses.asdict(fold), sort_keys=True) for fold in folds]
    write_text(_path(store), "\n".join(lines) + "\n")


def load_published(store: Path) -> tuple[PublishedFold, ...]:
    """Return the authors' folds that a store holds; none if they were not imported.

    Raises:
        StoreError: If the file is damaged.
    """
    path = _path(store)
    if not path.exists():
        return ()
    try:
        return tuple(PublishedFold(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines())
    except (ValueError, TypeError) as error:
        raise StoreError(f"{path} is damaged ({error}); run `hiptbench results import-hipt DIR` again.") from error


def as_results(folds: Iterable[PublishedFold]) -> list[FoldResult]:
    """Return the authors' folds as result rows under the Protocol of the registry's tasks.

    The folds stand on the registry's cohort, labels and splits: the training lists of all 25 % folds and the
    denominators of the c-indices witness it. Survival values are of the validation part, which is the evaluated one.
    """
    folds = list(folds)
    protocols = {key: published_protocol(*key) for key in {(fold.task, fold.fraction) for fold in folds}}
    return [_as_result(fold, protocols[fold.task, fold.fraction]) for fold in folds]


def _path(store: Path) -> Path:
    return store / "published" / "hipt.jsonl"


def _as_result(fold: PublishedFold, protocol: Protocol) -> FoldResult:
    metrics = {_METRICS[name]: value for name, value in fold.metrics.items() if name in _METRICS}
    epochs = fold.settings.get("max_epochs")
    provenance = Provenance(
        settings=dict(fold.settings),
        selection="none",
        epoch_rule=f"last of {epochs}",
        device="cuda",
        precision="float32",
        origin=f"mahmoodlab/HIPT, {fold.directory}",
    )
    return FoldResult(
        fingerprint=sha256_json([fold.directory, fold.fold]),
        kind="published",
        protocol=protocol,
        features="hipt_vit4k_region" if fold.collection == _REGION_RUNS else "hipt_vit256_patch",
        baseline=fold.model if epochs in (None, 20) else f"{fold.model} ({epochs} epoch)",
        fold=fold.fold,
        seed=fold.seed or 1,
        metrics=metrics,
        definitions=definitions_of(metrics),
        provenance=provenance,
    )


def published_protocol(task: str, fraction: float) -> Protocol:
    """Return the Protocol that the authors' numbers stand under: the registry's, with the complete cohort.

    Raises:
        StoreError: If the registry holds no hashes of the task.
    """
    spec, suite = load_spec(task), load_suite(SUITE)
    rule = suite.fractions.rule if fraction < 1 else None
    if spec.hashes is None:
        raise StoreError(f"{task} has no hashes in the registry, so published rows cannot be compared with it.")
    return Protocol(
        suite=SUITE,
        task=task,
        task_kind=spec.kind,
        cohort=spec.hashes.cohort,
        labels=spec.hashes.labels,
        splits=spec.hashes.splits,
        folds=spec.folds.count,
        evaluated_units=spec.expected.evaluated,
        fraction=fraction,
        fraction_rule=rule.stated if rule else None,
        evaluate_on=spec.evaluate_on,
        unit=spec.unit,
    )
