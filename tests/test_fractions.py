"""Smaller training parts, drawn by a stated rule: the published ones to the unit, and stratified ones by patient."""

import itertools
import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hiptbench.errors import TaskError
from hiptbench.files import sha256_lines
from hiptbench.fractions import BY_PATIENTS, FractionRule, hold_out, strata, take
from hiptbench.splits import Split
from hiptbench.suites import load_suite
from hiptbench.tasks import SlideRow, Task
from hiptbench.testing import toy_task

RULE = FractionRule(name="pandas sample", random_state=1, source="a test")
TASK = toy_task()
SPLIT = Split(2, tuple(f"u{i}" for i in range(20)), ("v",), ("t",))
TRAIN25 = json.loads((Path(__file__).parent / "oracles" / "hipt_train25.json").read_text(encoding="utf-8"))["folds"]
FRACTIONS = (0.1, 0.25, 0.5, 0.75, 1.0)


def cohort(sizes: list[int], *, slides: int = 2) -> Task:
    """A classification task whose classes have so many patients, most of them with several slides, in one split."""
    spec = toy_task(classes=max(2, len(sizes))).spec
    patients = [(f"p{label}_{i}", f"class{label}") for label, size in enumerate(sizes) for i in range(size)]
    rows = [
        SlideRow(f"{patient}_{slide}", patient, label=label)
        for slide in range(slides)  # a patient's slides are not neighbours
        for i, (patient, label) in enumerate(patients)
        if slide == 0 or i % 3
    ]
    return Task.build(spec, rows, [Split(0, tuple(row.slide for row in rows), (), ())])


def patients(task: Task, units: tuple[str, ...]) -> set[str]:
    return {task.case(unit) for unit in units}


@settings(deadline=None)  # the first draw imports pandas
@given(n=st.integers(1, 60), fraction=st.floats(0.01, 0.99), draw=st.integers(0, 5))
def test_a_fraction_is_that_many_of_the_training_units_and_leaves_the_rest_alone(
    n: int, fraction: float, draw: int
) -> None:
    split = Split(0, tuple(f"u{i}" for i in range(n)), ("v",), ("t",))
    if round(fraction * n) == 0:
        with pytest.raises(TaskError, match=rf"A fraction of {fraction} leaves none of fold 0's {n} train units"):
            take(TASK, split, fraction, rule=RULE, draw=draw)
        return
    part = take(TASK, split, fraction, rule=RULE, draw=draw)
    assert len(part.train) == len(set(part.train)) == round(fraction * n)
    assert set(part.train) <= set(split.train)
    assert (part.fold, part.val, part.test) == (split.fold, split.val, split.test)
    assert part == take(TASK, split, fraction, rule=RULE, draw=draw)


def test_draws_and_seeds_differ_and_count_alike() -> None:
    second = take(TASK, SPLIT, 0.5, rule=RULE, draw=1).train
    assert take(TASK, SPLIT, 0.5, rule=RULE).train != second
    assert take(TASK, SPLIT, 0.5, rule=RULE.model_copy(update={"random_state": 2})).train == second


@pytest.mark.parametrize("rule", [None, RULE, BY_PATIENTS])
def test_all_of_it_needs_no_rule(rule: FractionRule | None) -> None:
    assert take(TASK, SPLIT, 1.0, rule=rule, draw=3) is SPLIT


@pytest.mark.parametrize("fraction", [0.0, -0.25, 1.01, 25.0, float("nan")])
def test_a_fraction_lies_in_0_to_1(fraction: float) -> None:
    with pytest.raises(TaskError, match=rf"A training fraction lies in \(0, 1\], not {fraction}"):
        take(TASK, SPLIT, fraction, rule=RULE)


def test_a_fraction_without_a_rule() -> None:
    with pytest.raises(TaskError, match=r"No rule says how to draw 25% of fold 2's training part: run with a suite"):
        take(TASK, SPLIT, 0.25, rule=None)


def test_the_rules_in_words() -> None:
    assert RULE.stated == "pandas sample, random_state 1"
    assert BY_PATIENTS.stated == "stratified patients, random_state 1"
    assert BY_PATIENTS.draws == 3
    with pytest.raises(ValueError, match="greater than or equal to 1"):
        FractionRule(name="pandas sample", random_state=1, draws=0, source="a test")


