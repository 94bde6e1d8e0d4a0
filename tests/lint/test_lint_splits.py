"""What parts of a fold share, and how often units are tested."""

import json
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hiptbench.lint.linter import lint_task
from hiptbench.tasks import SlideRow, Task
from hiptbench.testing import toy_task
from linted import codes, folds, found, labelled, lint_ids, lint_rows

A1, A2, B1, C1 = (
    f"TCGA-{name}-01Z-00-DX{i}" for name, i in (("AA-0001", 1), ("AA-0001", 2), ("BB-0002", 1), ("CC-0003", 1))
)
PARTS = ("train", "val", "test")


def test_a_patient_in_train_and_test_is_an_error() -> None:
    report = lint_ids((f"{A1} {B1}", "", f"{A2} {C1}"))
    finding = found(report, "patient_in_train_and_test")
    assert (finding.severity, finding.names) == ("error", ("TCGA-AA-0001",))
    assert finding.message.endswith(": 1 of 2 tested slides (50.0%) are of a patient trained on.")
    assert finding.numbers["test_slides_patient_in_train"] == 1
    assert (report.overall.test_slides, report.overall.test_slides_patient_in_train) == (2, 1)
    assert report.has_errors


def test_sites_in_both_are_a_note() -> None:
    report = lint_ids((A1, "", "TCGA-AA-0009-01Z-00-DX1"))
    assert codes(report) == {("site_in_train_and_test", "note"), ("never_tested", "note")}
    assert found(report, "site_in_train_and_test").names == ("AA",)
    assert not report.has_errors


@pytest.mark.parametrize(
    ("parts", "severity"), [(("a", "b", "a"), "error"), (("a", "a", "b"), "warning"), (("b", "a", "a"), "warning")]
)
def test_a_slide_in_two_parts(parts: tuple[str, ...], severity: str) -> None:
    finding = found(lint_ids(parts), "slide_in_two_parts")
    assert (finding.severity, finding.names) == (severity, ("a",))


def test_val_is_the_test_part_where_there_is_no_other() -> None:
    report = lint_ids((A1, A2, ""))
    assert report.tested_part == "val"
    assert found(report, "patient_in_train_and_test").severity == "error"
    assert "patient_in_val" not in dict(codes(report))


def test_a_patient_in_val_is_a_warning() -> None:
    assert ("patient_in_val", "warning") in codes(lint_ids((A1, A2, C1)))
    assert ("patient_in_val", "warning") in codes(lint_ids((C1, A2, A1)))


def test_unknown_patients_are_not_said_to_be_apart() -> None:
    report = lint_ids(("s1 s2", "", "s3"))
    assert found(report, "unknown_patients").severity == "note"
    assert report.overall.patients is report.overall.sites is None
    assert report.overall.test_slides_patient_in_train is report.folds[0].overlaps["train_test"].patients is None


def test_cases_of_the_split_files_are_used() -> None:
    report = lint_ids(("s1", "", "s2"), cases={"s1": "p", "s2": "p"})
    assert found(report, "patient_in_train_and_test").names == ("p",)


def test_a_barcode_tells_the_patient_whatever_the_labels_say() -> None:
    report = lint_rows([SlideRow(slide, slide, label="x") for slide in (A1, A2)], (A1, "", A2))
    assert found(report, "patient_in_train_and_test").names == ("TCGA-AA-0001",)


def test_lists_of_patients_say_nothing_of_slides() -> None:
    report = lint_ids(("TCGA-AA-0001", "TCGA-BB-0002", ""), ("TCGA-BB-0002", "TCGA-AA-0001", ""))
    assert (report.unit, report.overall.units, report.overall.patients) == ("case", 2, 2)
    assert report.overall.slides is report.overall.test_slides is report.overall.slides_ever_tested is None
    assert report.overall.scheme == "partition"


