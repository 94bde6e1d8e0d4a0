"""Tasks: how they are built, what their hashes cover, what the checks refuse, and cohorts that lack slides."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hiptbench.errors import FeatureError, TaskError
from hiptbench.features import FeatureSet, write_features
from hiptbench.splits import Split
from hiptbench.targets import Labels, Survival
from hiptbench.task_checks import check_task, measured, shared_cases
from hiptbench.task_cohort import restrict
from hiptbench.tasks import SlideRow, Task
from hiptbench.testing import toy_features, toy_task

SURVIVAL = toy_task("survival").spec.model_copy(update={"unit": "case"})
SLIDES = toy_task().spec
ROWS = [
    SlideRow("s3", "p1", time=10.0, event=True),
    SlideRow("s1", "p2", time=20.0, event=False),
    SlideRow("s2", "p1", time=10.0, event=True),
]
LABELS = [SlideRow(f"s{i}", f"p{i // 2}", label=f"class{i % 4 // 2}") for i in range(8)]


def lives(*times_and_events: tuple[float, bool]) -> list[SlideRow]:
    return [
        SlideRow(f"s{i}", f"p{i}", time=float(time), event=event) for i, (time, event) in enumerate(times_and_events)
    ]


def checked(rows: Sequence[SlideRow], *splits: Split, **changes: object) -> Task:
    """Build a task whose expected counts are its own, and check it."""
    spec = SURVIVAL if rows[0].label is None else SLIDES
    folds = spec.folds.model_copy(update={"count": len(splits), "patient_disjoint": False})
    task = Task.build(spec.model_copy(update={"folds": folds} | changes), rows, splits)
    task = replace(task, spec=task.spec.model_copy(update={"expected": measured(task)}))
    check_task(task)
    return task


def test_slides_are_grouped_by_unit_in_the_order_of_the_table() -> None:
    task = Task.build(SURVIVAL, ROWS, [])
    assert task.units == ("p1", "p2")
    assert task.slides("p1") == ("s3", "s2")
    assert task.all_slides == ("s3", "s2", "s1")
    target = task.targets(["p2", "p1"])
    assert isinstance(target, Survival)
    np.testing.assert_array_equal(target.time, [20, 10])
    np.testing.assert_array_equal(target.event, [False, True])


def test_with_slides_as_units_each_knows_its_case() -> None:
    task = Task.build(SLIDES, LABELS, [])
    assert task.units == tuple(f"s{i}" for i in range(8))
    assert (task.slides("s3"), task.case("s3")) == (("s3",), "p1")
    target = task.targets(["s3", "s0"])
    assert isinstance(target, Labels)
    assert (target.values.tolist(), target.classes) == ([1, 0], ("class0", "class1"))


def test_the_evaluated_part_is_the_one_the_task_names() -> None:
    split = Split(0, ("s0", "s2"), ("s1",), ("s3",))
    task = Task.build(SLIDES, LABELS, [split])
    assert (task.evaluated(split), task.ever_evaluated) == (("s3",), {"s3"})
    on_val = replace(task, spec=SLIDES.model_copy(update={"evaluate_on": "val"}))
    assert (on_val.evaluated(split), on_val.ever_evaluated) == (("s1",), {"s1"})


def test_splits_are_put_in_the_order_of_the_table() -> None:
    task = Task.build(SLIDES, LABELS, [Split(0, ("s5", "s0", "s3"), (), ("s2", "s1"))])
    assert task.splits == (Split(0, ("s0", "s3", "s5"), (), ("s1", "s2")),)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([*ROWS, ROWS[0]], r"labels of toy_survival list 1 slides twice: s3\. Keep one row each"),
        ([*ROWS, SlideRow("s4", "p2", time=21.0, event=False)], r"slides of p2 .* s1 says .*20.* s4 says .*21"),
        ([*ROWS, SlideRow("s4", "p2", time=20.0, event=True)], r"slides of p2 .* contradict .*False.*True"),
    ],
)
def test_rows_that_contradict_each_other(rows: list[SlideRow], message: str) -> None:
    with pytest.raises(TaskError, match=message):
        Task.build(SURVIVAL, rows, [])


def test_a_label_that_is_no_class() -> None:
    with pytest.raises(TaskError, match=r"toy_classification .* not among its classes \['class0', 'class1'\]: other"):
        Task.build(SLIDES, [*LABELS, SlideRow("s9", "p9", label="other")], [])


def test_a_split_may_name_only_units_with_labels() -> None:
    with pytest.raises(TaskError, match=r"Fold 3 of toy_survival names 2 cases that have no label: p8, p9\. Add"):
        Task.build(SURVIVAL, ROWS, [Split(3, ("p1", "p8"), ("p9",), ())])


def test_hashes_cover_what_they_are_named_after() -> None:
    split = Split(0, ("p1",), ("p2",), ())
    task = Task.build(SURVIVAL, ROWS, [split])

    def differing(rows: list[SlideRow], splits: list[Split]) -> set[str]:
        other = Task.build(SURVIVAL, rows, splits).hashes
        return {name for name in ("cohort", "labels", "splits") if getattr(other, name) != getattr(task.hashes, name)}

    assert differing(ROWS, [split]) == set()
    assert differing([replace(row, time=row.time and row.time + 1e-12) for row in ROWS], [split]) == {"labels"}
    assert differing([replace(ROWS[0], slide="s9"), *ROWS[1:]], [split]) == {"cohort"}
    assert differing(ROWS, [Split(0, ("p2",), ("p1",), ())]) == {"splits"}
    assert differing(ROWS, [Split(0, ("p1",), (), ("p2",))]) == {"splits"}
    assert differing([ROWS[1], ROWS[0], ROWS[2]], [split]) == {"cohort", "labels"}


@pytest.mark.parametrize("kind", ["classification", "survival"])
def test_a_sound_task_passes(kind: str) -> None:
    task = toy_task(kind)
    check_task(task)
    assert measured(task).units == 60


@pytest.mark.parametrize(
    ("split", "message"),
    [
        (Split(0, ("s0", "s2"), ("s0",), ("s4", "s6")), r"Fold 0 .* has 1 units in two of its parts.*: s0"),
        (Split(0, (), (), ("s4", "s6")), r"Fold 0 .* has an empty train or test part"),
        (Split(0, ("s0", "s2"), ("s4",), ()), r"Fold 0 .* has an empty train or test part"),
        (Split(1, ("s0", "s2"), (), ("s4", "s5")), r"test part of fold 1 .* has no unit of class class1: no metric"),
        (Split(1, ("s2", "s3"), (), ("s4", "s6")), r"train part of fold 1 .* has no unit of class class0"),
    ],
)
def test_folds_of_classification_that_cannot_be_run(split: Split, message: str) -> None:
    with pytest.raises(TaskError, match=message):
        checked(LABELS, split)


@pytest.mark.parametrize(
    ("evaluated", "comparable"),
    [
        ([(5, True), (6, False)], True),
        ([(5, True), (5, False)], True),  # the event counts as the earlier; see hiptbench.metrics
        ([(5, False), (6, True)], False),
        ([(5, True), (5, True)], False),
        ([(5, False), (6, False)], False),
    ],
)
def test_folds_of_survival_need_a_comparable_pair(evaluated: list[tuple[float, bool]], comparable: bool) -> None:
    rows = lives(*evaluated, (1, True), (2, True))
    split = Split(0, ("p2", "p3"), (), ("p0", "p1"))
    if comparable:
        checked(rows, split)
        return
    with pytest.raises(TaskError, match=r"test part of fold 0 .* no comparable pair of survival times"):
        checked(rows, split)


@pytest.mark.parametrize("time", [float("nan"), float("inf"), -0.1])
def test_times_are_finite_and_not_negative(time: float) -> None:
    with pytest.raises(TaskError, match=r"toy_survival has 1 times .*: p1"):
        checked(lives((1, True), (time, True)))


def test_patients_in_two_parts_are_refused_where_the_folds_are_said_to_be_disjoint() -> None:
    split = Split(0, ("s0", "s2"), (), ("s1", "s3"))
    assert shared_cases(checked(LABELS, split), split) == ["p0", "p1"]
    disjoint = SLIDES.folds.model_copy(update={"count": 1, "patient_disjoint": True})
    with pytest.raises(TaskError, match=r"Fold 0 .* patient-disjoint, but 2 patients are in two parts: p0, p1"):
        checked(LABELS, split, folds=disjoint)


def test_counts_folds_and_hashes_are_compared_with_the_registry() -> None:
    task = toy_task()
    other = task.spec.expected.model_copy(update={"units": 61})
    with pytest.raises(TaskError, match=r"registered with \{'units': 61.* but its data have \{'units': 60"):
        check_task(replace(task, spec=task.spec.model_copy(update={"expected": other})))
    three = task.spec.folds.model_copy(update={"count": 3})
    with pytest.raises(TaskError, match=r"registered with 3 folds, its data have 2\. Create it again"):
        check_task(replace(task, spec=task.spec.model_copy(update={"folds": three})))
    for name in ("cohort", "labels", "splits"):
        hashes = task.hashes.model_copy(update={name: "0" * 64})
        with pytest.raises(TaskError, match=rf"{name} of toy_classification hash to \w{{12}}, .* says 000000000000"):
            check_task(replace(task, spec=task.spec.model_copy(update={"hashes": hashes})))


def test_a_cohort_with_all_slides_is_the_task(tmp_path: Path) -> None:
    task = toy_task()
    assert restrict(task, toy_features(task, tmp_path / "features")) is task


def test_a_unit_keeps_the_slides_that_have_features_and_goes_with_the_last(tmp_path: Path) -> None:
    rows = lives((1, True), (2, True), (3, False), (4, True), (5, True), (6, False), (7, True))
    rows.insert(1, SlideRow("s0b", "p0", time=1.0, event=True))
    split = Split(0, ("p0", "p1", "p2"), ("p3",), ("p4", "p5", "p6"))
    task = Task.build(SURVIVAL, rows, [split])
    cohort = restrict(task, _without(task, tmp_path, {"s0", "s3", "s5"}))
    assert cohort.slides("p0") == ("s0b",)
    assert cohort.units == ("p0", "p1", "p2", "p4", "p6")
    assert cohort.splits == (Split(0, ("p0", "p1", "p2"), (), ("p4", "p6")),)
    assert isinstance(cohort.target, Survival)
    assert cohort.target.time.tolist() == [1, 2, 3, 5, 7]
    assert cohort.hashes.cohort != task.hashes.cohort


def test_even_one_slide_of_many_changes_the_cohorts_hash_and_only_that(tmp_path: Path) -> None:
    task = Task.build(SURVIVAL, ROWS, [])
    features = _without(task, tmp_path, {"s2"})
    with pytest.raises(FeatureError, match=r"'features' lack 1 of 2 slides: s2"):
        features.bag("p1", task.slides("p1"))
    cohort = restrict(task, features)
    assert cohort.units == task.units
    assert cohort.hashes.cohort != task.hashes.cohort
    assert cohort.hashes.labels == task.hashes.labels


def test_a_cohort_whose_fold_can_no_longer_be_evaluated_is_refused(tmp_path: Path) -> None:
    task = checked(LABELS, Split(0, ("s0", "s2"), (), ("s4", "s6")))
    with pytest.raises(TaskError, match=r"test part of fold 0 .* has no unit of class class1"):
        restrict(task, _without(task, tmp_path, {"s6"}))


def _without(task: Task, folder: Path, missing: set[str]) -> FeatureSet:
    features = toy_features(task, folder / "all")
    left = {slide: features[slide] for slide in task.all_slides if slide not in missing}
    write_features(folder / "features", features.card.model_copy(update={"name": "features"}), left)
    return FeatureSet.open(folder / "features")
