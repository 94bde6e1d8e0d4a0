"""Folds made by rule: what they keep together, how even they are, and that they never change."""

from collections import Counter
from collections.abc import Sequence
from math import prod

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hiptbench.errors import TaskError
from hiptbench.sources import barcodes
from hiptbench.sources.institution_partitions import Unevenness, lacking, part_institutions
from hiptbench.sources.institutions import institution
from hiptbench.sources.partitions import deal_patients, make_splits, strata_of
from hiptbench.splits import Split
from hiptbench.task_checks import check_folds, shared_cases
from hiptbench.task_spec import MadeSplits
from hiptbench.tasks import SlideRow, Task
from hiptbench.testing import toy_task

PATIENTS, INSTITUTIONS = "stratified partition of the patients", "partition of the institutions"
CODES = ("05", "22", "33", "35", "38", "43", "44", "49", "50", "60", "73", "77", "78", "97")
Counts = tuple[int, ...]


def made(rule: str, val: str = "none", seed: int = 1) -> MadeSplits:
    return MadeSplits.model_validate({"rule": rule, "val": val, "seed": seed, "source": "a test"})


def row(number: int, site: str, answer: int, slide: int, kind: str) -> SlideRow:
    """A slide of a TCGA patient: of class ``answer``, or with an event where ``answer`` is 0."""
    case = f"TCGA-{site}-{number:04}"
    name = f"{case}-01Z-00-DX{slide}"
    if kind == "survival":
        return SlideRow(name, case, time=float(number), event=answer == 0)
    return SlideRow(name, case, label=f"class{answer}")


def cohort(patients: Sequence[tuple[str, int, int]], kind: str = "classification", folds: int = 3) -> Task:
    """A task without splits, of patients given as site, answer and number of slides."""
    spec = toy_task(kind, classes=3).spec  # type: ignore[arg-type]
    spec = spec.model_copy(update={"folds": spec.folds.model_copy(update={"count": folds, "patient_disjoint": True})})
    rows = [row(i, site, answer, s, kind) for i, (site, answer, n) in enumerate(patients) for s in range(n)]
    return Task.build(spec, rows, [])


def completed(task: Task, how: MadeSplits) -> Task:
    """The task with the splits that a rule makes."""
    rows = [
        SlideRow(slide, task.cases[i], *_answer(task, i))
        for i, unit in enumerate(task.units)
        for slide in task.slides(unit)
    ]
    return Task.build(task.spec, rows, make_splits(task, how))


def _answer(task: Task, i: int) -> tuple[str | None, float | None, bool | None]:
    if task.spec.kind == "survival":
        return None, float(task.target.time[i]), bool(task.target.event[i])  # type: ignore[union-attr]
    return task.target.rows()[i], None, None


