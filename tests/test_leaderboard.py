"""The leaderboard: only what is equal is averaged, and what is left out is named."""

import csv
import io
import json
import statistics
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hiptbench.boards import render
from hiptbench.cells import COLUMNS, Cell, leaderboard
from hiptbench.metrics import definition_of
from hiptbench.results import FoldResult
from hiptbench.suites import load_suite, suite_names
from toys import make_row

HEADER = (
    "kind,suite,task,features,baseline,fraction,fraction_rule,metric,mean,sd_folds,sd_seeds,"
    "n_folds,n_seeds,n_units,n_evaluations,n_events,protocol,contamination,reproduced,errata"
)


SUITE = """\
name: mine
title: A suite that ranks by accuracy
citation: none
cohort: none
tasks: [toy]
fractions: {values: [1.0], kinds: [classification]}
metrics: {classification: accuracy}
"""


def folds(*values: float, **settings: Any) -> list[FoldResult]:
    protocol = {"folds": len(values)} | settings.pop("protocol", {})
    return [make_row(value, fold=fold, protocol=protocol, **settings) for fold, value in enumerate(values)]


def only(rows: list[FoldResult], **settings: Any) -> Cell:
    (cell,) = leaderboard(rows, **settings).cells
    return cell


def test_a_cell_is_mean_and_sample_sd_over_folds() -> None:
    values = (0.7, 0.8, 0.95)
    cell = only(folds(*values))
    assert cell.mean == pytest.approx(statistics.mean(values), abs=1e-15)
    assert cell.sd_folds == pytest.approx(statistics.stdev(values), abs=1e-15)  # ddof 1
    assert (cell.sd_seeds, cell.n_folds, cell.n_seeds, cell.n_units, cell.n_evaluations) == (None, 3, 1, 20, 30)
    assert cell.n_events is None


def test_seeds_are_averaged_before_the_spread_over_folds_is_taken() -> None:
    cell = only(folds(0.6, 0.8, seed=1) + folds(0.8, 0.8, seed=2))
    assert cell.mean == pytest.approx(0.75)
    assert cell.sd_folds == pytest.approx(statistics.stdev([0.7, 0.8]))
    assert cell.sd_seeds == pytest.approx(statistics.stdev([0.7, 0.8]))
    assert (cell.n_folds, cell.n_seeds, cell.n_evaluations) == (2, 2, 20)


def test_draws_of_a_fraction_are_averaged_but_are_no_seeds() -> None:
    two = {"fraction": 0.5, "draws": 2}
    cell = only(folds(0.6, 0.8, draw=0, protocol=two) + folds(0.8, 1.0, draw=1, protocol=two))
    assert (cell.mean, cell.n_seeds, cell.sd_seeds) == (pytest.approx(0.8), 1, None)
    assert cell.sd_folds == pytest.approx(statistics.stdev([0.7, 0.9]))


def test_events_are_summed_over_folds() -> None:
    rows = folds(0.6, 0.7, protocol={"task_kind": "survival"}, events=4)
    assert only(rows).n_events == 8


def test_one_fold_has_no_spread() -> None:
    assert only(folds(0.6)).sd_folds is None


differences = st.fixed_dictionaries(
    {},
    optional={
        "protocol": st.sampled_from(
            [
                {"cohort": "d"},
                {"labels": "m"},
                {"splits": "t"},
                {"fraction": 0.25},
                {"fraction_rule": "another"},
                {"evaluate_on": "val"},
                {"unit": "case"},
                {"suite": "another"},
                {"task": "another"},
                {"missing_slides": 1},
            ]
        ),
        "features": st.just("others"),
        "baseline": st.just("another"),
        "kind": st.sampled_from(["published", "synthetic"]),
    },
)


@given(st.lists(differences, min_size=1, max_size=6, unique_by=lambda change: repr(sorted(change.items()))))
def test_whatever_differs_never_shares_a_cell(changes: list[dict[str, Any]]) -> None:
    """Each method has a value of its own, so a cell that mixed two would show neither."""
    rows, expected = [], set()
    for number, change in enumerate(changes):
        value = number / 10
        rows += folds(value, value, **change)
        expected.add(value)
    cells = leaderboard(rows).cells
    assert len(cells) == len(changes)
    assert {cell.mean for cell in cells} == expected
    assert all(cell.sd_folds == 0 for cell in cells)


def test_cells_of_one_protocol_say_so() -> None:
    cells = leaderboard(folds(0.5, 0.6) + folds(0.5, 0.6, baseline="b", kind="published")).cells
    assert len({cell.protocol for cell in cells}) == 1
    assert {cell.kind for cell in cells} == {"measured", "published"}


def test_variants_are_not_mixed_and_the_newest_stands_on_the_board() -> None:
    old = folds(0.5, 0.5, provenance={"source_hash": "old"}, date="2026-01-01T00:00:00+00:00")
    new = folds(0.9, 0.9, provenance={"source_hash": "new"}, date="2026-02-01T00:00:00+00:00")
    board = leaderboard(new + old)
    assert [cell.mean for cell in board.cells] == [0.9]
    assert board.notes == ("toy at 100%, toy/mine: 1 older variant(s) not shown (--all-variants).",)
    shown = leaderboard(old + new, all_variants=True)
    assert sorted(cell.mean for cell in shown.cells) == [0.5, 0.9]
    assert len({cell.variant for cell in shown.cells}) == 2


