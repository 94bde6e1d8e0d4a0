"""Equivalent? The interval against SciPy's paired t-test, the verdict, which runs count, and how it reads."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.stats import ttest_rel

from hiptbench.claims import Reproduction, read_reproduction
from hiptbench.equivalence import Comparison, compare
from hiptbench.published_rows import published_protocol
from hiptbench.reproduction_text import to_json, to_markdown, to_text
from hiptbench.results import FoldResult
from hiptbench.suites import load_suite
from toys import make_row

TASKS = ("tcga_brca_subtype", "tcga_lung_subtype")
STATED = Reproduction.model_validate(
    {
        "seeds": [1, 2, 3],
        "settings": {},
        "tolerances": {},
        "groups": [],
        "equivalences": [
            {
                "name": "fast and plain",
                "metric": "auc",
                "tasks": TASKS,
                "fraction": 1.0,
                "features": "toy",
                "baseline": "fast",
                "reference": "plain",
                "margin": 0.02,
            }
        ],
    }
)

Values = Callable[[str, int, int], float]


def rows_of(baseline: str, value: Values, *, seeds: int = 3, **changes: Any) -> list[FoldResult]:
    """Return a row for every task, seed and fold of a baseline."""
    return [
        make_row(
            value(task, seed, fold),
            baseline=baseline,
            protocol=published_protocol(task, 1.0).model_dump(),
            seed=seed,
            fold=fold,
            **changes,
        )
        for task in TASKS
        for seed in range(1, seeds + 1)
        for fold in range(10)
    ]


def drawn(offset: float, spread: float = 0.02) -> Values:
    rng = np.random.default_rng(0)
    noise = {(task, seed, fold): rng.normal(0, spread) for task in TASKS for seed in range(9) for fold in range(10)}
    return lambda task, seed, fold: 0.8 + fold / 100 + offset + noise[task, seed, fold]


def plain(task: str, seed: int, fold: int) -> float:
    return 0.8 + fold / 100


def compared(*rows: list[FoldResult]) -> Comparison:
    (one,) = compare(STATED, [row for some in rows for row in some])
    return one


def test_the_interval_is_that_of_a_paired_t_test_over_the_folds() -> None:
    value = drawn(0.004)
    one = compared(rows_of("fast", value), rows_of("plain", plain))
    means = [[np.mean([value(task, seed, fold) for seed in (1, 2, 3)]) for fold in range(10)] for task in TASKS]
    oracle = ttest_rel(np.ravel(means), [plain("", 1, fold) for fold in range(10)] * 2).confidence_interval(0.95)
    assert one.interval == pytest.approx(tuple(oracle))
    assert one.mean == pytest.approx(np.mean(means) - np.mean([plain("", 1, fold) for fold in range(10)]))
    assert one.by_task[TASKS[1]] == pytest.approx(np.mean(means[1]) - 0.845)
    assert (one.seeds, one.verdict) == ((1, 2, 3), "equivalent")


@pytest.mark.parametrize(("offset", "spread"), [(0.03, 0.001), (-0.03, 0.001), (0.0, 0.2)])
def test_a_shift_or_too_much_noise_is_not_equivalence(offset: float, spread: float) -> None:
    one = compared(rows_of("fast", drawn(offset, spread)), rows_of("plain", plain))
    assert one.verdict == "not shown to be equivalent"


def test_no_verdict_before_every_seed_of_both_is_there() -> None:
    assert compared(rows_of("fast", plain)).verdict == "0 of 3 seeds"
    one = compared(rows_of("fast", drawn(0)), rows_of("plain", plain, seeds=2))
    assert (one.seeds, one.verdict) == ((1, 2), "2 of 3 seeds")
    assert one.mean is not None
    assert compared(rows_of("fast", plain), rows_of("plain", plain)[:-1]).seeds == (1, 2)


def test_the_newest_run_counts_and_nothing_under_another_name_or_protocol() -> None:
    late = {"date": "2026-02-01T00:00:00+00:00"}
    old = rows_of("fast", plain, provenance={"source_hash": "old"})
    new = rows_of("fast", drawn(0.1), provenance={"source_hash": "new"}, **late)
    reference = rows_of("plain", plain)
    assert compared(old, reference).verdict == "equivalent"
    assert compared(old, new, reference).verdict == "not shown to be equivalent"
    assert compared(rows_of("fast", plain, features="other"), reference).verdict == "0 of 3 seeds"
    assert compared(rows_of("fast", plain, kind="synthetic"), reference).verdict == "0 of 3 seeds"


def test_what_is_stated_is_about_the_registered_tasks() -> None:
    tasks = set(load_suite("hipt-2022").tasks)
    stated = read_reproduction().equivalences
    assert {task for one in stated for task in one.tasks} == tasks
    assert [(one.metric, one.fraction, one.margin, len(one.tasks)) for one in stated] == [
        ("auc", 1.0, 0.02, 3),
        ("auc", 0.25, 0.02, 3),
        ("c_index", 1.0, 0.03, 6),
    ]


def test_it_is_shown_in_every_form() -> None:
    rows = rows_of("fast", lambda *key: plain(*key) + key[2] / 500) + rows_of("plain", plain)
    comparisons = compare(STATED, rows)
    sentence = "fast and plain: mean difference +0.009, 95 % interval +0.006 to +0.012 over 20 folds, margin 0.02: "
    for form in (to_text, to_markdown):
        text = form(STATED, (), comparisons)
        assert f"{sentence}equivalent.\n" in text
        (line,) = (line for line in text.splitlines() if TASKS[0] in line)
        assert line.replace("|", " ").split() == [TASKS[0], "100%", "auc", "+0.009"]
    (one,) = json.loads(to_json(STATED, (), comparisons))["equivalences"]
    assert (one["verdict"], one["seeds"], len(one["by_task"])) == ("equivalent", [1, 2, 3], 2)
    assert "fast and plain: 0 of 3 seeds." in to_text(STATED, (), compare(STATED, []))
