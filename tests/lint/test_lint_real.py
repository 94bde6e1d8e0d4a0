"""The published splits: what leaks in them, what they never test, and what gives the answer away."""

from pathlib import Path

import pytest

from hiptbench.lint.findings import LintReport
from hiptbench.lint.linter import lint_folder, lint_labelled_folder, lint_task
from hiptbench.sources.importing import import_tasks
from hiptbench.sources.own import Columns
from linted import codes

SUBTYPING = "2-Weakly-Supervised-Subtyping"


@pytest.fixture(scope="module")
def reports(checkouts: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, LintReport]:
    built = import_tasks("hipt-2022", checkouts, tmp_path_factory.mktemp("lint") / "home")
    return {one.task.name: lint_task(one.task) for one in built}


@pytest.mark.parametrize(
    ("study", "leaked", "tested", "ever", "slides"),
    [("brca", 53, 822, 569, 875), ("lung", 94, 864, 576, 958), ("kidney", 40, 865, 570, 905)],
)
def test_subtyping_folds(
    reports: dict[str, LintReport], study: str, leaked: int, tested: int, ever: int, slides: int
) -> None:
    report = reports[f"tcga_{study}_subtype"]
    overall = report.overall
    assert (overall.test_slides_patient_in_train, overall.test_slides) == (leaked, tested)
    assert (overall.slides_ever_tested, overall.slides, overall.scheme) == (ever, slides, "monte carlo")
    assert all(not shared.slides for fold in report.folds for shared in fold.overlaps.values())
    assert ("patient_in_train_and_test", "error") in codes(report)


def test_patients_shared_in_each_fold(reports: dict[str, LintReport]) -> None:
    folds = reports["tcga_lung_subtype"].folds
    shared = [[len(fold.overlaps[pair].patients or ()) for fold in folds] for pair in ("train_test", "val_test")]
    assert shared == [[7, 12, 7, 10, 4, 6, 7, 8, 9, 12], [1, 1, 2, 3, 2, 4, 4, 4, 1, 4]]


def test_eleven_normals(reports: dict[str, LintReport]) -> None:
    normals = {name: report.overall.normal_tissue_slides for name, report in reports.items()}
    assert normals == dict.fromkeys(reports, 0) | {"tcga_kidney_subtype": 11}


def test_the_site_tells_the_class_of_nsclc_and_rcc(reports: dict[str, LintReport]) -> None:
    shared = {name: report.overall.sites_shared_between_classes for name, report in reports.items() if "sub" in name}
    assert shared == {"tcga_brca_subtype": 20, "tcga_lung_subtype": 0, "tcga_kidney_subtype": 0}
    warned = {name for name, report in reports.items() if ("site_tells_class", "warning") in codes(report)}
    assert warned == {"tcga_lung_subtype", "tcga_kidney_subtype"}


def test_survival_folds_are_sound(reports: dict[str, LintReport]) -> None:
    survival = [report for name, report in reports.items() if "survival" in name]
    assert {code for report in survival for code in codes(report)} == {("site_in_train_and_test", "note")}
    assert [report.overall.events for report in survival] == [128, 78, 89, 40, 154, 125]
    assert {report.overall.scheme for report in survival} == {"partition"}


def test_the_published_files_say_the_same(real_data: Path, reports: dict[str, LintReport]) -> None:
    folder = real_data / "HIPT" / SUBTYPING
    columns = Columns(slide="slide_id", case="case_id", label="oncotree_code")
    labels = folder / "dataset_csv" / "tcga_kidney_subset.csv.zip"
    report = lint_labelled_folder(folder / "splits" / "10foldcv_subtype" / "tcga_kidney", labels, columns)
    task = reports["tcga_kidney_subtype"]
    assert report.overall.ids_without_label == 26
    assert [fold.overlaps for fold in report.folds] == [fold.overlaps for fold in task.folds]
    assert report.overall.test_slides_patient_in_train == task.overall.test_slides_patient_in_train


def test_the_published_ids_alone(real_data: Path) -> None:
    report = lint_folder(real_data / "HIPT" / SUBTYPING / "splits" / "10foldcv_subtype" / "tcga_brca")
    shared = [len(fold.overlaps["train_test"].patients or ()) for fold in report.folds]
    assert shared == [12, 8, 10, 8, 8, 4, 15, 9, 13, 4]
    assert report.kind is None
