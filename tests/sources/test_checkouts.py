"""Building a registered task from checkouts: every rule of an entry, on small checkouts made here."""

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from hiptbench.errors import FormatError, SourceError, TaskError
from hiptbench.sources.checkouts import Dropped, build_task
from hiptbench.targets import Survival
from hiptbench.task_spec import TaskSpec
from hiptbench.task_store import load_spec

Checkouts = dict[str, Path]

# Patients 0 to 7 have the codes A and B in turn; 8 has a code of no class, 9 no embedding, 0 also normal tissue.
CASES = [f"TCGA-A1-000{i}" for i in range(10)]
TUMOURS = [f"{case}-01Z.aB" for case in CASES]
NORMAL = f"{CASES[0]}-11Z.aB"
CODES = ["A", "B", "A", "B", "A", "B", "A", "B", "X", "A"]
TABLE = pd.DataFrame(
    {
        "case_id": [*CASES, CASES[0]],
        "slide_id": [f"{slide}.svs" for slide in (*TUMOURS, NORMAL)],
        "code": [*CODES, "A"],
        "months": [*(float(i) for i in range(10)), 0.0],
        "censored": [*(i % 2 for i in range(10)), 0],
    },
    dtype=object,
)

LISTED: dict[str, Any] = {"rule": "listed slides only", "listing": "listing.csv", "column": "id", "source": "a test"}
DROP: dict[str, Any] = {"rule": "drop", "source": "a test"}
REFUSE = {"split_ids_outside_labels": {"rule": "refuse", "source": "a test"}}
LABEL_MAP: dict[str, Any] = {"classes": {"A": "a", "B": "b"}, "ignored": ["X"], "source": "a test"}
SPEC: dict[str, Any] = {
    "name": "toy",
    "title": "Toy",
    "licence": "CC0",
    "citation": "none",
    "folds": {"count": 2, "scheme": "partition", "patient_disjoint": False, "source": "a test"},
}
CLASSES: dict[str, Any] = {
    "kind": "classification",
    "unit": "slide",
    "evaluate_on": "test",
    "classes": ["a", "b"],
    "expected": {"units": 9, "evaluated": 4, "cases": 8, "slides": 9, "per_class": {"a": 5, "b": 4}},
}
LIVES: dict[str, Any] = {
    "kind": "survival",
    "unit": "case",
    "evaluate_on": "val",
    "endpoint": "death",
    "expected": {"units": 9, "evaluated": 8, "cases": 9, "slides": 10, "events": 5},
}


def classification(expected: Mapping[str, Any] | None = None, **quirks: object) -> TaskSpec:
    data = {
        "origin": "checkout",
        "labels": {"checkout": "hipt", "path": "labels.csv.zip", "label_column": "code"},
        "splits": {"checkout": "hipt", "path": "slide_splits"},
        "quirks": {"split_ids_outside_labels": DROP, "embedded_slides_only": LISTED, "label_map": LABEL_MAP} | quirks,
    }
    expected = CLASSES["expected"] | (expected or {})
    return TaskSpec.model_validate(SPEC | CLASSES | {"data": data, "expected": expected})


def survival(expected: Mapping[str, Any] | None = None, **quirks: object) -> TaskSpec:
    columns = {"time_column": "months", "censored_column": "censored"}
    data = {
        "origin": "checkout",
        "labels": {"checkout": "porpoise", "path": "labels.csv.zip"} | columns,
        "splits": {"checkout": "hipt", "path": "case_splits"},
        "quirks": {"split_ids_outside_labels": DROP, "embedded_slides_only": LISTED} | quirks,
    }
    expected = LIVES["expected"] | (expected or {})
    return TaskSpec.model_validate(SPEC | LIVES | {"data": data, "expected": expected})


def write_labels(checkouts: Checkouts, table: pd.DataFrame, member: str = "labels.csv") -> None:
    for folder in checkouts.values():
        with zipfile.ZipFile(folder / "labels.csv.zip", "w") as archive:
            archive.writestr(member, table.to_csv(index=False))