@given(
    sizes=st.lists(st.integers(1, 40), min_size=2, max_size=4),
    fraction=st.floats(0.01, 0.99),
    draw=st.integers(0, 2),
)
def test_patients_stay_whole_and_classes_keep_their_share(sizes: list[int], fraction: float, draw: int) -> None:
    task = cohort(sizes)
    (split,) = task.splits
    many = round(fraction * sum(sizes))
    if many == 0:
        with pytest.raises(TaskError, match="leaves none of fold 0's"):
            take(task, split, fraction, rule=BY_PATIENTS, draw=draw)
        return
    drawn = take(task, split, fraction, rule=BY_PATIENTS, draw=draw).train
    chosen = patients(task, drawn)
    assert len(chosen) == many
    assert drawn == tuple(unit for unit in split.train if task.case(unit) in chosen)
    counts = Counter(int(patient[1]) for patient in chosen)
    for label, size in enumerate(sizes):
        # Nobody gets one more than his share; since no class is left out, a large one may give each other class one.
        assert -len(sizes) + 0.5 <= counts[label] - fraction * size <= 1
        assert counts[label] >= 1 or many < len(sizes)


@pytest.mark.parametrize("draw", range(3))
def test_each_class_has_its_share_to_one_patient_where_none_is_tiny(draw: int) -> None:
    task = cohort([30, 100, 50])
    for fraction in FRACTIONS[:-1]:
        chosen = patients(task, take(task, task.splits[0], fraction, rule=BY_PATIENTS, draw=draw).train)
        counts = Counter(int(patient[1]) for patient in chosen)
        assert all(abs(counts[i] - fraction * size) <= 1 for i, size in enumerate([30, 100, 50]))


@pytest.mark.parametrize("draw", range(3))
def test_smaller_fractions_of_a_draw_lie_inside_larger_ones(draw: int) -> None:
    task = cohort([15, 40, 3])
    parts = [set(take(task, task.splits[0], f, rule=BY_PATIENTS, draw=draw).train) for f in FRACTIONS]
    assert all(small < large for small, large in itertools.pairwise(parts))


def test_draws_folds_and_seeds_differ_and_each_is_always_the_same() -> None:
    task = cohort([30, 30])
    (split,) = task.splits
    other_fold = Split(1, split.train, (), ())
    found = [take(task, split, 0.5, rule=BY_PATIENTS, draw=draw).train for draw in range(3)]
    assert len({*found, take(task, other_fold, 0.5, rule=BY_PATIENTS).train}) == 4
    assert found == [take(task, split, 0.5, rule=BY_PATIENTS, draw=draw).train for draw in range(3)]
    next_seed = BY_PATIENTS.model_copy(update={"random_state": BY_PATIENTS.random_state + 1})
    assert take(task, split, 0.5, rule=next_seed).train == found[1]


def test_a_draw_is_the_same_on_every_machine() -> None:
    """Frozen: whoever sees other patients has another generator, and his numbers compare to nobody's."""
    task = cohort([6, 14], slides=1)
    frozen = {
        0: "p0_1_0 p0_2_0 p1_1_0 p1_4_0 p1_10_0 p1_12_0",
        1: "p0_0_0 p0_2_0 p1_0_0 p1_1_0 p1_4_0 p1_12_0",
    }
    for draw, expected in frozen.items():
        assert " ".join(take(task, task.splits[0], 0.3, rule=BY_PATIENTS, draw=draw).train) == expected


def test_survival_is_stratified_by_events() -> None:
    task = toy_task("survival")
    (split, _) = task.splits
    drawn = take(task, split, 0.5, rule=BY_PATIENTS).train
    events, all_events = (sum(strata(task.targets(units))) for units in (drawn, split.train))
    assert abs(events - all_events / 2) <= 1


def test_units_outside_train_are_not_looked_at() -> None:
    task = toy_task()
    split = task.splits[0]
    elsewhere = dict(zip(task.units, task.target.rows(), strict=True))
    turned = [
        SlideRow(unit, unit, label=elsewhere[unit] if unit in split.train else "class0")
        for unit in reversed(task.units)
    ]
    other = Task.build(task.spec, turned[::-1], [])
    assert other.target.rows() != task.target.rows()
    for rule in (RULE, BY_PATIENTS):
        changed = Split(split.fold, split.train, ("nobody",), ("knows", "these"))
        assert take(other, changed, 0.5, rule=rule).train == take(task, split, 0.5, rule=rule).train


