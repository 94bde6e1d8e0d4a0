"""The rebuilt tables: what is recomputed, what differs, which errata are proven, and how it is shown."""

import csv
import io
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hiptbench.errors import SourceError, StoreError, UnknownNameError
from hiptbench.published import Cell, Method, PublishedFold, import_hipt, read_published
from hiptbench.tables import (
    Mark,
    OurCell,
    Row,
    Summary,
    Table,
    build_table,
    to_csv,
    to_latex,
    to_markdown,
    to_text,
)
from hiptbench.tables.recompute import recompute

NAMES = ["subtyping", "survival", "knn", "ablation", "issue25"]
RENDERERS = [to_csv, to_latex, to_markdown, to_text]
COLUMNS = (
    "task,method,fraction,printed_mean,printed_sd,printed_status,"
    "recomputed_mean,recomputed_sd,ours_mean,ours_sd,difference,erratum"
)
BRCA, RCC = "tcga_brca_subtype", "tcga_kidney_subtype"
IDC, CRC, STAD = "tcga_brca_survival", "tcga_coadread_survival", "tcga_stad_survival"


@cache
def folds_as_printed(name: str) -> tuple[PublishedFold, ...]:
    """Make per-fold values whose means are what the table prints, each under the name of its own row."""
    table = read_published(name)
    methods = {method.name: method for method in table.methods}
    return tuple(
        _fold(methods[cell.method], cell, number, table.column, table.folds)
        for cell in table.cells
        if methods[cell.method].query and cell.mean is not None
        for number in range(table.folds)
    )


def _fold(method: Method, cell: Cell, number: int, column: str | None, folds: int) -> PublishedFold:
    assert method.query is not None
    assert cell.mean is not None
    assert column is not None
    deviation = 0.01 * (number - (folds - 1) / 2)
    return PublishedFold(
        collection=method.query.collection,
        directory=f"{method.query.collection}/{cell.task}/{method.query.model}_{cell.fraction}_{method.query.run}",
        task=cell.task,
        model=method.query.model,
        fraction=cell.fraction,
        fold=number,
        metrics={column: cell.mean + deviation},
        settings={"max_epochs": 20},
        seed=1,
    )


def changed(
    folds: Iterable[PublishedFold], change: Callable[[PublishedFold], PublishedFold], **only: object
) -> list[PublishedFold]:
    """Apply a change to the folds whose attributes equal those given."""
    return [change(f) if all(getattr(f, k) == v for k, v in only.items()) else f for f in folds]


def row_of(table: Table, task: str, method: str, fraction: float = 1.0) -> Row:
    return next(row for row in table.rows if (row.task, row.method, row.fraction) == (task, method, fraction))


def marks(row: Row) -> list[str]:
    return [str(mark) for mark in row.marks]


def witnessed(table: Table) -> set[tuple[str, str]]:
    return {(r.task, r.method) for r in table.rows if any(mark.state == "witnessed" for mark in r.marks)}


def ours(**changes: object) -> OurCell:
    cell = OurCell(
        task=BRCA,
        fraction=1.0,
        features="hipt_vit4k_region",
        baseline="mean_knn",
        metric="auc",
        mean=0.7746,
        sd_folds=0.0423,
        n_folds=10,
    )
    return replace(cell, **changes)  # type: ignore[arg-type]


# The authors' own folds


@pytest.fixture(scope="module")
def authors(real_data: Path) -> tuple[PublishedFold, ...]:
    return import_hipt(real_data / "HIPT")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("1", Summary(cells=36, established=36, missing=0, recomputed=36, agreeing=36, witnesses=0)),
        ("2", Summary(cells=30, established=14, missing=16, recomputed=30, agreeing=9, witnesses=5)),
        ("4", Summary(cells=24, established=23, missing=1, recomputed=23, agreeing=23, witnesses=0)),
        ("knn", Summary(cells=18, established=18, missing=0, recomputed=0, agreeing=0, witnesses=0)),
        ("issue25", Summary(cells=13, established=12, missing=1, recomputed=13, agreeing=12, witnesses=1)),
    ],
)
def test_summaries_of_the_real_tables(authors: tuple[PublishedFold, ...], name: str, expected: Summary) -> None:
    assert build_table(name, authors).summary == expected