def write_splits(folder: Path, *folds: Mapping[str, Sequence[str]]) -> None:
    folder.mkdir(exist_ok=True)
    for number, parts in enumerate(folds):
        ragged = pd.DataFrame({part: pd.Series(ids, dtype=object) for part, ids in parts.items()})
        ragged.to_csv(folder / f"splits_{number}.csv")


def changed(row: int, column: str, value: object) -> pd.DataFrame:
    table = TABLE.copy()
    table.loc[row, column] = value
    return table


@pytest.fixture
def small(tmp_path: Path) -> Checkouts:
    """Checkouts of HIPT and PORPOISE in small."""
    checkouts = {name: tmp_path / name for name in ("hipt", "porpoise")}
    for folder in checkouts.values():
        folder.mkdir()
    write_labels(checkouts, TABLE)
    pd.DataFrame({"id": [f"{s}.pt" for s in (*TUMOURS[:9], NORMAL, "unrelated")]}).to_csv(tmp_path / "hipt/listing.csv")
    write_splits(
        tmp_path / "hipt" / "slide_splits",
        {"train": [*TUMOURS[3::-1], "elsewhere"], "val": TUMOURS[6:9], "test": TUMOURS[4:6]},
        {"train": TUMOURS[2:6], "val": TUMOURS[6:8], "test": TUMOURS[:2]},
    )
    write_splits(
        tmp_path / "hipt" / "case_splits",
        {"train": CASES[:4], "val": CASES[4:8]},
        {"train": CASES[4:8], "val": [*CASES[:4], CASES[9]]},
    )
    return checkouts


def test_classes_are_mapped_and_everything_left_out_has_its_reason(small: Checkouts) -> None:
    built = build_task(classification(), small)
    assert built.task.units == (*TUMOURS[:8], NORMAL)
    assert built.task.target.rows() == ["a", "b"] * 4 + ["a"]
    assert built.task.splits[0].train == tuple(TUMOURS[:4])
    assert built.dropped == (
        Dropped("diagnosis code is not a class of the task", (TUMOURS[8],)),
        Dropped("no published region embedding", (TUMOURS[9],)),
        Dropped("named by the splits, but not in the cohort", ("elsewhere", TUMOURS[8])),
    )


def test_censored_is_the_opposite_of_event(small: Checkouts) -> None:
    target = build_task(survival(), small).task.target
    assert isinstance(target, Survival)
    assert target.event.tolist() == [True, False] * 4 + [True]
    assert target.time.tolist() == list(range(9))


def test_a_case_needs_one_slide_with_an_embedding_and_has_exactly_those(small: Checkouts) -> None:
    built = build_task(survival(), small)
    assert built.task.slides(CASES[0]) == (TUMOURS[0], NORMAL)
    assert built.dropped[-1].names == (CASES[9],)
    pd.DataFrame({"id": [*TUMOURS[1:9], NORMAL]}).to_csv(small["hipt"] / "listing.csv")
    assert build_task(survival({"slides": 9}), small).task.slides(CASES[0]) == (NORMAL,)


def test_ids_outside_the_labels_can_be_refused(small: Checkouts) -> None:
    with pytest.raises(TaskError, match=r"toy name 2 slides without labels: elsewhere, TCGA-A1-0008-01Z\.aB\."):
        build_task(classification(**REFUSE), small)
    with pytest.raises(TaskError, match=r"splits of toy name 1 cases without labels: TCGA-A1-0009\."):
        build_task(survival(**REFUSE), small)


def test_normal_tissue_is_kept_or_dropped_and_counted(small: Checkouts) -> None:
    tissue = {"slides": 1, "source": "a test"}
    kept = build_task(classification(normal_tissue=tissue | {"rule": "keep"}), small)
    assert NORMAL in kept.task.units
    counts = {"units": 8, "slides": 8, "per_class": {"a": 4, "b": 4}}
    dropped = build_task(classification(counts, normal_tissue=tissue | {"rule": "drop"}), small)
    assert Dropped("slide of normal tissue", (NORMAL,)) in dropped.dropped
    with pytest.raises(TaskError, match=r"toy has 1 slides of normal tissue, the registry says 2"):
        build_task(classification(normal_tissue=tissue | {"rule": "keep", "slides": 2}), small)


