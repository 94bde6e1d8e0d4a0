"""``hiptbench leaderboard`` and ``hiptbench table``: every format, data on stdout, notes on stderr."""

import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from hiptbench.cells import COLUMNS, Cell
from hiptbench.cli.terminal import board_text
from hiptbench.summary import BEGIN, END

TABLES = {"subtyping": "1", "survival": "2", "knn": "knn", "ablation": "4", "issue25": "issue25"}

CELL = Cell(
    kind="published",
    suite="hipt-2022",
    task="tcga_brca_subtype",
    features="hipt_vit256_patch",
    baseline="mil",
    fraction=1.0,
    fraction_rule=None,
    metric="auc",
    mean=0.778,
    sd_folds=0.091,
    sd_seeds=None,
    n_folds=10,
    n_seeds=1,
    n_units=569,
    n_evaluations=822,
    n_events=None,
    protocol="0123456789ab",
    missing_slides=0,
    variant="v1",
    contamination="yes: TCGA",
)


@pytest.fixture
def board(hiptbench: Callable, filled_home: Path) -> Callable:
    """Show the leaderboard of a store with two methods on one task."""
    return lambda *arguments: hiptbench("leaderboard", "--home", filled_home, *arguments)


def test_csv_is_the_leaderboards_columns(board: Callable) -> None:
    done = board("--format", "csv")
    reader = csv.DictReader(io.StringIO(done.stdout))
    assert tuple(reader.fieldnames or ()) == COLUMNS
    assert [row["baseline"] for row in reader] == ["mean_logreg", "mean_knn"] or done.stdout.count("\n") == 3
    assert done.stderr == ""


def test_json_holds_the_same_numbers(board: Callable) -> None:
    cells = json.loads(board("--format", "json").stdout)
    rows = csv.DictReader(io.StringIO(board("--format", "csv").stdout))
    assert [str(cell["mean"]) for cell in cells] == [row["mean"] for row in rows]


def test_markdown_is_one_table(board: Callable) -> None:
    lines = board("--format", "md").stdout.splitlines()
    assert len(lines) == 4
    assert len({line.count("|") for line in lines}) == 1


def test_the_terminal_shows_both_methods_best_first(board: Callable) -> None:
    legend, heading, *lines = [line for line in board().stdout.splitlines() if line and line[0] not in "*?"]
    assert legend.startswith("Mean ± sd over folds")
    assert heading.startswith("own:mine | mine at 100% | auc, 3 folds | 32 units | protocol ")
    scores = [float(line.split()[1]) for line in lines]
    assert [line.split()[0] for line in lines] == ["1", "2"]
    assert scores == sorted(scores, reverse=True)


def test_metrics_can_be_chosen(board: Callable) -> None:
    done = board("--metric", "accuracy", "--metric", "auc", "--format", "csv")
    assert {row["metric"] for row in csv.DictReader(io.StringIO(done.stdout))} == {"accuracy", "auc"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--suite", "own:min"), "no suite in these results 'own:min'. Did you mean 'own:mine'?"),
        (("--metric", "acuracy"), "no metric 'acuracy'. Did you mean 'accuracy'?"),
    ],
)
def test_a_filter_that_names_nothing_is_refused(board: Callable, arguments: tuple[str, ...], message: str) -> None:
    done = board(*arguments)
    assert (done.returncode, done.stdout) == (1, "")
    assert message in done.stderr


@pytest.mark.parametrize("arguments", [("--kind", "published"), ("--metric", "c_index")])
def test_a_filter_that_leaves_nothing_says_so(board: Callable, arguments: tuple[str, ...]) -> None:
    done = board(*arguments)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.startswith(f"There are no complete results to show with {' '.join(arguments)}.")
    assert board(*arguments, "--format", "json").stdout == "[]\n"


