"""Small subjects to lint."""

from collections.abc import Mapping, Sequence

from hiptbench.lint.findings import Finding, LintReport
from hiptbench.lint.linter import lint_subject
from hiptbench.lint.split_files import SplitFiles
from hiptbench.lint.subject import subject_of_ids, subject_of_rows
from hiptbench.splits import Split
from hiptbench.task_spec import Kind
from hiptbench.tasks import SlideRow

Parts = Sequence[str]  # the ids of train, val and test, parted by blanks


def folds(*parts: Parts) -> tuple[Split, ...]:
    """Return folds from texts such as ``("a b", "c", "d")``: train, val, test."""
    return tuple(Split(number, *(tuple(part.split()) for part in three)) for number, three in enumerate(parts))


def lint_ids(*parts: Parts, cases: Mapping[str, str] | None = None) -> LintReport:
    """Lint ids alone."""
    return lint_subject(subject_of_ids("ids", SplitFiles(folds(*parts), cases or {})))


def lint_rows(rows: Sequence[SlideRow], *parts: Parts, kind: Kind = "classification") -> LintReport:
    """Lint ids with labels."""
    return lint_subject(subject_of_rows("rows", SplitFiles(folds(*parts), {}), rows, kind))


def labelled(text: str) -> list[SlideRow]:
    """Return rows from a text such as ``"s1 p1 x, s2 p2 y"``: slide, case, label."""
    return [SlideRow(slide, case, label=label) for slide, case, label in map(str.split, text.split(","))]


def found(report: LintReport, code: str) -> Finding:
    """Return the one finding of a code."""
    (finding,) = [finding for finding in report.findings if finding.code == code]
    return finding


def codes(report: LintReport) -> set[tuple[str, str]]:
    """Return every code with its severity."""
    return {(finding.code, finding.severity) for finding in report.findings}