def test_codes_can_be_chosen(small: Checkouts) -> None:
    codes = {"rule": "keep listed", "column": "code", "listed": ["A", "B"], "source": "a test"}
    built = build_task(survival({"units": 8, "cases": 8, "slides": 9, "events": 4}, codes=codes), small)
    assert built.dropped[0] == Dropped("diagnosis code is not in the cohort", (TUMOURS[8],))
    keep_all = {"rule": "keep all", "column": "gone", "source": "a test"}
    assert len(build_task(survival(codes=keep_all), small).task.units) == 9


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (changed(1, "code", "Y"), r"labels of toy hold codes that the registry does not know: Y\."),
        (changed(1, "code", None), r"has 1 rows with an empty cell .* row 2 \(slide TCGA-A1-0001-01Z\.aB\.svs\)"),
        (changed(7, "code", "A"), r"toy is registered with .*'b': 4.* but its data have .*'b': 3.*data import"),
        (changed(1, "slide_id", TABLE.slide_id[0]), r"labels of toy list 1 slides twice: TCGA-A1-0000-01Z\.aB\."),
        (changed(1, "slide_id", None), r"rows with an empty cell .* row 2 \(slide nan\)"),
    ],
)
def test_labels_that_are_not_what_they_should_be(small: Checkouts, table: pd.DataFrame, message: str) -> None:
    write_labels(small, table)
    with pytest.raises(TaskError, match=message):
        build_task(classification(), small)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (changed(3, "months", "soon"), r"column 'months' of slide TCGA-A1-0003-01Z\.aB holds 'soon', not a number"),
        (changed(3, "censored", 2), r"'censored' of slide TCGA-A1-0003-01Z\.aB holds '2'; 1 is censored, 0 an event"),
        (changed(3, "censored", ""), r"1 rows with an empty cell .* row 4 \(slide TCGA-A1-0003-01Z\.aB\.svs\)"),
        (changed(0, "months", 5.0), r"slides of TCGA-A1-0000 in toy contradict each other: .* 5\.0, .* 0\.0"),
        (changed(3, "months", -1), r"toy has 1 times that are missing or negative: TCGA-A1-0003"),
    ],
)
def test_lives_that_are_not_what_they_should_be(small: Checkouts, table: pd.DataFrame, message: str) -> None:
    write_labels(small, table)
    with pytest.raises(TaskError, match=message):
        build_task(survival(), small)


def test_a_zip_member_that_leads_out_of_the_folder_is_read_and_written_nowhere(small: Checkouts) -> None:
    write_labels(small, TABLE, member="../escaped.csv")
    before = sorted(small["hipt"].parent.rglob("*"))
    assert len(build_task(classification(), small).task.units) == 9
    assert sorted(small["hipt"].parent.rglob("*")) == before


def test_what_a_checkout_lacks(small: Checkouts) -> None:
    with pytest.raises(SourceError, match=r"labels\.csv\.zip comes from a checkout of PORPOISE: give --porpoise DIR"):
        build_task(survival(), {"hipt": small["hipt"]})
    (small["hipt"] / "listing.csv").unlink()
    with pytest.raises(SourceError, match=r"hipt has no listing\.csv\. Is it a checkout of HIPT .*`hiptbench data fet"):
        build_task(survival(), small)
    (small["porpoise"] / "labels.csv.zip").write_bytes(b"PK\x03\x04cut")
    with pytest.raises(FormatError, match=r"labels\.csv\.zip is a zip archive that cannot be read"):
        build_task(survival(), small)


def test_a_task_that_comes_from_elsewhere(small: Checkouts) -> None:
    with pytest.raises(TaskError, match=r"digits_bags is not made from a checkout; its data are 'digits'"):
        build_task(load_spec("digits_bags"), small)
