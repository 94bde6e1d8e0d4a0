"""The small table of methods by tasks, and its place in a document."""

from pathlib import Path

import pytest

from hiptbench.boards import board_of
from hiptbench.cells import Cell
from hiptbench.errors import StoreError
from hiptbench.export import Export
from hiptbench.summary import BEGIN, END, put_into, summary

ROOT = Path(__file__).parents[1]


def _cell(task: str, baseline: str, fraction: float, mean: float) -> Cell:
    return Cell(
        kind="measured",
        suite="s",
        task=task,
        features="f",
        baseline=baseline,
        fraction=fraction,
        fraction_rule=None,
        metric="auc",
        mean=mean,
        sd_folds=0.0123,
        sd_seeds=None,
        n_folds=2,
        n_seeds=1,
        n_units=10,
        n_evaluations=10,
        n_events=None,
        protocol="p",
        missing_slides=0,
        variant="v",
        contamination="",
    )


def test_methods_stand_by_tasks_full_training_first() -> None:
    cells = [_cell("a", "knn", 0.25, 0.5), _cell("a", "knn", 1.0, 0.75), _cell("b", "cox", 1.0, 0.6)]
    assert summary(cells).splitlines() == [
        "| method | train | a, auc | b, auc |",
        "| --- | --- | --- | --- |",
        "| f/cox | 100% |  | 0.600 ± 0.012 |",
        "| f/knn | 100% | 0.750 ± 0.012 |  |",
        "| f/knn | 25% | 0.500 ± 0.012 |  |",
    ]


def test_only_what_stands_between_the_markers_is_replaced(tmp_path: Path) -> None:
    document = tmp_path / "page.md"
    document.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    put_into(document, "new\n")
    assert document.read_text() == f"before\n{BEGIN}\nnew\n{END}\nafter\n"


def test_a_document_without_markers_is_refused_and_kept(tmp_path: Path) -> None:
    document = tmp_path / "page.md"
    document.write_text("nothing\n")
    with pytest.raises(StoreError, match="no place for a leaderboard"):
        put_into(document, "new\n")
    assert document.read_text() == "nothing\n"


def test_the_readme_shows_the_committed_results(tmp_path: Path) -> None:
    copy = tmp_path / "README.md"
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    copy.write_text(readme, encoding="utf-8")
    put_into(copy, summary(board_of(Export(ROOT / "results"), suite="hipt-2022").cells))
    assert copy.read_text(encoding="utf-8") == readme
