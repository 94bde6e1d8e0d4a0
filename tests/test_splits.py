"""Splits: smaller training parts, drawn by a stated rule; the published ones to the unit."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hiptbench.errors import TaskError
from hiptbench.files import sha256_lines
from hiptbench.splits import FractionRule, Split
from hiptbench.suites import load_suite
from hiptbench.tasks import Task

RULE = FractionRule(name="pandas sample", random_state=1, source="a test")
SPLIT = Split(2, tuple(f"u{i}" for i in range(20)), ("v",), ("t",))
TRAIN25 = json.loads((Path(__file__).parent / "oracles" / "hipt_train25.json").read_text(encoding="utf-8"))["folds"]


@settings(deadline=None)  # the first draw imports pandas
@given(n=st.integers(1, 60), fraction=st.floats(0.01, 0.99), draw=st.integers(0, 5))
def test_a_fraction_is_that_many_of_the_training_units_and_leaves_the_rest_alone(
    n: int, fraction: float, draw: int
) -> None:
    split = Split(0, tuple(f"u{i}" for i in range(n)), ("v",), ("t",))
    if round(fraction * n) == 0:
        with pytest.raises(TaskError, match=rf"A fraction of {fraction} leaves none of fold 0's {n} train units"):
            split.take(fraction, rule=RULE, draw=draw)
        return
    part = split.take(fraction, rule=RULE, draw=draw)
    assert len(part.train) == len(set(part.train)) == round(fraction * n)
    assert set(part.train) <= set(split.train)
    assert (part.fold, part.val, part.test) == (split.fold, split.val, split.test)
    assert part == split.take(fraction, rule=RULE, draw=draw)


def test_draws_and_seeds_differ_and_count_alike() -> None:
    second = SPLIT.take(0.5, rule=RULE, draw=1).train
    assert SPLIT.take(0.5, rule=RULE).train != second
    assert SPLIT.take(0.5, rule=RULE.model_copy(update={"random_state": 2})).train == second


def test_all_of_it_needs_no_rule() -> None:
    assert SPLIT.take(1.0, rule=None) is SPLIT
    assert SPLIT.take(1.0, rule=RULE, draw=3) is SPLIT


@pytest.mark.parametrize("fraction", [0.0, -0.25, 1.01, 25.0, float("nan")])
def test_a_fraction_lies_in_0_to_1(fraction: float) -> None:
    with pytest.raises(TaskError, match=rf"A training fraction lies in \(0, 1\], not {fraction}"):
        SPLIT.take(fraction, rule=RULE)


def test_a_fraction_without_a_rule() -> None:
    with pytest.raises(TaskError, match=r"No rule says how to draw 25% of fold 2's training part: run with a suite"):
        SPLIT.take(0.25, rule=None)


def test_the_rule_in_words() -> None:
    assert RULE.stated == "pandas sample, random_state 1"


def test_the_oracle_holds_all_thirty_folds() -> None:
    tasks = ("tcga_brca_subtype", "tcga_kidney_subtype", "tcga_lung_subtype")
    assert [(fold["task"], fold["fold"]) for fold in TRAIN25] == [(task, fold) for task in tasks for fold in range(10)]
    assert sum(fold["runs"] for fold in TRAIN25) == 332


def test_a_quarter_is_the_published_quarter_in_its_order(real_home: Path) -> None:
    suite = load_suite("hipt-2022")
    tasks = {name: Task.load(name, real_home) for name in {fold["task"] for fold in TRAIN25}}
    assert all(suite.fractions_of(task.spec) == (0.25, 1.0) for task in tasks.values())
    for expected in TRAIN25:
        split = tasks[expected["task"]].splits[expected["fold"]]
        drawn = split.take(0.25, rule=suite.fractions.rule)
        assert (split.fold, len(drawn.train)) == (expected["fold"], expected["units"])
        assert sha256_lines(drawn.train) == expected["sha256"]
