"""Where the features say nothing, no method may find anything: 20 cohorts without a signal."""

from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from hiptbench.evaluation import evaluate_split
from hiptbench.heads.base import Head
from hiptbench.heads.models import MODELS
from hiptbench.heads.models.factory import model_class
from hiptbench.registry import HEADS, make_head
from hiptbench.task_spec import Kind
from hiptbench.testing import toy_features, toy_task

COHORTS = 20


def methods() -> list[object]:
    """Every head, and "mil" with every model of vectors, on each kind of task that it can."""
    heads: dict[str, Head] = {name: make_head(name) for name in HEADS if name != "mil"}
    for name in MODELS:
        if not model_class(name).hierarchical:
            heads[f"mil:{name}"] = make_head("mil", {"model": name, "overrides": {"epochs": 3}})
    heads["mil:abmil, cox"] = make_head("mil", {"survival": "cox", "overrides": {"epochs": 3}})
    found = [(name, head, kind) for name, head in heads.items() for kind in get_args(Kind) if kind in head.kinds]
    return [pytest.param(head, kind, id=f"{name}, {kind}") for name, head, kind in found]


@pytest.mark.slow
@pytest.mark.parametrize(("head", "kind"), methods())
def test_without_a_signal_the_mean_is_a_half(head: Head, kind: Kind, tmp_path: Path) -> None:
    means = []
    for cohort in range(COHORTS):
        task = toy_task(kind, cases=80, seed=cohort)
        features = toy_features(task, tmp_path / str(cohort), signal=0.0, seed=cohort)
        folds = [evaluate_split(task, split, features, head, seed=cohort).metrics for split in task.splits]
        means.append(np.mean([metrics["auc" if kind == "classification" else "c_index"] for metrics in folds]))
    error = np.std(means, ddof=1) / np.sqrt(COHORTS)
    assert abs(np.mean(means) - 0.5) <= 3.5 * error
