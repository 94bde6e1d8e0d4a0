"""How uneven test parts are, institutions too large for a fold, and institutions under several codes."""

import re
from itertools import combinations

from hiptbench.lint.balance_lint import balances
from hiptbench.lint.linter import lint_task
from hiptbench.lint.split_files import SplitFiles
from hiptbench.lint.subject import subject_of_rows
from hiptbench.lint.text import to_text
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
    two = (("a d e", "", "b c f"), ("b c f", "", "a d e"))
    assert "uneven_test_parts" not in dict(codes(lint_rows(rows, *two)))
    assert "uneven_test_parts" not in dict(codes(lint_rows(rows, two[0])))
    assert not balances(subject_of_rows("rows", SplitFiles(folds(*two), {}), rows, "classification"), [])[0].tested


def test_units_and_patients_are_told_as_well() -> None:
    rows = labelled("a p x, b p x, c p x, d q x, e r x, f s x")
    report = lint_rows(rows, ("d e f", "", "a b c"), ("a b c", "", "d e f"))
    assert found(report, "uneven_test_parts").numbers == {"patients_least": 1, "patients_most": 3, "patients_even": 2.0}
    rows = [SlideRow(name, name, time=float(i), event=i % 2 == 0) for i, name in enumerate("abcdefgh")]
    report = lint_rows(rows, ("a b d f h", "", "c e g"), ("c e g", "", "a b d f h"), kind="survival")
    numbers = found(report, "uneven_test_parts").numbers
    assert (numbers["events_least"], numbers["events_most"]) == (1, 3)
    assert (numbers["slides_least"], numbers["slides_most"], numbers["slides_even"]) == (3, 5, 4.0)


def test_events_are_balanced_too() -> None:
    task = toy_task("survival", folds=3)
    report = lint_task(task)
    tested = tuple(fold.parts["test"].events for fold in report.folds)
    subject = subject_of_rows("rows", SplitFiles(task.splits, {}), _rows(task), "survival")
    (balance,) = balances(subject, report.folds)
    assert (balance.name, balance.tested, balance.institutions) == ("events", tested, ())


def _rows(task: Task) -> list[SlideRow]:
    assert isinstance(task.target, Survival)
    time, event = task.target.time.tolist(), task.target.event.tolist()
    return [SlideRow(*one, time=t, event=e) for *one, t, e in zip(task.units, task.cases, time, event, strict=True)]


def test_an_institution_larger_than_a_fold_is_told_where_folds_keep_sites_whole() -> None:
    rows = at("33 x", "33 x", "49 x", "85 x", "22 y", "33 y")
    report = lint_rows(rows, *parted(rows, "0 1 2 5", "3 4"))
    finding = found(report, "institution_larger_than_a_fold")
    assert finding.names == ("Johns Hopkins",)
    assert finding.message.startswith("Johns Hopkins has 3 (75.0%) of 4 x, each more than 1/2: folds that keep")
    assert finding.numbers == {"units": 3, "largest": 3, "of": 4, "institutions": 2, "folds": 2}
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
    assert finding.numbers == {"institutions": 1, "fold_institutions": 2, "folds": 2}
    told = found(report, "site_tells_class")
    assert told.message.endswith("Of the 3 institutions behind them 1 have. No tested site is trained on.")
    assert told.severity == "note"
    assert told.numbers["institutions_shared_between_classes"] == 1


def test_a_fold_that_shares_a_code_does_not_hide_another_that_does_not() -> None:
    rows = at("49 x", "55 x", "33 y", "22 y", "55 x")
    report = lint_rows(rows, *parted(rows, "0 3", "1 2"))
    finding = found(report, "institution_under_two_codes")
    assert (finding.names, finding.numbers["folds"]) == (("Johns Hopkins",), 1)
    assert finding.message.startswith("No tissue source site is in train and test, in 1 of 2 folds, but 1 institutions")
    assert found(report, "site_in_train_and_test").message.endswith(
        "in 1 of 2: these folds do not test unseen sites alone."
    )
    assert found(report, "site_tells_class").severity == "warning"


def test_institutions_in_both_parts_are_counted() -> None:
    rows = at("49 x", "33 y", "22 y", "XY x")
    report = lint_rows(rows, *parted(rows, "0 3"))
    (fold,) = report.folds
    assert (report.overall.sites, report.overall.institutions) == (4, 3)
    assert fold.parts["test"].institutions == 2
    assert (fold.overlaps["train_test"].sites, fold.overlaps["train_test"].institutions) == ((), ("Johns Hopkins",))
    lines = to_text(report).splitlines()
    assert lines[1].startswith("4 slides, 4 patients, 4 sites, 3 institutions, ")
    assert lines[4].split().count("institutions") == 1
    unknown = lint_rows(at("XY x", "ZZ y"), *parted(at("XY x", "ZZ y"), "0"))
    assert unknown.overall.institutions is None
    assert "institutions\n" not in to_text(unknown)


def test_institutions_are_not_told_where_codes_are_not_kept_apart_or_not_known() -> None:
    rows = at("49 x", "33 y", "49 y", "22 x")
    report = lint_rows(rows, *parted(rows, "0 1", "2 3"))
    assert "institution_under_two_codes" not in dict(codes(report))
    assert "institution_under_two_codes" not in dict(codes(lint_ids(("a b", "", "c"))))
    assert "uneven_test_parts" not in dict(codes(lint_ids(("a b", "", "c"), ("c", "", "a b"))))


COMMON = {"university", "of", "the", "cancer", "center", "centre", "hospital", "clinic", "medical", "st", "univ"}
COMMON |= {"institute", "college", "school", "health", "care", "healthcare", "for", "national", "saint", "medicine"}
COMMON |= {"north", "new", "branch", "tissue", "bank", "global", "research"}

DIFFERENT = {
    ("John Wayne Cancer Center", "Johns Hopkins"),
    ("Mary Bird Perkins Cancer Center", "Saint Mary's Health Care"),
    ("Mayo Clinic, Arizona", "Mayo Clinic, Rochester"),
    ("Prince Charles Hospital", "Princess Margaret Hospital"),
    ("Saint Mary's Health Care", "St. Joseph's Medical Center, Maryland"),
}


def alike(one: str, other: str) -> bool:
    """Whether two names share a word, one letter more or less, that is not in the names of many institutions."""
    first, second = (set(re.findall(r"[a-z]+", name.lower())) - COMMON for name in (one, other))
    return bool({word.rstrip("s") for word in first} & {word.rstrip("s") for word in second})


def test_every_institution_has_one_spelling() -> None:
    lines = TABLE.read_text(encoding="utf-8").splitlines()
    assert lines[0] == "code,institution"
    names = {institution(line[:2]) or "" for line in lines[1:]}
    assert {pair for pair in combinations(sorted(names), 2) if alike(*pair)} == DIFFERENT
    assert alike("Johns Hopkins", "John Hopkins Univ.")  # so that a second spelling would be found
    assert alike("Roswell Park", "Roswell Park Cancer Institute")
    assert institution("49") == institution("33") == "Johns Hopkins"
    assert institution("??") is None