@given(sizes=st.lists(st.integers(2, 30), min_size=2, max_size=3), share=st.floats(0.05, 0.9), seed=st.integers(0, 3))
def test_who_is_held_out_shares_no_patient_with_who_stays(sizes: list[int], share: float, seed: int) -> None:
    task = cohort(sizes)
    units = task.splits[0].train
    many = round(share * sum(sizes))
    if many in (0, sum(sizes)):
        with pytest.raises(TaskError, match=rf"{share:.0%} of {sum(sizes)} training patients cannot be held out"):
            hold_out(task, units, share, seed=seed)
        return
    stay, held = hold_out(task, units, share, seed=seed)
    assert (stay, held) == hold_out(task, units, share, seed=seed)
    assert not patients(task, stay) & patients(task, held)
    assert len(patients(task, held)) == many
    assert sorted(stay + held) == sorted(units)
    assert all(part == tuple(unit for unit in units if unit in part) for part in (stay, held))
    counts = Counter(int(patient[1]) for patient in patients(task, held))
    assert all(-1 <= counts[i] - share * size <= len(sizes) - 0.5 for i, size in enumerate(sizes))
    if len(patients(task, stay)) >= len(sizes):
        assert all(counts[i] < size for i, size in enumerate(sizes))


def test_another_seed_holds_out_others() -> None:
    task = cohort([30, 30])
    assert len({hold_out(task, task.splits[0].train, 0.2, seed=seed) for seed in range(3)}) == 3


@pytest.mark.parametrize(("sizes", "share"), [([1, 1], 0.2), ([1, 1], 0.9), ([10, 10], 0.01)])
def test_nobody_or_everybody_cannot_be_held_out(sizes: list[int], share: float) -> None:
    task = cohort(sizes)
    with pytest.raises(TaskError, match=r"% of \d+ training patients cannot be held out: too few patients"):
        hold_out(task, task.splits[0].train, share, seed=1)


def test_the_oracle_holds_all_thirty_folds() -> None:
    tasks = ("tcga_brca_subtype", "tcga_kidney_subtype", "tcga_lung_subtype")
    assert [(fold["task"], fold["fold"]) for fold in TRAIN25] == [(task, fold) for task in tasks for fold in range(10)]
    assert sum(fold["runs"] for fold in TRAIN25) == 332


def test_a_quarter_is_the_published_quarter_in_its_order(real_home: Path) -> None:
    suite = load_suite("hipt-2022")
    tasks = {name: Task.load(name, real_home) for name in {fold["task"] for fold in TRAIN25}}
    assert all(suite.fractions_of(task.spec) == (0.25, 1.0) for task in tasks.values())
    for expected in TRAIN25:
        task = tasks[expected["task"]]
        split = task.splits[expected["fold"]]
        drawn = take(task, split, 0.25, rule=suite.fractions.rule)
        assert (split.fold, len(drawn.train)) == (expected["fold"], expected["units"])
        assert sha256_lines(drawn.train) == expected["sha256"]


def test_patients_of_real_tasks_are_drawn_whole_nested_and_in_proportion(real_home: Path) -> None:
    for name in ("tcga_brca_subtype", "tcga_kidney_subtype", "tcga_kirp_survival"):
        task = Task.load(name, real_home)
        for split in task.splits:
            parts = [take(task, split, fraction, rule=BY_PATIENTS).train for fraction in FRACTIONS]
            for fraction, part in zip(FRACTIONS, parts, strict=True):
                chosen = patients(task, part)
                assert part == tuple(unit for unit in split.train if task.case(unit) in chosen)
                shares = Counter(
                    {task.case(u): s for u, s in zip(part, strata(task.targets(part)), strict=True)}.values()
                )
                whole = dict(zip(map(task.case, split.train), strata(task.targets(split.train)), strict=True))
                assert all(abs(shares[s] - fraction * n) <= 1.5 for s, n in Counter(whole.values()).items())
            assert all(set(small) < set(large) for small, large in itertools.pairwise(parts))
