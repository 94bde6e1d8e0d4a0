"""Tasks of one's own: folds that keep patients together, given splits, and label tables that are refused."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hiptbench.errors import FormatError, StoreError, TaskError
from hiptbench.sources.own import Columns, create_task, make_folds
from hiptbench.targets import Survival
from hiptbench.task_checks import shared_cases
from hiptbench.task_store import known, load_task
from hiptbench.tasks import SlideRow, Task
from hiptbench.testing import toy_task

GRADES = Columns(slide="slide", case="patient", label="grade")
LIVES = Columns(slide="slide", case="patient", time="days", event="died", time_unit="days")


def table(patients: int = 20, slides: int = 2) -> pd.DataFrame:
    """A label table with numeric-looking ids: 007-0.svs belongs to patient 007."""
    rows = [(f"{p:03}-{s}.svs", f"{p:03}", p, s) for p in range(patients) for s in range(slides)]
    return pd.DataFrame(
        {
            "slide": [slide for slide, *_ in rows],
            "patient": [patient for _, patient, *_ in rows],
            "grade": [str(p % 2 + 1) for *_, p, _ in rows],
            "days": [p * 10 for *_, p, _ in rows],
            "died": [int(p % 4 > 0) for *_, p, _ in rows],
        },
        dtype=object,
    )


def create(
    folder: Path, frame: pd.DataFrame, columns: Columns = GRADES, name: str = "mine", **settings: object
) -> Task:
    frame.to_csv(folder / "labels.csv", index=False)
    return create_task(name, folder / "labels.csv", columns, **settings)  # type: ignore[arg-type]


def changed(row: int, column: str, value: object) -> pd.DataFrame:
    frame = table()
    frame.loc[row, column] = value
    return frame


def write_splits(folder: Path, *folds: Mapping[str, Sequence[str]]) -> Path:
    folder.mkdir()
    for number, parts in enumerate(folds):
        ragged = pd.DataFrame({part: pd.Series(ids, dtype=object) for part, ids in parts.items()})
        ragged.to_csv(folder / f"splits_{number}.csv")
    return folder


@st.composite
def cohorts(draw: st.DrawFn) -> list[SlideRow]:
    """Patients with 1 to 4 slides; every class has at least four patients, a patient may have slides of both."""
    patients = draw(st.lists(st.lists(st.integers(0, 1), min_size=1, max_size=4), max_size=15))
    patients += [[0], [1]] * 4
    labels = [(f"p{p}", label) for p, slides in enumerate(patients) for label in slides]
    return [SlideRow(f"s{i}", case, label=f"class{label}") for i, (case, label) in enumerate(labels)]


@settings(deadline=None, max_examples=25)  # the first call imports scikit-learn
@given(rows=cohorts(), folds=st.integers(2, 4), seed=st.integers(0, 99))
def test_folds_keep_patients_together_and_test_each_unit_once(rows: list[SlideRow], folds: int, seed: int) -> None:
    task = Task.build(toy_task().spec, rows, [])
    splits = make_folds(task, folds=folds, seed=seed)
    assert [split.fold for split in splits] == list(range(folds))
    for split in splits:
        assert shared_cases(task, split) == []
        assert sorted(split.train + split.test) == sorted(task.units)
        assert split.val == ()
    assert sorted(unit for split in splits for unit in split.test) == sorted(task.units)
    assert make_folds(task, folds=folds, seed=seed) == splits


@pytest.mark.parametrize("kind", ["classification", "survival"])
def test_folds_are_stratified_and_change_with_the_seed(kind: str) -> None:
    task = toy_task(kind, cases=200)
    splits = make_folds(task, folds=5, seed=1)
    strata = [row.split()[-1] for row in task.target.rows()]
    counts = [[strata[task.units.index(unit)] for unit in split.test].count(strata[0]) for split in splits]
    assert max(counts) - min(counts) <= 1
    assert make_folds(task, folds=5, seed=2) != splits


@pytest.mark.parametrize("folds", [-1, 0, 1, 31])
def test_folds_that_cannot_be_made(folds: int) -> None:
    with pytest.raises(
        TaskError, match=rf"cannot have {folds} folds: .* at least 2, .* the rarest has 30\. Give other"
    ):
        make_folds(toy_task(), folds=folds, seed=1)


def test_a_classification_task(tmp_path: Path) -> None:
    task = create(tmp_path, table(), folds=4, seed=3)
    assert (task.spec.kind, task.spec.unit, task.spec.classes) == ("classification", "slide", ("1", "2"))
    assert task.spec.folds.patient_disjoint
    assert task.spec.folds.source == "made: 4 folds, patient-grouped, stratified, seed 3"
    assert (len(task.units), len(task.splits)) == (40, 4)
    assert (task.units[14], task.case("007-0")) == ("007-0", "007")
    again = load_task("mine")
    assert again.hashes == task.hashes == task.spec.hashes
    assert again.spec == task.spec


@pytest.mark.parametrize(("unit", "months"), [("days", 140 / 30.4375), ("months", 140.0), ("years", 1680.0)])
def test_a_survival_task_has_months_and_cases(tmp_path: Path, unit: str, months: float) -> None:
    columns = Columns(slide="slide", case="patient", time="days", event="died", time_unit=unit)
    task = create(tmp_path, table(), columns)
    assert (task.spec.kind, task.spec.unit, task.spec.classes) == ("survival", "case", None)
    assert task.slides("014") == ("014-0", "014-1")
    target = task.targets(["014", "008"])
    assert isinstance(target, Survival)
    assert target.time[0] == pytest.approx(months, rel=1e-12)
    assert target.event.tolist() == [True, False]


@pytest.mark.parametrize("form", [int, float, bool, str])
def test_events_may_be_written_as_numbers_or_bools(tmp_path: Path, form: type) -> None:
    frame = table()
    expected = create(tmp_path, frame, LIVES).target.rows()
    frame["died"] = [form(event) for event in frame["died"]]
    assert create(tmp_path, frame, LIVES).target.rows() == expected


def test_the_unit_can_be_chosen(tmp_path: Path) -> None:
    assert create(tmp_path, table(), unit="case").units[7] == "007"
    assert create(tmp_path, table(), LIVES, unit="slide").units[14] == "007-0"


def test_one_column_may_name_slides_and_patients(tmp_path: Path) -> None:
    frame = table(slides=1).drop(columns="patient")
    task = create(tmp_path, frame, Columns(slide="slide", case="slide", label="grade"))
    assert (task.units[7], task.cases[7]) == ("007-0", "007-0.svs")


@pytest.mark.parametrize(
    ("columns", "frame", "message"),
    [
        (GRADES, changed(3, "grade", None), r"1 rows with an empty cell .* row 4 \(slide 001-1\.svs\)"),
        (GRADES, changed(3, "patient", ""), r"1 rows with an empty cell .* slide, patient, grade: row 4"),
        (LIVES, changed(3, "days", None), r"1 rows with an empty cell .* row 4"),
        (LIVES, changed(3, "days", "soon"), r"column 'days' of slide 001-1 holds 'soon', not a number"),
        (LIVES, changed(3, "days", -1), r"slides of 001 in mine contradict each other"),
        (LIVES, changed(3, "died", 2), r"column 'died' of slide 001-1 holds '2'; 1 is an event, 0 censored"),
        (LIVES, changed(3, "died", "yes"), r"column 'died' of slide 001-1 holds 'yes'; 1 is an event"),
        (GRADES, table().assign(grade="low"), r"column 'grade' holds one class only, 'low'\. Classification needs"),
        (GRADES, table().iloc[:0], r"column 'grade' holds no classes"),
        (GRADES, changed(3, "slide", "001-0.svs"), r"labels of mine list 1 slides twice: 001-0\. Keep one row each"),
        (GRADES, table(patients=8), r"mine cannot have 5 folds: .* the rarest has 4"),
        (LIVES, table().assign(died=0), r"part of fold 0 of mine has no comparable pair of survival times"),
        (LIVES, table().assign(days=-5), r"mine has 20 times that are missing or negative: 000, 001"),
    ],
)
def test_tables_that_make_no_task(tmp_path: Path, columns: Columns, frame: pd.DataFrame, message: str) -> None:
    with pytest.raises(TaskError, match=message):
        create(tmp_path, frame, columns)
    assert "mine" not in known()


def test_a_table_without_a_column(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"labels\.csv has no column 'grade'\. What exists: 'slide', 'patient'"):
        create(tmp_path, table().drop(columns="grade"))


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (Columns(slide="slide", case="patient"), "Give --label-col for classification, or --time-col and --event-col"),
        (Columns(slide="slide", case="patient", label="grade", time="days"), "Give --label-col"),
        (Columns(slide="slide", case="patient", time="days"), "Give --label-col"),
        (
            Columns(slide="slide", case="patient", time="days", event="died", time_unit="weeks"),
            "A time unit is one of days, months, years, not 'weeks'",
        ),
    ],
)
def test_columns_that_describe_no_task(tmp_path: Path, columns: Columns, message: str) -> None:
    with pytest.raises(TaskError, match=message):
        create(tmp_path, table(), columns)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("tcga_lung_subtype", "'tcga_lung_subtype' is a task of the registry; choose another name"),
        ("My task", "'My task' cannot name a task: use lower-case letters, digits, - and _"),
        ("../mine", "'../mine' cannot name a task"),
        ("", "'' cannot name a task"),
    ],
)
def test_names_that_cannot_be_used(tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(TaskError, match=message):
        create(tmp_path, table(), name=name)


def test_clams_split_folders_are_read_as_they_are(tmp_path: Path) -> None:
    folder = write_splits(
        tmp_path / "splits",
        {"train": ["000-0.svs", "001-0.svs", "002-0"], "val": ["005-0"], "test": ["004-0", "003-0"]},
        {"train": ["003-0", "002-0"], "val": [], "test": ["001-0", "000-0"]},
    )
    task = create(tmp_path, table(), splits=folder)
    assert [(split.train, split.val, split.test) for split in task.splits] == [
        (("000-0", "001-0", "002-0"), ("005-0",), ("003-0", "004-0")),
        (("002-0", "003-0"), (), ("000-0", "001-0")),
    ]
    assert (task.spec.evaluate_on, task.spec.expected.units, task.spec.expected.evaluated) == ("test", 40, 4)
    assert (task.spec.folds.scheme, task.spec.folds.patient_disjoint) == ("given", True)
    assert load_task("mine").splits == task.splits


def test_without_a_test_part_val_is_evaluated(tmp_path: Path) -> None:
    folder = write_splits(tmp_path / "splits", {"train": ["000", "001", "002"], "val": ["003", "004"]})
    task = create(tmp_path, table(), LIVES, splits=folder)
    assert task.spec.evaluate_on == "val"
    assert task.ever_evaluated == {"003", "004"}


def test_given_splits_that_part_patients_are_taken_and_said_to_be_so(tmp_path: Path) -> None:
    folder = write_splits(tmp_path / "splits", {"train": ["000-0", "001-0"], "val": [], "test": ["000-1", "001-1"]})
    assert not create(tmp_path, table(), splits=folder).spec.folds.patient_disjoint


def test_given_splits_name_only_units_with_labels(tmp_path: Path) -> None:
    folder = write_splits(tmp_path / "splits", {"train": ["000-0", "001-0", "gone"], "val": ["002-0", "missing"]})
    with pytest.raises(TaskError, match=r"Fold 0 of mine names 2 slides that have no label: gone, missing\. Add their"):
        create(tmp_path, table(), splits=folder)


def test_a_given_fold_with_one_class(tmp_path: Path) -> None:
    folder = write_splits(tmp_path / "splits", {"train": ["000-0", "001-0"], "val": [], "test": ["002-0", "004-0"]})
    with pytest.raises(TaskError, match=r"test part of fold 0 of mine has no unit of class 2: .* other splits"):
        create(tmp_path, table(), splits=folder)


def test_a_refused_table_leaves_the_earlier_task(tmp_path: Path) -> None:
    earlier = create(tmp_path, table())
    with pytest.raises(TaskError, match="holds one class only"):
        create(tmp_path, table().assign(grade="low"))
    assert load_task("mine").hashes == earlier.hashes
    assert create(tmp_path, table(patients=12)).hashes == load_task("mine").hashes != earlier.hashes


def test_a_home_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match=r"Cannot write .*/file/tasks/mine/splits\.csv: Not a directory"):
        create(tmp_path, table(), home=tmp_path / "file")
