"""Lint a task, or a folder of split files with or without a label table."""

from pathlib import Path

from hiptbench.errors import UnknownNameError
from hiptbench.features import FeatureSet
from hiptbench.lint.balance_lint import balance_findings
from hiptbench.lint.features_lint import FeatureFacts, feature_facts, feature_findings
from hiptbench.lint.findings import SEVERITIES, FoldFacts, LintReport, OverallFacts
from hiptbench.lint.labels_lint import label_findings, normal_slides
from hiptbench.lint.sites_lint import site_classes, site_findings
from hiptbench.lint.split_files import read_split_files
from hiptbench.lint.splits_lint import fold_facts, part_facts, scheme, split_findings, times_tested, total
from hiptbench.lint.subject import Subject, subject_of_ids, subject_of_rows, subject_of_task
from hiptbench.sources.own import Columns, label_rows
from hiptbench.suites import load_suite, suite_names
from hiptbench.task_store import known
from hiptbench.tasks import Task


def lint_task(task: Task, features: FeatureSet | None = None) -> LintReport:
    """Lint a task.

    Args:
        task: The task.
        features: Features to hold against it; those of its slides are read.

    Raises:
        FormatError: If a feature file cannot be read.
        FeatureError: If one is broken.
    """
    return lint_subject(subject_of_task(task), features)


def lint_folder(path: str | Path, features: FeatureSet | None = None) -> LintReport:
    """Lint split files by their ids alone.

    Args:
        path: Split files in any layout of ``read_split_files``.
        features: Features to hold against the ids, where these are slides.

    Raises:
        FormatError: If a file cannot be read.
        FeatureError: If a feature file is broken.
    """
    return lint_subject(subject_of_ids(str(path), read_split_files(Path(path))), features)


def lint_labelled_folder(
    path: str | Path, labels: str | Path, columns: Columns, features: FeatureSet | None = None
) -> LintReport:
    """Lint split files with a label table.

    Args:
        path: Split files in any layout of ``read_split_files``.
        labels: CSV or TSV, one row a slide.
        columns: The table's columns; which time unit they have does not matter.
        features: Features to hold against the slides.

    Raises:
        FormatError: If a file cannot be read or lacks a column.
        FeatureError: If a feature file is broken.
        TaskError: If a cell is empty or no number, or the table has none of the ids.
    """
    rows = label_rows(Path(labels), columns)
    subject = subject_of_rows(str(path), read_split_files(Path(path)), rows, columns.kind)
    return lint_subject(subject, features)


def tasks_named(what: str, home: str | Path | None = None) -> tuple[str, ...] | None:
    """Return the tasks that a name stands for: itself, or those of a suite; None if it is a path.

    Raises:
        UnknownNameError: If it is neither a task, a suite nor a path.
    """
    if what in known(home):
        return (what,)
    if what in suite_names():
        return load_suite(what).tasks
    path = Path(what)
    if path.exists() or path.name != what:
        return None
    raise UnknownNameError("task, suite or folder", what, [*known(home), *suite_names()])


def lint_subject(subject: Subject, features: FeatureSet | None = None) -> LintReport:
    """Lint whatever was made into a subject; see ``lint_task``."""
    folds = tuple(fold_facts(subject, split) for split in subject.folds)
    held = feature_facts(subject, features) if features is not None else None
    findings = [*split_findings(subject, folds), *label_findings(subject), *site_findings(subject)]
    findings += balance_findings(subject, folds)
    if held:
        findings += feature_findings(subject, held)
    return LintReport(
        subject.name,
        subject.kind,
        subject.unit,
        subject.tested,
        _overall(subject, folds, held),
        folds,
        tuple(sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity))),
    )


def _overall(subject: Subject, folds: tuple[FoldFacts, ...], held: FeatureFacts | None) -> OverallFacts:
    cohort = part_facts(subject, subject.slides)
    times = times_tested(subject)
    sites = site_classes(subject)
    return OverallFacts(
        scheme=scheme(subject),
        units=cohort.units,
        slides=cohort.slides,
        patients=cohort.patients,
        sites=cohort.sites,
        institutions=cohort.institutions,
        classes=cohort.classes,
        events=cohort.events,
        test_slides=total([fold.test_slides for fold in folds]),
        test_slides_patient_in_train=total([fold.test_slides_patient_in_train for fold in folds]),
        slides_ever_tested=subject.count(subject.slides_of(times)),
        slides_tested_repeatedly=subject.count(subject.slides_of(unit for unit in times if times[unit] > 1)),
        normal_tissue_slides=subject.count(normal_slides(subject)),
        sites_shared_between_classes=len(sites.shared) if sites else None,
        slides_at_sites_of_one_class=sites.alone if sites else None,
        ids_without_label=len(subject.unlabelled) if subject.kind else None,
        slides_without_features=len(held.missing) if held else None,
        slides_with_duplicate_features=len(held.duplicates) if held else None,
    )