@pytest.mark.parametrize("name", ["subtyping", "ablation", "issue25"])
def test_printed_standard_deviations_agree_too(authors: tuple[PublishedFold, ...], name: str) -> None:
    for row in build_table(name, authors).rows:
        if row.printed is not None:
            assert row.recomputed is not None
            assert row.recomputed.sd == pytest.approx(row.printed.sd, abs=5e-4)


def test_recomputed_values_are_those_of_pandas(authors: tuple[PublishedFold, ...], real_data: Path) -> None:
    directory = next(f.directory for f in authors if (f.task, f.model, f.fraction) == (RCC, "dsmil", 0.25))
    oracle = pd.read_csv(real_data / "HIPT" / directory / "summary.csv")["test_auc"]
    value = row_of(build_table("subtyping", authors), RCC, "DS-MIL", 0.25).recomputed
    assert value is not None
    assert (value.mean, value.sd) == pytest.approx((oracle.mean(), oracle.std()), abs=1e-15)


def test_five_real_cells_witness_the_swap(authors: tuple[PublishedFold, ...]) -> None:
    table = build_table("survival", authors)
    assert witnessed(table) == {
        (CRC, "DS-MIL"),
        (CRC, "GCN-MIL"),
        (STAD, "DS-MIL"),
        (STAD, "GCN-MIL"),
        (IDC, "GCN-MIL"),
    }
    row = row_of(table, CRC, "DS-MIL")
    assert row.difference == pytest.approx(0.538160 - 0.470, abs=1e-6)
    assert marks(row) == ["E1", "E7"]
    assert marks(row_of(table, IDC, "DS-MIL")) == ["E1?", "E2", "E7"]


def test_the_real_one_epoch_run_is_found_by_its_settings(authors: tuple[PublishedFold, ...]) -> None:
    table = build_table("issue25", authors)
    assert Mark("E8", "witnessed") in row_of(table, RCC, "HIPT_GP", 0.25).marks
    rerun = row_of(table, RCC, "HIPT_GP (rerun)", 0.25)
    assert rerun.recomputed is not None
    assert rerun.recomputed.mean == pytest.approx(0.971790, abs=1e-6)
    assert (rerun.printed, rerun.difference, rerun.status) == (None, None, "not established")


def test_the_real_ablation_lacks_the_run_that_never_finished(authors: tuple[PublishedFold, ...]) -> None:
    row = row_of(build_table("ablation", authors), RCC, "HIPT (ViT-256 + ViT-4096)", 0.25)
    assert (row.printed, row.recomputed, row.status) == (None, None, "not established")
    assert marks(row) == ["E5", "E6", "E9"]


# Recomputing


@pytest.mark.parametrize("name", ["subtyping", "ablation", "issue25", "survival"])
def test_folds_with_the_printed_means_agree_everywhere(name: str) -> None:
    counts = build_table(name, folds_as_printed(name)).summary
    assert counts.agreeing == counts.recomputed == counts.established


def test_a_changed_fold_changes_its_cells_difference_and_no_other() -> None:
    folds = folds_as_printed("subtyping")
    where = {"task": BRCA, "model": "dsmil", "fraction": 0.25, "fold": 3}
    shifted = changed(folds, lambda f: replace(f, metrics={"test_auc": f.metrics["test_auc"] + 0.1}), **where)
    before, after = build_table("subtyping", folds), build_table("subtyping", shifted)
    assert row_of(before, BRCA, "DS-MIL", 0.25).difference == pytest.approx(0, abs=1e-12)
    assert row_of(after, BRCA, "DS-MIL", 0.25).difference == pytest.approx(0.01, abs=1e-12)
    assert sum(old != new for old, new in zip(before.rows, after.rows, strict=True)) == 1
    assert after.summary.agreeing == 35


