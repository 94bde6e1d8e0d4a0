"""The published splits: what leaks in them, what they never test, and what gives the answer away."""

from pathlib import Path

import pytest

from hiptbench.lint.balance_lint import balances, sizes
from hiptbench.lint.findings import LintReport
from hiptbench.lint.linter import lint_folder, lint_labelled_folder, lint_task
from hiptbench.lint.subject import subject_of_task
from hiptbench.sources.checkouts import Built
from hiptbench.sources.importing import SUITES, import_tasks
from hiptbench.sources.own import Columns
from hiptbench.suites import load_suite
from linted import codes, found

SUBTYPING = "2-Weakly-Supervised-Subtyping"
PUBLISHED, CORRECTED, SITES = (load_suite(name).tasks for name in SUITES)


@pytest.fixture(scope="module")
def built(checkouts: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> list[Built]:
    return import_tasks(SUITES, checkouts, tmp_path_factory.mktemp("lint") / "home")


@pytest.fixture(scope="module")
def reports(built: list[Built]) -> dict[str, LintReport]:
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
    shared = {name: report.overall.sites_shared_between_classes for name, report in reports.items()}
    assert [shared[f"tcga_{study}_subtype"] for study in ("brca", "lung", "kidney")] == [20, 0, 0]
    warned = {name for name in PUBLISHED if ("site_tells_class", "warning") in codes(reports[name])}
    assert warned == {"tcga_lung_subtype", "tcga_kidney_subtype"}


def test_the_institutions_behind_the_sites_have_several_classes(reports: dict[str, LintReport]) -> None:
    told = [found(reports[f"tcga_{study}_subtype"], "site_tells_class").numbers for study in ("lung", "kidney")]
    of = [(n["sites"], n["institutions"], n["institutions_shared_between_classes"]) for n in told]
    assert of == [(66, 36, 29), (55, 34, 16)]


def test_survival_folds_are_sound(reports: dict[str, LintReport]) -> None:
    survival = [reports[name] for name in PUBLISHED if "survival" in name]
    assert {code for report in survival for code in codes(report)} == {
        ("site_in_train_and_test", "note"),
        ("uneven_test_parts", "note"),
    }
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


@pytest.mark.parametrize("name", [*CORRECTED, *SITES])
def test_nothing_of_the_sort_in_the_corrected_suites(reports: dict[str, LintReport], name: str) -> None:
    report = reports[name]
    overall = report.overall
    assert (overall.scheme, overall.test_slides_patient_in_train, overall.normal_tissue_slides) == ("partition", 0, 0)
    assert overall.slides_ever_tested == overall.slides == overall.test_slides
    assert not any(shared.patients or shared.slides for fold in report.folds for shared in fold.overlaps.values())
    allowed = {"site_tells_class", "site_of_one_class", "uneven_test_parts"}
    of_suite = {"institution_larger_than_a_fold"} if name in SITES else {"site_in_train_and_test"}
    assert {code for code, _ in codes(report)} <= allowed | of_suite
    assert not report.has_errors


@pytest.mark.parametrize("name", SITES)
def test_no_site_and_no_institution_is_in_train_and_test(reports: dict[str, LintReport], name: str) -> None:
    overlaps = [shared for fold in reports[name].folds for shared in fold.overlaps.values()]
    assert all(shared.sites == shared.institutions == () for shared in overlaps)
    told = {finding.code: finding for finding in reports[name].findings}
    if name in ("tcga_lung_subtype_sites", "tcga_kidney_subtype_sites"):
        assert told["site_tells_class"].severity == "note"
        assert told["site_tells_class"].message.endswith("No tested site is trained on.")


TOO_LARGE = {  # institutions; units of theirs, of all, number of institutions
    "tcga_kidney_subtype": [
        (("Memorial Sloan Kettering Cancer Center", "University of Pittsburgh"), 139 + 105, 498, 18),
        (("Memorial Sloan Kettering Cancer Center", "University of North Carolina"), 24 + 24, 107, 6),  # CHRCC from six
    ],
    "tcga_brca_survival": [(("Duke University", "University of Pittsburgh"), 27 + 42, 128, 21)],
    "tcga_coadread_survival": [(("University of Michigan",), 18, 78, 14)],
    "tcga_kirc_survival": [(("MD Anderson Cancer Center", "University of Pittsburgh"), 19 + 35, 89, 9)],
    "tcga_kirp_survival": [(("Memorial Sloan Kettering Cancer Center",), 9, 40, 13)],
    "tcga_stad_survival": [(("Asterand", "Barretos Cancer Hospital"), 42 + 39, 125, 13)],
}


def test_institutions_that_are_larger_than_a_fold(reports: dict[str, LintReport]) -> None:
    told = {
        name.removesuffix("_sites"): [
            (f.names, f.numbers["units"], f.numbers["of"], f.numbers["institutions"])
            for f in reports[name].findings
            if f.code == "institution_larger_than_a_fold"
        ]
        for name in SITES
    }
    assert {name: findings for name, findings in told.items() if findings} == TOO_LARGE


@pytest.mark.parametrize(
    ("name", "held"),
    [
        ("tcga_brca_subtype", {"IDC": (138, 166), "ILC": (29, 31), "patients": (166, 168)}),
        ("tcga_lung_subtype", {"LUAD": (86, 142), "LUSC": (85, 120), "patients": (172, 173)}),
        ("tcga_kidney_subtype", {"CCRCC": (76, 139), "PRCC": (53, 67), "CHRCC": (14, 25), "patients": (142, 216)}),
        ("tcga_brca_survival", {"events": (18, 42)}),
        ("tcga_coadread_survival", {"events": (14, 20)}),
        ("tcga_kirc_survival", {"events": (10, 35)}),
        ("tcga_kirp_survival", {"events": (7, 9)}),
        ("tcga_luad_survival", {"events": (30, 31)}),
        ("tcga_stad_survival", {"events": (14, 42)}),
    ],
)
def test_how_uneven_folds_of_whole_institutions_are(
    built: list[Built], reports: dict[str, LintReport], name: str, held: dict[str, tuple[int, int]]
) -> None:
    (task,) = (one.task for one in built if one.task.name == f"{name}_sites")
    subject, folds = subject_of_task(task), reports[task.name].folds
    counts = {balance.name: balance.tested for balance in balances(subject, folds)} | sizes(subject, folds)
    assert {name: (min(counts[name]), max(counts[name])) for name in held} == held