def test_an_empty_board_never_replaces_the_table_of_a_document(board: Callable, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"{BEGIN}\nkept\n{END}\n")
    assert "with --kind published" in board("--kind", "published", "--into", page).stderr
    assert page.read_text() == f"{BEGIN}\nkept\n{END}\n"
    assert board("--into", page).returncode == 0
    assert "mean_knn" in page.read_text()


@pytest.mark.parametrize("form", ["table", "md", "csv"])
def test_a_table_for_a_document_has_no_format(board: Callable, tmp_path: Path, form: str) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"{BEGIN}\nkept\n{END}\n")
    done = board("--into", page, "--format", form)
    assert done.returncode == 2
    assert "leave out --format" in done.stderr
    assert "kept" in page.read_text()


def test_long_names_do_not_break_the_columns() -> None:
    names = [f"method{'_with_a_long_name' * i}" for i in range(12)]
    cells = [replace(CELL, baseline=name, mean=0.9 - i / 100) for i, name in enumerate(names)]
    lines = [line for line in board_text(cells).splitlines() if line.startswith("  ")]
    assert len(lines) == 12
    assert len({line.index("published") for line in lines}) == 1
    assert len({line.index("hipt_vit256_patch/") for line in lines}) == 1


def test_numbers_of_two_protocols_stand_in_two_blocks() -> None:
    other = replace(CELL, protocol="ba9876543210", missing_slides=3)
    text = board_text([CELL, other, replace(CELL, baseline="clam", mean=0.5)])
    first, second = text.split("\n\n")[1:]
    assert [line.split()[0] for line in first.splitlines()[1:]] == ["1", "2"]
    assert "3 slides MISSING: not ranked" in second
    assert second.splitlines()[1].split()[0] == "-"


def test_several_seeds_show_their_spread() -> None:
    assert "/mil* (sd 0.012 over 3 seeds)" in board_text([replace(CELL, sd_seeds=0.012, n_seeds=3)])


@pytest.mark.parametrize(("name", "alias"), TABLES.items())
def test_a_table_and_its_number_are_the_same(hiptbench: Callable, name: str, alias: str) -> None:
    assert hiptbench("table", name).stdout == hiptbench("table", alias).stdout


@pytest.mark.parametrize("name", TABLES)
def test_a_table_in_every_format(hiptbench: Callable, name: str) -> None:
    shown = {form: hiptbench("table", name, "--format", form) for form in ("text", "csv", "md", "latex")}
    assert {done.returncode for done in shown.values()} == {0}
    rows = list(csv.DictReader(io.StringIO(shown["csv"].stdout)))
    assert len(rows) > 5
    assert {"task", "method", "fraction", "printed_mean"} <= set(rows[0])
    assert shown["md"].stdout.startswith("### ")
    assert shown["latex"].stdout.startswith("\\begin{table}")
    assert all(done.stdout.endswith("\n") and not done.stdout.endswith("\n\n") for done in shown.values())


def test_a_table_says_how_to_fill_its_empty_column(hiptbench: Callable) -> None:
    assert "`hiptbench results import-hipt` fills it" in hiptbench("table", "subtyping").stderr
    assert hiptbench("table", "knn").stderr == ""


def test_a_table_into_a_file(hiptbench: Callable, tmp_path: Path) -> None:
    done = hiptbench("table", "knn", "--format", "latex", "--out", tmp_path / "new" / "knn.tex")
    assert done.stdout == ""
    assert (tmp_path / "new" / "knn.tex").read_text() == hiptbench("table", "knn", "--format", "latex").stdout


@pytest.mark.parametrize(
    ("contamination", "flag", "said"),
    [
        ("yes: TCGA", "*", "the encoder was trained on slides of the task's own collection"),
        ("unknown: the encoder does not say", "?", "it is not known whether it was"),
        ("none known", "", None),
    ],
)
def test_an_encoder_that_may_have_seen_the_slides_is_flagged(contamination: str, flag: str, said: str | None) -> None:
    text = board_text([replace(CELL, contamination=contamination)])
    assert f"/mil{flag}\n" in text
    assert said is None or said in text