SURVIVAL = read_published("survival")
SURVIVAL_FOLDS = folds_as_printed("survival")


@settings(deadline=None, max_examples=25)
@given(st.permutations(SURVIVAL_FOLDS))
def test_folds_are_found_by_provenance_never_by_position(folds: Sequence[PublishedFold]) -> None:
    shuffled, ordered = recompute(SURVIVAL, folds), recompute(SURVIVAL, SURVIVAL_FOLDS)
    assert shuffled.keys() == ordered.keys()
    for key, recomputed in ordered.items():
        assert shuffled[key].value.mean == pytest.approx(recomputed.value.mean, abs=1e-15)


def test_a_run_with_too_few_folds_gives_no_value() -> None:
    folds = [f for f in folds_as_printed("subtyping") if (f.model, f.fold) != ("clam_sb", 9)]
    row = row_of(build_table("subtyping", folds), BRCA, "CLAM-SB", 0.25)
    assert row.printed is not None
    assert (row.recomputed, row.difference) == (None, None)


def test_a_run_with_the_wrong_folds_gives_no_value() -> None:
    folds = changed(folds_as_printed("subtyping"), lambda f: replace(f, fold=10), model="mil", fold=9)
    assert row_of(build_table("subtyping", folds), BRCA, "MIL", 0.25).recomputed is None


def test_two_runs_for_one_cell_are_refused() -> None:
    folds = folds_as_printed("issue25")
    second = changed(folds, lambda f: replace(f, directory=f"again/{f.directory}"), fold=9)
    with pytest.raises(SourceError, match=r"Table issue25, MIL, .*10 folds in again/results_Issue25/.*narrow the"):
        build_table("issue25", second)
    with pytest.raises(SourceError, match=r"Table issue25, MIL, .*20 folds in .*, not one run of 10"):
        build_table("issue25", folds + folds)


def test_folds_without_the_tables_metric_are_refused() -> None:
    folds = changed(folds_as_printed("survival"), lambda f: replace(f, metrics={"test_auc": 0.5}))
    with pytest.raises(SourceError, match=r"_s1 has no column val_cindex \(columns: test_auc\)"):
        build_table("survival", folds)


def test_unknown_table() -> None:
    with pytest.raises(UnknownNameError, match=r"no published table '3'.*knn"):
        build_table("3")


# Errata


def test_folds_named_as_printed_refute_the_swap_where_they_can() -> None:
    table = build_table("survival", folds_as_printed("survival"))
    assert witnessed(table) == set()
    assert marks(row_of(table, CRC, "DS-MIL")) == marks(row_of(table, CRC, "GCN-MIL")) == ["E7"]


def test_a_printed_value_that_is_the_other_rows_mean_proves_the_swap() -> None:
    other = {"DSMIL": "DGCN", "DGCN": "DSMIL"}
    swapped = [replace(f, model=other.get(f.model, f.model)) for f in folds_as_printed("survival")]
    assert witnessed(build_table("survival", swapped)) == {
        (CRC, "DS-MIL"),
        (CRC, "GCN-MIL"),
        (STAD, "DS-MIL"),
        (STAD, "GCN-MIL"),
    }


@pytest.mark.parametrize(("offset", "proven"), [(4e-4, True), (6e-4, False)])
def test_the_swap_is_proven_to_three_decimals(offset: float, proven: bool) -> None:
    other = {"DSMIL": "DGCN", "DGCN": "DSMIL"}
    swapped = [replace(f, model=other.get(f.model, f.model)) for f in folds_as_printed("survival")]
    moved = changed(
        swapped,
        lambda f: replace(f, metrics={"val_cindex": f.metrics["val_cindex"] + offset}),
        task=CRC,
        model="DGCN",
    )
    assert ((CRC, "DS-MIL") in witnessed(build_table("survival", moved))) is proven


def test_a_value_that_both_rows_share_proves_no_swap() -> None:
    same = changed(SURVIVAL_FOLDS, lambda f: replace(f, metrics={"val_cindex": 0.470}), task=CRC)
    assert witnessed(build_table("survival", same)) == set()