@pytest.mark.parametrize("what", [{"feature_hash": "1"}, {"head": "other:Head"}, {"settings": {"k": 1}}])
def test_other_values_or_settings_under_one_name_are_no_older_variant(what: dict[str, object]) -> None:
    board = leaderboard(folds(0.5, 0.5) + folds(0.9, 0.9, provenance=what, date="2026-02-01T00:00:00+00:00"))
    assert sorted(cell.mean for cell in board.cells) == [0.5, 0.9]
    assert board.notes == ()


def test_a_new_variant_that_is_incomplete_does_not_hide_a_complete_one() -> None:
    old = folds(0.5, 0.5, provenance={"source_hash": "old"})
    new = folds(0.9, 0.9, provenance={"source_hash": "new"}, date="2026-02-01T00:00:00+00:00")
    board = leaderboard(old + new[:1])
    assert [cell.mean for cell in board.cells] == [0.5]
    assert "incomplete" in board.notes[0]


def test_an_incomplete_cell_is_left_out_and_named() -> None:
    board = leaderboard(folds(0.5, 0.6, 0.7)[:2] + folds(0.5, 0.6, baseline="whole"))
    assert [cell.baseline for cell in board.cells] == ["whole"]
    (note,) = board.notes
    assert note.startswith(
        "toy at 100%, toy/mine is incomplete: 2 folds belong to runs that lack some of their 3 folds"
    )


def test_a_seed_that_lacks_a_fold_is_left_out_and_named() -> None:
    board = leaderboard(folds(0.5, 0.7, seed=1) + folds(0.9, 0.9, seed=2)[:1])
    (cell,) = board.cells
    assert (cell.mean, cell.n_seeds) == (pytest.approx(0.6), 1)
    assert "1 folds belong to runs that lack some of their 2 folds (2 runs in all)" in board.notes[0]


def test_a_seed_that_lacks_a_draw_is_left_out_and_named() -> None:
    two = {"fraction": 0.5, "draws": 2}
    board = leaderboard(folds(0.6, 0.8, draw=0, protocol=two))
    assert board.cells == ()
    assert "2 folds belong to runs that lack some of their 4 folds (1 runs in all)" in board.notes[0]


def test_a_cohort_that_lacks_slides_is_flagged_and_comes_last() -> None:
    partial = {"missing_units": 2, "missing_slides": 3, "cohort": "smaller"}
    board = leaderboard(folds(0.9, 0.9, protocol=partial) + folds(0.5, 0.5))
    assert [(cell.mean, cell.missing_slides) for cell in board.cells] == [(0.5, 0), (0.9, 3)]
    assert len({cell.protocol for cell in board.cells}) == 2
    assert "3 missing: not ranked" in render(board, "md")


def test_the_order_is_best_first_within_task_metric_and_fraction() -> None:
    rows = [
        *folds(0.5, 0.5, baseline="low"),
        *folds(0.9, 0.9, baseline="high"),
        *folds(0.99, 0.99, baseline="quarter", protocol={"fraction": 0.25}),
        *folds(0.1, 0.1, baseline="first", protocol={"suite": "a suite"}),
    ]
    assert [cell.baseline for cell in leaderboard(rows).cells] == ["first", "high", "low", "quarter"]


def test_metrics_are_shown_on_request() -> None:
    rows = [make_row(fold=fold, metrics={"auc": 0.5, "accuracy": 0.25}) for fold in (0, 1)]
    assert only(rows).metric == "auc"
    cells = leaderboard(rows, metrics=["accuracy", "c_index"]).cells
    assert [(cell.metric, cell.mean) for cell in cells] == [("accuracy", 0.25)]


@pytest.mark.parametrize(("suite", "metric"), [("mine", "accuracy"), ("another", "auc")])
def test_a_suite_says_what_its_tasks_are_ranked_by(
    suite: str, metric: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hiptbench.rooms.SUITES", tmp_path)
    (tmp_path / "mine.yaml").write_text(SUITE)
    rows = [make_row(fold=fold, protocol={"suite": suite}, metrics={"auc": 0.5, "accuracy": 0.25}) for fold in (0, 1)]
    assert only(rows).metric == metric


@pytest.mark.parametrize("name", suite_names())
def test_every_suite_ranks_by_metrics_that_exist(name: str) -> None:
    assert all(definition_of(metric) for metric in load_suite(name).metrics.values())


@given(st.permutations(range(6)))
def test_the_order_of_the_rows_does_not_matter(order: list[int]) -> None:
    rows = folds(0.5, 0.6) + folds(0.5, 0.6, baseline="equal") + folds(0.5, 0.6, features="equal")
    assert leaderboard(rows[i] for i in order) == leaderboard(rows)


def test_the_csv_has_exactly_these_columns_and_no_nan() -> None:
    board = leaderboard(folds(0.5, 0.6) + folds(0.7, protocol={"task_kind": "survival"}))
    text = render(board, "csv")
    assert text.splitlines()[0] == HEADER == ",".join(COLUMNS)
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["sd_folds"] for row in rows] == [repr(board.cells[0].sd_folds), ""]
    assert float(rows[0]["mean"]) == board.cells[0].mean  # to the last bit
    for form in ("csv", "json", "md"):
        assert "nan" not in render(board, form).lower()
    assert [cell["sd_folds"] for cell in json.loads(render(board, "json"))][1] is None


def test_an_empty_store_gives_an_empty_board() -> None:
    board = leaderboard([])
    assert board.cells == ()
    assert render(board, "csv") == HEADER + "\n"
    assert json.loads(render(board, "json")) == []
