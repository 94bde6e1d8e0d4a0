"""Small tasks in a data home, plans to run them, and rows as a store would hold them."""

import socket
from pathlib import Path
from typing import Any, Literal

import numpy as np
import yaml

from hiptbench.baselines import load_baseline
from hiptbench.heads.base import resolve
from hiptbench.plans import Plan, make_plan
from hiptbench.predictions import Prediction, Predictions
from hiptbench.registry import settings_of
from hiptbench.requests import make_request
from hiptbench.results import FoldResult, Protocol, Provenance, Timing, definitions_of, refingerprint
from hiptbench.sources.importing import load_published_features
from hiptbench.store import Store
from hiptbench.targets import Labels
from hiptbench.task_spec import Kind
from hiptbench.task_store import load_spec, save_task
from hiptbench.tasks import Task
from hiptbench.testing import toy_features, toy_task


def make_home(
    home: Path,
    kind: Kind = "classification",
    *,
    evaluate_on: Literal["test", "val"] = "test",
    cases: int = 60,
    folds: int = 6,
) -> Task:
    """Put a toy task into a home, and its features into the folder ``toy`` there."""
    task = toy_task(kind, evaluate_on=evaluate_on, cases=cases, folds=folds)
    save_task(task, home)
    toy_features(task, home / "toy")
    return task


def plan_of(home: Path, task: str, baseline: str, **settings: Any) -> Plan:
    """Plan a baseline on a toy task with its toy features."""
    return make_plan(make_request(tasks=[task], features=home / "toy", baselines=[baseline], home=home, **settings))


def baseline_file(folder: Path, name: str, head: str, **settings: object) -> str:
    """Write a baseline of one's own and return its path, as a user gives it."""
    path = folder / f"{name}.yaml"
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(
        yaml.safe_dump({"name": name, "title": name, "head": head, "settings": settings, "recipe": "for a test"})
    )
    return str(path)


def make_row(
    value: float = 0.5,
    *,
    fold: int = 0,
    seed: int = 1,
    draw: int = 0,
    features: str = "toy",
    baseline: str = "mine",
    date: str = "2026-01-01T00:00:00+00:00",
    protocol: dict[str, Any] | None = None,
    provenance: dict[str, Any] | None = None,
    **changes: Any,
) -> FoldResult:
    """Return a row of a made-up task with two folds and one metric."""
    stated = {
        "suite": "own:toy",
        "task": "toy",
        "task_kind": "classification",
        "cohort": "c",
        "labels": "l",
        "splits": "s",
        "folds": 2,
        "evaluated_units": 20,
        "fraction": 1.0,
        "evaluate_on": "test",
        "unit": "slide",
    }
    same, shown = Protocol(**stated | (protocol or {})), Provenance(**provenance or {})
    metric = "auc" if same.task_kind == "classification" else "c_index"
    row = {
        "fingerprint": "to be made",
        "kind": "measured",
        "metrics": {metric: value},
        "n": 10,
        "timing": Timing(seconds=1.0, host="here", date=date),
    } | changes
    made = FoldResult(
        protocol=same,
        provenance=shown,
        features=features,
        baseline=baseline,
        fold=fold,
        draw=draw,
        seed=seed,
        definitions=definitions_of(row["metrics"]),
        **row,
    )
    return made if "fingerprint" in changes else made.model_copy(update={"fingerprint": refingerprint(made)})


def as_registered(baseline: str, task: str, features: str = "hipt_vit4k_region") -> dict[str, Any]:
    """Return the settings and the features' hash that a registered baseline has on published features."""
    head = resolve(load_baseline(baseline).make_head(), load_spec(task))
    return {"settings": settings_of(head), "feature_hash": load_published_features(features).content_hashes[task]}


TWO_UNITS: Predictions = (
    ("a", "b"),
    Labels(np.array([1, 0]), ("x", "y")),
    Prediction(probabilities=np.array([[0.25, 0.75], [0.5, 0.5]])),
)
"""What may stand beside a row in a store."""


def fill(store: Store, suite: str, **changes: Any) -> list[FoldResult]:
    """Commit the two folds of a method on a task of a suite of the test's own, and return them as stored."""
    protocol = {"suite": suite} | changes.pop("protocol", {})
    rows = [make_row(0.5 + fold / 4, fold=fold, protocol=protocol, **changes) for fold in (0, 1)]
    return [store.commit(row, TWO_UNITS) for row in rows]


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