def test_the_one_epoch_run_is_marked_by_its_settings_alone() -> None:
    where = {"task": RCC, "model": "hipt_gp_192", "fraction": 0.25}
    folds = folds_as_printed("issue25")
    short = changed(folds, lambda f: replace(f, settings={"max_epochs": 1}), **where)
    assert Mark("E8", "witnessed") in row_of(build_table("issue25", short), RCC, "HIPT_GP", 0.25).marks
    full = build_table("issue25", folds)
    assert "E8" not in " ".join(marks(row_of(full, RCC, "HIPT_GP", 0.25)))
    assert "E8" not in {erratum.id for erratum in full.errata}


@pytest.mark.parametrize(
    ("name", "erratum", "count"),
    [
        ("survival", "E1?", 12),
        ("survival", "E2", 5),
        ("survival", "E3", 1),
        ("knn", "E4", 9),
        ("subtyping", "E5", 36),
        ("subtyping", "E6", 12),
        ("survival", "E7", 30),
        ("issue25", "E8?", 1),
        ("ablation", "E9", 1),
    ],
)
def test_marks_without_folds(name: str, erratum: str, count: int) -> None:
    table = build_table(name)
    assert sum(erratum in marks(row) for row in table.rows) == count
    assert f"{erratum.rstrip('?')}: " in to_text(table)
    assert ("presumed" in to_text(table)) is any("?" in mark for row in table.rows for mark in marks(row))


@pytest.mark.parametrize("name", NAMES)
def test_without_folds_the_printed_values_stand_alone(name: str) -> None:
    table = build_table(name)
    assert all((row.recomputed, row.ours, row.difference) == (None, None, None) for row in table.rows)
    assert sum(bool(row.printed or row.sampled) for row in table.rows) == table.summary.established > 0


# Our own results


def test_knn_compares_ours_with_the_printed_full_training_set() -> None:
    table = build_table("knn", ours=[ours()])
    row = row_of(table, BRCA, "ViT4096-256 DINO (mean)")
    assert row.difference == pytest.approx(0.7746 - 0.775)
    assert table.difference == "ours - printed"
    assert table.summary.agreeing == 1


def test_knn_sets_the_ten_percent_print_apart_from_our_true_quarter() -> None:
    table = build_table("knn", ours=[ours(fraction=0.25, mean=0.72)])
    row = row_of(table, BRCA, "ViT4096-256 DINO (mean)", 0.25)
    assert (row.printed, row.difference) == (None, None)
    assert row.sampled is not None
    assert row.ours is not None
    assert (row.sampled.mean, row.ours.mean) == (0.682, 0.72)
    assert "E4" in marks(row)


@pytest.mark.parametrize(
    "changes",
    [
        {"n_folds": 9},
        {"metric": "c_index"},
        {"features": "resnet50"},
        {"baseline": "mean_cox"},
        {"task": "tcga_lung_subtyp"},
        {"fraction": 0.5},
    ],
)
def test_only_the_same_method_over_all_folds_is_ours(changes: dict[str, object]) -> None:
    assert all(row.ours is None for row in build_table("knn", ours=[ours(**changes)]).rows)


def test_two_results_for_one_cell_are_refused() -> None:
    with pytest.raises(StoreError, match=r"knn: 2 results are hipt_vit4k_region/mean_knn.*0.7746, 0.8000"):
        build_table("knn", ours=[ours(), ours(mean=0.8)])


# Rendering


@pytest.mark.parametrize("name", NAMES)
def test_csv_has_exactly_the_columns(name: str) -> None:
    header, *rows = csv.reader(io.StringIO(to_csv(build_table(name))))
    extra = "printed_10pct_mean,printed_10pct_sd," if name == "knn" else ""
    assert ",".join(header) == COLUMNS.replace("printed_status", f"{extra}printed_status")
    assert len(rows) == len(read_published(name).cells)
    assert {len(row) for row in rows} == {len(header)}