def mixed(kind: str = "classification", folds: int = 3) -> Task:
    """A fixed cohort of 97 patients at fourteen sites of ten institutions, some with several slides."""
    patients = [(CODES[(3 * i + i // 7) % 14], (i % 7) // 3, 1 + (i % 11 == 0) * (i % 3 + 1)) for i in range(97)]
    return cohort(patients, kind, folds)


cohorts = st.lists(
    st.tuples(st.sampled_from(CODES), st.integers(0, 2), st.sampled_from([1, 1, 1, 2, 5])), min_size=30, max_size=80
)


def by_fold(task: Task, names: Sequence[str]) -> list[Counter[str]]:
    """How many units of each name every test part has."""
    of = dict(zip(task.units, names, strict=True))
    return [Counter(of[unit] for unit in split.test) for split in task.splits]


@given(patients=cohorts, kind=st.sampled_from(["classification", "survival"]), folds=st.integers(2, 6))
@settings(max_examples=25, deadline=None)
def test_patients_are_parted_evenly_and_stay_whole(patients: list[tuple[str, int, int]], kind: str, folds: int) -> None:
    task = completed(cohort(patients, kind, folds), made(PATIENTS))
    tested = [unit for split in task.splits for unit in split.test]
    assert sorted(tested) == sorted(task.units)
    assert not any(shared_cases(task, split) for split in task.splits)
    assert all(set(split.train) == set(task.units) - set(split.test) for split in task.splits)
    stratum = dict(zip(task.cases, strata_of(task).of, strict=True))
    counts = [Counter(stratum[case] for case in {task.case(u) for u in split.test}) for split in task.splits]
    for value in set(stratum.values()):
        assert max(count[value] for count in counts) - min(count[value] for count in counts) <= 1


@given(patients=cohorts, order=st.randoms(use_true_random=False), rule=st.sampled_from([PATIENTS, INSTITUTIONS]))
@settings(max_examples=10, deadline=None)
def test_the_order_of_the_label_table_does_not_matter(patients: list, order: object, rule: str) -> None:
    spread = patients + [(code, answer, 1) for code in CODES for answer in range(3)]
    task = cohort(spread, "classification")
    rows = [
        SlideRow(slide, case, label=label)
        for slide, case, label in zip(task.units, task.cases, task.target.rows(), strict=True)
    ]
    order.shuffle(rows)  # type: ignore[attr-defined]
    other = Task.build(task.spec, rows, [])
    folds, again = make_splits(task, made(rule)), make_splits(other, made(rule))
    assert [set(split.test) for split in folds] == [set(split.test) for split in again]


def test_many_slides_of_few_patients_are_spread() -> None:
    slides = {f"p{i}": (6,) for i in range(3)} | {f"q{i}": (1,) for i in range(30)}
    fold_of = deal_patients(slides, folds=3, seed=1)
    assert sorted(Counter(fold_of.values()).values()) == [11, 11, 11]
    assert {fold_of[f"p{i}"] for i in range(3)} == {0, 1, 2}


def test_a_patient_of_two_classes_counts_for_the_one_of_most_slides() -> None:
    slides = {"p": (1, 2), "q": (0, 1), "r": (1, 0), "s": (1, 0)}
    fold_of = deal_patients(slides, folds=2, seed=1)
    assert fold_of["p"] != fold_of["q"]
    assert fold_of["r"] != fold_of["s"]


def test_the_next_fold_is_val_and_the_rest_train() -> None:
    task = completed(mixed(folds=5), made(PATIENTS, val="the next fold"))
    tests = [split.test for split in task.splits]
    assert [split.val for split in task.splits] == [*tests[1:], tests[0]]
    assert all(sum(map(len, (split.train, split.val, split.test))) == len(task.units) for split in task.splits)


def test_events_come_before_the_censored() -> None:
    strata = strata_of(mixed("survival"))
    assert strata.names == ("event", "censored")
    assert strata.required == 1
    assert set(strata.of) == {0, 1}
    assert strata.of[:3] == (0, 0, 0)


@pytest.mark.parametrize("kind", ["classification", "survival"])
@pytest.mark.parametrize("folds", [2, 4])
def test_institutions_stay_whole_under_whatever_code(kind: str, folds: int) -> None:
    task = completed(mixed(kind, folds), made(INSTITUTIONS))
    check_folds(task)  # parts are disjoint, patients apart, every class (or a comparable pair) in each test part
    sites = [barcodes.site(unit) or "" for unit in task.units]
    parts = by_fold(task, [institution(code) or "" for code in sites])
    assert sum(len(part) for part in parts) == len({institution(code) for code in sites})
    folds_of = {code: fold for fold, part in enumerate(by_fold(task, sites)) for code in part}
    assert folds_of["33"] == folds_of["49"]  # Johns Hopkins
    assert folds_of["43"] == folds_of["44"]  # Christiana


def test_folds_of_institutions_are_even_in_patients_whatever_their_slides() -> None:
    patients = [(code, answer, 1) for code in CODES for answer in range(3) for _ in range(2)]
    many = [(code, answer, 9 if code == "60" else slides) for code, answer, slides in patients]
    one, other = (make_splits(cohort(some, folds=2), made(INSTITUTIONS)) for some in (patients, many))
    cases = [[{unit[:12] for unit in split.test} for split in splits] for splits in (one, other)]
    assert cases[0] == cases[1]
    assert abs(len(cases[0][0]) - len(cases[0][1])) <= 6  # all of an institution of one code


def test_too_few_institutions_of_a_class_are_named() -> None:
    task = cohort([(code, 0, 1) for code in CODES] + [("05", 1, 1), ("33", 2, 1), ("49", 2, 1)])
    with pytest.raises(
        TaskError, match=r"toy_classification cannot have 3 folds of whole .*'class1' comes from 1 of them"
    ):
        make_splits(task, made(INSTITUTIONS))
    deaths = cohort([("05", 0, 1), *((code, 1, 1) for code in CODES)], "survival")
    with pytest.raises(TaskError, match=r"toy_survival cannot have 3 folds .*'event' comes from 1 of them"):
        make_splits(deaths, made(INSTITUTIONS))


def test_institutions_that_cannot_be_parted() -> None:
    pairs = [("05", (0, 1)), ("22", (1, 2)), ("33", (0, 2))]  # of two folds, one has one institution, with two classes
    task = cohort([(code, answer, 1) for code, answers in pairs for answer in answers], folds=2)
    with pytest.raises(TaskError, match=r"No way was found to part .*toy_classification: fold \d has no 'class\d'"):
        make_splits(task, made(INSTITUTIONS))


def test_ids_that_tell_no_institution() -> None:
    with pytest.raises(TaskError, match=r"60 slides of toy_classification do not tell their institution: slide000, "):
        make_splits(toy_task(), made(INSTITUTIONS))
    with pytest.raises(TaskError, match=r"1 slides .*: TCGA-XY-0000-01Z-00-DX0\. .*tissue_source_sites\.csv lacks"):
        make_splits(cohort([("XY", 0, 1)]), made(INSTITUTIONS))


units_of_sites = st.dictionaries(
    st.text("abcdefgh", min_size=1, max_size=3),
    st.tuples(st.integers(0, 40), st.integers(0, 9)),
    min_size=1,
    max_size=14,
)


def held(units: dict[str, Counts], fold_of: dict[str, int], folds: int) -> list[Counts]:
    return [tuple(sum(units[s][i] for s in units if fold_of[s] == fold) for i in range(2)) for fold in range(folds)]


@given(units=units_of_sites, folds=st.integers(2, 4), required=st.integers(0, 2), seed=st.integers(0, 3))
@settings(max_examples=25, deadline=None)
def test_no_move_and_no_swap_betters_the_parting(
    units: dict[str, Counts], folds: int, required: int, seed: int
) -> None:
    fold_of = part_institutions(units, folds=folds, required=required, seed=seed)
    assert fold_of.keys() == units.keys()
    cost = Unevenness(folds, tuple(map(sum, zip(*units.values(), strict=True))), required)

    def total(assigned: dict[str, int]) -> int:
        return sum(map(cost, held(units, assigned, folds)))

    moved = [fold_of | {site: fold} for site in units for fold in range(folds)]
    swapped = [fold_of | {a: fold_of[b], b: fold_of[a]} for a in units for b in units]
    assert min(map(total, [*moved, *swapped])) == total(fold_of)
    empty = [(k, s) for k, part in enumerate(held(units, fold_of, folds)) for s in range(required) if not part[s]]
    assert lacking(units, fold_of, folds=folds, required=required) == empty


two = st.tuples(st.integers(0, 9), st.integers(0, 9))


@given(a=two, b=two, goes=two, comes=two)
def test_the_change_of_a_move_is_that_of_the_costs(a: Counts, b: Counts, goes: Counts, comes: Counts) -> None:
    cost = Unevenness(3, (70, 65), 2)
    before = [tuple(x + y for x, y in zip(*pair, strict=True)) for pair in ((a, goes), (b, comes))]
    after = [tuple(x + y for x, y in zip(*pair, strict=True)) for pair in ((a, comes), (b, goes))]
    assert cost.change(*before, goes, comes) == sum(map(cost, after)) - sum(map(cost, before))


def test_an_empty_stratum_outweighs_any_deviation() -> None:
    cost = Unevenness(3, (1000, 7), 2)
    worst = sum(map(cost, [(998, 5), (1, 1), (1, 1)]))
    assert worst < sum(map(cost, [(334, 4), (333, 3), (333, 0)]))
    assert cost.weight((10, 0)) * 100 == cost.weight((1000, 0)) == cost.weight((0, 7)) == prod((1000, 7))


@pytest.mark.parametrize(
    ("rule", "kind", "folds", "golden"),
    [
        (PATIENTS, "classification", 5, "9e55e01b137146fd"),
        (PATIENTS, "survival", 5, "9149cd246cee2508"),
        (INSTITUTIONS, "classification", 4, "91ef3e588d9c3419"),
        (INSTITUTIONS, "survival", 4, "11251ad656dccd39"),
    ],
)
def test_the_folds_never_change(rule: str, kind: str, folds: int, golden: str) -> None:
    assert completed(mixed(kind, folds), made(rule)).hashes.splits[:16] == golden


def test_the_seed_changes_the_folds() -> None:
    first, second = (make_splits(mixed(), made(PATIENTS, seed=seed)) for seed in (1, 2))
    assert [split.test for split in first] != [split.test for split in second]
    assert isinstance(first[0], Split)
