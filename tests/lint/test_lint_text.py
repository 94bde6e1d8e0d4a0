"""A report as people read it."""

from hiptbench.lint.text import to_text
from linted import labelled, lint_ids, lint_rows


def test_a_report_line_by_line() -> None:
    text = to_text(lint_rows(labelled("a p x, b q y, c p x, d r y, e s x"), ("a b", "", "c d")))
    assert text.splitlines() == [
        "rows",
        "5 slides, 4 patients, ? sites, x 3, y 2",
        "1 folds (one split), tested on test; 2 of 5 slides are ever tested, 0 repeatedly",
        "",
        "                   tested  of a patient    patients       sites  tested  tested",
        "fold  train  test  slides      in train  train+test  train+test       x       y",
        "   0      2     2       2             1           1           ?       1       1",
        "",
        "error    1 patients are in train and test of the same fold, in 1 of 1: 1 of 2 tested slides (50.0%) are of a "
        "patient trained on. [patient_in_train_and_test]",
        "         p",
        "note     2 of 5 slides are listed but tested in no fold. [never_tested]",
        "         a, b",
        "note     1 of 5 slides are in no part of any fold. [in_no_fold]",
        "         e",
    ]


def test_a_part_that_some_folds_lack_leaves_a_gap() -> None:
    heads, first, second = to_text(lint_ids(("a", "b", "c"), ("a", "", "c"))).splitlines()[5:8]
    val = slice(heads.index("val"), heads.index("val") + 3)
    assert (first[val].strip(), second[val].strip()) == ("1", "")


def test_nothing_found() -> None:
    text = to_text(lint_rows(labelled("a p x, b q x"), ("a", "", "b"), ("b", "", "a")))
    assert text.endswith("\n\nNothing was found.\n")
