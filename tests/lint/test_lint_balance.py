"""How uneven test parts are, institutions too large for a fold, and institutions under several codes."""

import pytest

from hiptbench.lint.balance_lint import balances
from hiptbench.lint.linter import lint_task
from hiptbench.lint.split_files import SplitFiles
from hiptbench.lint.subject import subject_of_rows
from hiptbench.sources.institutions import TABLE, institution
from hiptbench.targets import Survival
from hiptbench.tasks import SlideRow, Task
from hiptbench.testing import toy_task
from linted import codes, folds, found, labelled, lint_ids, lint_rows


def at(*slides: str) -> list[SlideRow]:
    """Rows of TCGA slides from texts such as ``"49 x"``: site and label; the n-th is of patient n."""
    return [
        SlideRow(f"TCGA-{site}-{i:04}-01Z-00-DX1", f"TCGA-{site}-{i:04}", label=label)
        for i, (site, label) in enumerate(map(str.split, slides))
    ]


def parted(rows: list[SlideRow], *tests: str) -> list[tuple[str, str, str]]:
    """Folds that test the rows whose numbers a text names, and train on all others."""
    parts = [[rows[int(i)].slide for i in test.split()] for test in tests]
    return [(" ".join(row.slide for row in rows if row.slide not in part), "", " ".join(part)) for part in parts]


def test_counts_that_differ_by_more_than_one_are_told() -> None:
    rows = labelled("a p x, b q x, c r x, d s x, e t y, f u y, g v y")
    report = lint_rows(rows, ("d e f", "", "a b c g"), ("a b c g", "", "d e f"))
    finding = found(report, "uneven_test_parts")
    assert finding.severity == "note"
    assert finding.message == "The test parts are not alike: they hold 1 to 3 x (evenly 2.0)."
    assert finding.numbers == {"x_least": 1, "x_most": 3, "x_even": 2.0}


def test_one_more_or_one_split_is_nothing_to_tell() -> None:
    rows = labelled("a p x, b q x, c r x, d s y, e t y, f u y")
    two = (("a d", "", "b c e f"), ("b c e f", "", "a d"))
    assert "uneven_test_parts" not in dict(codes(lint_rows(rows, *two)))
    assert "uneven_test_parts" not in dict(codes(lint_rows(rows, two[0])))
    assert not balances(subject_of_rows("rows", SplitFiles(folds(*two), {}), rows, "classification"), [])[0].tested


def test_events_are_balanced_too() -> None:
    task = toy_task("survival", folds=3)
    report = lint_task(task)
    tested = tuple(fold.parts["test"].events for fold in report.folds)
    subject = subject_of_rows("rows", SplitFiles(task.splits, {}), _rows(task), "survival")
    (balance,) = balances(subject, report.folds)
    assert (balance.name, balance.tested, balance.sites) == ("events", tested, ())
    assert sum(balance.deviations) == pytest.approx(0)


def _rows(task: Task) -> list[SlideRow]:
    assert isinstance(task.target, Survival)
    time, event = task.target.time.tolist(), task.target.event.tolist()
    return [SlideRow(*one, time=t, event=e) for *one, t, e in zip(task.units, task.cases, time, event, strict=True)]


def test_an_institution_larger_than_a_fold_is_told_where_folds_keep_sites_whole() -> None:
    rows = at("33 x", "33 x", "49 x", "85 x", "22 y", "33 y")
    report = lint_rows(rows, *parted(rows, "0 1 2 5", "3 4"))
    finding = found(report, "institution_larger_than_a_fold")
    assert finding.names == ("Johns Hopkins",)
    assert finding.message.startswith("Johns Hopkins alone has 3 of 4 x (75.0%), more than 1/2: no folds of whole")
    assert finding.numbers == {"units": 3, "of": 4, "institutions": 2, "folds": 2}
    mixed = lint_rows(rows, *parted(rows, "0 2 4", "1 3 5"))
    assert "institution_larger_than_a_fold" not in dict(codes(mixed))


def test_an_institution_that_no_table_knows_is_its_code() -> None:
    rows = at("XY x", "XY x", "85 x", "22 y", "33 y")
    report = lint_rows(rows, *parted(rows, "0 1 3", "2 4"))
    assert found(report, "institution_larger_than_a_fold").names == ("XY",)


def test_one_institution_under_two_codes_is_a_warning() -> None:
    rows = at("49 x", "55 x", "33 y", "22 y")
    report = lint_rows(rows, *parted(rows, "0 3", "1 2"))
    finding = found(report, "institution_under_two_codes")
    assert (finding.severity, finding.names) == ("warning", ("Johns Hopkins",))
    assert finding.numbers == {"institutions": 1, "fold_institutions": 2}
    told = found(report, "site_tells_class")
    assert told.message.endswith("has slides of two classes. Of the 3 institutions behind them 1 have.")
    assert told.numbers["institutions_shared_between_classes"] == 1


def test_institutions_are_not_told_where_codes_are_not_kept_apart_or_not_known() -> None:
    rows = at("49 x", "33 y", "49 y", "22 x")
    report = lint_rows(rows, *parted(rows, "0 1", "2 3"))
    assert "institution_under_two_codes" not in dict(codes(report))
    assert "institution_under_two_codes" not in dict(codes(lint_ids(("a b", "", "c"))))
    assert "uneven_test_parts" not in dict(codes(lint_ids(("a b", "", "c"), ("c", "", "a b"))))


def test_every_institution_has_one_spelling() -> None:
    lines = TABLE.read_text(encoding="utf-8").splitlines()
    assert lines[0] == "code,institution"
    names = {institution(line[:2]) or "" for line in lines[1:]}
    assert len({name.lower().split(",")[0] for name in names}) >= len(names) - 1  # Mayo has two places
    assert institution("49") == institution("33") == "Johns Hopkins"
    assert institution("??") is None