@pytest.mark.parametrize(
    ("parts", "scheme", "expected"),
    [
        ([("a b", "", "c")], "one split", {"never_tested": ("a", "b")}),
        ([("a", "", "b c"), ("b c", "", "a")], "partition", {}),
        ([("a", "", "b"), ("b c", "", "a")], "disjoint", {"never_tested": ("c",)}),
        ([("a", "", "b c"), ("b", "", "a c")], "monte carlo", {"tested_repeatedly": ("c",)}),
    ],
)
def test_schemes(parts: list[tuple[str, ...]], scheme: str, expected: dict[str, tuple[str, ...]]) -> None:
    report = lint_ids(*parts)
    assert report.overall.scheme == scheme
    tested = {f.code: f.names for f in report.findings if f.code in ("never_tested", "tested_repeatedly")}
    assert tested == expected
    assert report.overall.slides_ever_tested == 3 - len(expected.get("never_tested", ()))


def test_labelled_units_in_no_fold() -> None:
    finding = found(lint_rows(labelled("a p x, b q x, c r x"), ("a", "", "b")), "in_no_fold")
    assert (finding.severity, finding.names) == ("note", ("c",))


def test_an_id_listed_twice_counts_once_here() -> None:
    report = lint_ids(("a a b", "", "c"))
    assert found(report, "listed_twice").names == ("a",)
    assert report.folds[0].parts["train"].units == 2


@given(
    places=st.lists(st.lists(st.sampled_from([None, *PARTS]), min_size=8, max_size=8), min_size=1, max_size=3),
    patients=st.lists(st.integers(0, 4), min_size=8, max_size=8),
)
def test_overlaps_are_those_of_a_plain_count(places: list[list[str | None]], patients: list[int]) -> None:
    rows = [SlideRow(f"s{i}", f"p{patient}", label="x") for i, patient in enumerate(patients)]
    split = [[" ".join(f"s{i}" for i, place in enumerate(fold) if place == part) for part in PARTS] for fold in places]
    if not any(place for fold in places for place in fold):
        return
    report = lint_rows(rows, *split)
    for fold, facts in zip(places, report.folds, strict=True):
        of = {part: {patients[i] for i, place in enumerate(fold) if place == part} for part in PARTS}
        for a, b in combinations(PARTS, 2):
            shared = facts.overlaps.get(f"{a}_{b}")
            assert (set() if shared is None else {int(p[1:]) for p in shared.patients or ()}) == of[a] & of[b]
        tested = [i for i, place in enumerate(fold) if place == report.tested_part]
        assert facts.test_slides == len(tested)
        assert facts.test_slides_patient_in_train == sum(patients[i] in of["train"] for i in tested)


def test_a_sound_task_has_no_findings() -> None:
    for kind in ("classification", "survival"):
        report = lint_task(toy_task(kind, evaluate_on="val"))
        assert report.findings == ()
        assert report.overall.scheme == "partition"


def test_the_slides_of_a_case_are_tested_with_it() -> None:
    rows = [SlideRow(f"s{i}", f"p{i // 2}", time=float(i // 2), event=True) for i in range(8)]
    spec = toy_task("survival", evaluate_on="val").spec.model_copy(update={"unit": "case"})
    report = lint_task(Task.build(spec, rows, folds(("p0 p1", "p2 p3", ""))))
    assert (report.overall.units, report.overall.slides, report.overall.test_slides) == (4, 8, 4)
    assert report.folds[0].parts["train"].events == 2


def test_json_has_the_whole_at_the_top_and_counts_beside_names() -> None:
    content = json.loads(json.dumps(lint_ids((A1, "", f"{A2} {C1}")).to_json()))
    assert {"test_slides", "slides_ever_tested", "normal_tissue_slides", "sites_shared_between_classes"} <= set(content)
    (fold,) = content["folds"]
    assert fold["overlaps"]["train_test"] == {
        **{"slides": 0, "patients": 1, "sites": 1, "institutions": 1},
        **{"slide_names": [], "patient_names": ["TCGA-AA-0001"], "site_names": ["AA"]},
        "institution_names": ["Indivumed"],
    }
    assert fold["test_slides_patient_in_train"] == 1
    assert {"code", "severity", "message", "numbers", "names"} == set(content["findings"][0])
    assert content["findings"][0]["severity"] == "error"