def test_csv_prints_as_printed_and_computes_in_full() -> None:
    table = build_table("survival", SURVIVAL_FOLDS)
    row = next(r for r in csv.DictReader(io.StringIO(to_csv(table))) if (r["task"], r["method"]) == (STAD, "HIPT"))
    exact = row_of(table, STAD, "HIPT")
    assert exact.recomputed is not None
    assert (row["printed_mean"], row["printed_sd"], row["printed_status"]) == ("0.570", "0.081", "secondary")
    assert float(row["recomputed_mean"]) == exact.recomputed.mean
    assert float(row["recomputed_sd"]) == exact.recomputed.sd
    assert float(row["difference"]) == exact.difference
    assert (row["fraction"], row["ours_mean"], row["erratum"]) == ("1.0", "", "E7")


def test_markdown_is_one_table_with_notes_below() -> None:
    text = to_markdown(build_table("knn", ours=[ours()]))
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert {line.count("|") for line in lines} == {10}
    assert len(lines) == 18 + 2
    assert "| printed | printed (10 %) | recomputed | ours | ours - printed | errata |" in text
    assert (
        "| tcga_brca_subtype | ViT4096-256 DINO (mean) | 100 % "
        "| 0.775 ± 0.042 |  |  | 0.775 ± 0.042 | +0.000 | E5 |" in text
    )
    assert "\n- E4: " in text
    assert "The difference shown is ours - printed." in text


def test_markdown_escapes_pipes() -> None:
    table = build_table("ablation")
    row = replace(table.rows[0], method="a|b")
    assert r"| a\|b |" in to_markdown(replace(table, rows=(row,)))


def test_latex_is_a_booktabs_table_with_every_special_character_escaped() -> None:
    text = to_latex(build_table("survival", SURVIVAL_FOLDS))
    for command in (r"\toprule", r"\midrule", r"\bottomrule", r"\begin{tabular}{llllllll}", r"\end{table}"):
        assert command in text
    assert r"tcga\_stad\_survival & HIPT & 100 \% & 0.570 $\pm$ 0.081 (secondary) & 0.570 $\pm$ " in text
    assert "±" not in text
    assert re.search(r"(?<!\\)[%_#]", text) is None
    assert {line.count("&") for line in text.splitlines() if line.endswith(r"\\")} == {7}


def test_latex_escapes_a_hostile_name() -> None:
    table = build_table("ablation")
    text = to_latex(replace(table, rows=(replace(table.rows[0], method=r"a\b{c}&$~^#"),)))
    assert r"a\textbackslash{}b\{c\}\&\$\textasciitilde{}\textasciicircum{}\#" in text


def test_text_is_aligned() -> None:
    table = build_table("survival", SURVIVAL_FOLDS)
    title, _, head, rule, *lines = to_text(table).splitlines()
    assert title == table.title
    starts = [match.start() for match in re.finditer(r"-+", rule)]
    assert [head[start:].split("  ")[0] for start in starts] == [
        *("task", "method", "fraction", "printed", "recomputed", "ours", "recomputed - printed", "errata")
    ]
    assert all(line[start - 2 : start] in ("  ", "") for line in lines[:30] for start in starts[1:])
    assert "0.534 (secondary)" in to_text(table)
    assert "not established" in to_text(table)


@pytest.mark.parametrize("name", NAMES)
def test_every_table_renders_deterministically(name: str) -> None:
    folds = folds_as_printed(name)
    first, second = build_table(name, folds), build_table(name, folds[::-1])
    for render in RENDERERS:
        assert render(first) == render(second)
        assert render(first).endswith("\n")


@pytest.mark.parametrize("render", RENDERERS[1:])
def test_readable_renderings_carry_counts_and_sources(render: Callable[[Table], str]) -> None:
    text = render(build_table("subtyping", folds_as_printed("subtyping")))
    assert "36 cells: 36 established as printed, 36 recomputed, 36 agreeing to three decimals" in text
    assert "mahmoodlab/HIPT @c22f0ecf" in text
