"""Labels that contradict each other, are missing or are those of normal tissue; classes and sites."""

import pytest

from hiptbench.errors import TaskError
from hiptbench.lint.linter import lint_task
from hiptbench.tasks import SlideRow, Task
from hiptbench.testing import toy_task
from linted import folds, found, labelled, lint_rows


def at(*slides: str) -> list[SlideRow]:
    """Return rows of TCGA slides from texts such as ``"AA x"``: site and label."""
    return [
        SlideRow(f"TCGA-{site}-{i:04}-01Z-00-DX1", f"TCGA-{site}-{i:04}", label=label)
        for i, (site, label) in enumerate(map(str.split, slides))
    ]


def in_one_fold(rows: list[SlideRow]) -> tuple[str, str, str]:
    """Return a fold that trains on all but the last row."""
    return " ".join(row.slide for row in rows[:-1]), "", rows[-1].slide


def test_a_slide_with_two_labels_is_an_error() -> None:
    report = lint_rows(labelled("a p x, b q y, a p y, b q y"), ("a", "", "b"))
    finding = found(report, "label_conflict")
    assert (finding.severity, finding.names) == ("error", ("a",))
    assert report.overall.classes == {"x": 1, "y": 1}


def test_a_patient_with_two_classes_is_a_warning() -> None:
    finding = found(lint_rows(labelled("a p x, b p y, c q y"), ("a b", "", "c")), "label_conflict")
    assert (finding.severity, finding.names) == ("warning", ("p",))


def test_a_patient_who_survives_for_two_times_is_an_error() -> None:
    rows = [SlideRow("a", "p", time=1.0, event=True), SlideRow("b", "p", time=2.0, event=True)]
    rows += [SlideRow(name, name, time=3.0, event=False) for name in "cd"]
    finding = found(lint_rows(rows, ("p c", "", "d"), kind="survival"), "label_conflict")
    assert (finding.severity, finding.names) == ("error", ("p",))


def test_ids_without_label_are_left_out_of_all_else() -> None:
    report = lint_rows(labelled("a p x, b q y"), ("a e", "", "b f g"))
    finding = found(report, "id_without_label")
    assert (finding.severity, finding.names) == ("warning", ("e", "f", "g"))
    assert finding.message.startswith("3 of 5 listed ids")
    assert (report.overall.ids_without_label, report.overall.test_slides) == (3, 1)


def test_a_table_of_other_ids_is_refused() -> None:
    with pytest.raises(
        TaskError, match=r"rows lists 2 ids \(e, f\), none of which .* its slides are a, b\. Check --sl"
    ):
        lint_rows(labelled("a p x, b q y"), ("e", "", "f"))


def test_normal_tissue_is_a_warning_that_names_its_labels() -> None:
    normal = SlideRow("TCGA-AA-0000-11Z-00-DX1", "TCGA-AA-0000", label="x")
    rows = [*at("AA x", "AA y", "AA y"), normal]
    report = lint_rows(rows, in_one_fold(rows))
    finding = found(report, "normal_tissue")
    assert (finding.severity, finding.names) == ("warning", (normal.slide,))
    assert finding.message == "1 of 4 slides are of normal tissue by their barcode, labelled x (1)."
    assert report.overall.normal_tissue_slides == 1


@pytest.mark.parametrize(
    ("parts", "problem"),
    [
        (("a b", "", "c"), "test of fold 0 has no x"),
        (("a", "b", ""), "train of fold 0 has no y"),
        (("", "", "a b"), "train of fold 0 is empty"),
    ],
)
def test_parts_without_a_metric(parts: tuple[str, str, str], problem: str) -> None:
    finding = found(lint_rows(labelled("a p x, b q y, c r y"), parts), "undefined_metric")
    assert finding.severity == "error"
    assert problem in finding.names


def test_survival_without_a_comparable_pair() -> None:
    rows = [SlideRow(name, name, time=float(i), event=name in "bd") for i, name in enumerate("abcd")]
    report = lint_rows(rows, ("b c", "", "a d"), kind="survival")
    assert found(report, "undefined_metric").names == ("test of fold 0 has no comparable pair of survival times",)
    assert report.overall.events == 2


def test_no_site_with_two_classes_is_a_warning() -> None:
    rows = at("AA x", "CC y", "BB y", "AA x")
    report = lint_rows(rows, in_one_fold(rows))
    assert found(report, "site_tells_class").severity == "warning"
    assert (report.overall.sites_shared_between_classes, report.overall.slides_at_sites_of_one_class) == (0, 4)


def test_some_sites_with_one_class_are_a_note() -> None:
    rows = at("AA x", "AA y", "BB y")
    report = lint_rows(rows, in_one_fold(rows))
    finding = found(report, "site_of_one_class")
    assert (finding.severity, finding.names) == ("note", ("AA",))
    assert finding.message.startswith("1 of 2 tissue source sites, with 1 of 3 slides (33.3%), have one class only")
    assert report.overall.sites_shared_between_classes == 1


def test_sites_with_every_class_are_no_finding() -> None:
    rows = at("AA x", "AA y", "BB y", "BB x")
    report = lint_rows(rows, in_one_fold(rows))
    assert not {"site_tells_class", "site_of_one_class"} & {finding.code for finding in report.findings}
    assert report.overall.slides_at_sites_of_one_class == 0


def test_without_barcodes_sites_are_unknown() -> None:
    overall = lint_task(toy_task()).overall
    assert overall.sites_shared_between_classes is overall.slides_at_sites_of_one_class is None
    assert overall.normal_tissue_slides == 0


def test_a_task_counts_classes_in_its_own_order() -> None:
    spec = toy_task().spec.model_copy(update={"classes": ("z", "a")})
    task = Task.build(spec, labelled("s p a, t q z, u r z"), folds(("s t", "", "u")))
    report = lint_task(task)
    assert list(report.overall.classes or ()) == ["z", "a"]
    assert report.folds[0].parts["train"].classes == {"z": 1, "a": 1}
