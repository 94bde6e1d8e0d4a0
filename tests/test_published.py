"""The typed-in values and their schema; importing the authors' per-fold results."""

import re
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from hiptbench import rooms
from hiptbench.errors import SchemaError, SourceError, UnknownNameError
from hiptbench.published import (
    ERRATA,
    REPRODUCTION,
    Cell,
    Errata,
    Erratum,
    PublishedFold,
    PublishedTable,
    import_hipt,
    read_errata,
    read_published,
)
from hiptbench.schema import read_yaml

FILES = sorted(path for path in rooms.PUBLISHED.glob("*.yaml") if path.name not in (ERRATA, REPRODUCTION))
TASKS = {
    *(f"tcga_{organ}_subtype" for organ in ("brca", "lung", "kidney")),
    *(f"tcga_{study}_survival" for study in ("brca", "coadread", "kirc", "kirp", "luad", "stad")),
}
SUBTYPING = "2-Weakly-Supervised-Subtyping/results_cvpr2022_class"
ISSUE25 = "2-Weakly-Supervised-Subtyping/results_Issue25"
SURVIVAL = "2-Weakly-Supervised-Survival/results_2022_surv"
MIL = "tcga_lung_subtype/tcga_lung_subtype_mil_vits_tcga_pancancer_dino_0.25_none_s1"


# The typed-in values


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_file_follows_its_schema_and_speaks_the_registrys_language(file: Path) -> None:
    table = read_yaml(file, PublishedTable)
    assert {cell.task for cell in table.cells} <= TASKS
    assert {cell.method for cell in table.cells} == {method.name for method in table.methods}
    assert {cell.source for cell in table.cells} - {None} == set(table.sources)
    assert all(round(number, 3) == number for cell in table.cells for number in (cell.mean, cell.sd) if number)


def test_no_two_tables_answer_to_one_name() -> None:
    tables = [read_yaml(file, PublishedTable) for file in FILES]
    assert max(Counter(name for table in tables for name in (table.name, *table.aliases)).values()) == 1


@pytest.mark.parametrize(
    ("name", "cells", "established"),
    [("subtyping", 36, 36), ("survival", 30, 14), ("knn", 18, 18), ("ablation", 24, 23), ("issue25", 13, 12)],
)
def test_number_of_cells(name: str, cells: int, established: int) -> None:
    table = read_published(name)
    assert len(table.cells) == cells
    assert sum(cell.mean is not None for cell in table.cells) == established


@pytest.mark.parametrize(
    ("name", "task", "method", "fraction", "mean", "sd"),
    [
        ("subtyping", "tcga_brca_subtype", "HIPT", 1.0, 0.874, 0.060),
        ("subtyping", "tcga_kidney_subtype", "GCN-MIL", 0.25, 0.923, 0.012),
        ("survival", "tcga_coadread_survival", "DS-MIL", 1.0, 0.470, 0.053),
        ("survival", "tcga_brca_survival", "GCN-MIL", 1.0, 0.534, None),
        ("knn", "tcga_lung_subtype", "ViT256-16 DINO (mean)", 1.0, 0.742, 0.045),
        ("ablation", "tcga_lung_subtype", "HIPT (ViT-256 + ViT-4096)", 1.0, 0.786, 0.096),
        ("ablation", "tcga_kidney_subtype", "HIPT (ViT-256 + ViT-4096)", 0.25, None, None),
        ("issue25", "tcga_kidney_subtype", "HIPT_GP", 0.25, 0.965, 0.011),
    ],
)
def test_values_as_printed(
    name: str, task: str, method: str, fraction: float, mean: float | None, sd: float | None
) -> None:
    cells = {(cell.task, cell.method, cell.fraction): cell for cell in read_published(name).cells}
    assert (cells[task, method, fraction].mean, cells[task, method, fraction].sd) == (mean, sd)


def test_every_survival_value_is_second_hand() -> None:
    assert {cell.status for cell in read_published("survival").cells} == {"secondary", "not established"}


def test_the_row_hipt_of_table_1_is_the_frozen_row_of_table_4() -> None:
    def values(table: str, method: str) -> list[tuple[object, ...]]:
        cells = [cell for cell in read_published(table).cells if cell.method == method]
        return [(cell.task, cell.fraction, cell.mean, cell.sd) for cell in cells]

    assert values("subtyping", "HIPT") == values("ablation", "HIPT (ViT-256-PF + ViT-4096)")


@pytest.mark.parametrize(("alias", "name"), [("1", "subtyping"), ("2", "survival"), ("4", "ablation")])
def test_aliases(alias: str, name: str) -> None:
    assert read_published(alias) == read_published(name)


def test_unknown_table_names_the_nearest_and_all() -> None:
    with pytest.raises(UnknownNameError, match=r"no published table 'survial'. Did you mean 'survival'.*knn"):
        read_published("survial")


@pytest.mark.parametrize("erratum", read_errata(), ids=lambda erratum: erratum.id)
def test_every_erratum_selects_cells_and_names_only_what_exists(erratum: Erratum) -> None:
    cells = [(name, cell) for name in erratum.tables for cell in read_published(name).cells]
    selected = [cell for name, cell in cells if erratum.selects(name, cell)]
    assert selected
    assert {cell.method for cell in selected} >= {*erratum.methods, *(erratum.swapped or ())}
    assert {cell.task for cell in selected} >= set(erratum.tasks)
    assert {cell.fraction for cell in selected} >= set(erratum.fractions)


def test_errata_are_numbered_once_each() -> None:
    assert [erratum.id for erratum in read_errata()] == [f"E{number}" for number in range(1, 10)]


def test_an_erratum_selects_only_its_cells() -> None:
    erratum = Erratum(id="X", sentence="x", tables=("knn",), methods=("MIL",), fractions=(0.25,))
    cell = Cell(task="t", method="MIL", fraction=0.25, status="not established")
    assert erratum.selects("knn", cell)
    assert not erratum.selects("subtyping", cell)
    assert not erratum.selects("knn", cell.model_copy(update={"method": "HIPT"}))
    assert not erratum.selects("knn", cell.model_copy(update={"fraction": 1.0}))


# The schema


GOOD = """\
name: toy
title: A toy
aliases: []
metric: auc
column: test_auc
folds: 10
sources: {paper: a paper}
methods: [{name: MIL}]
cells:
  - {task: t, method: MIL, fraction: 0.25, mean: 0.673, sd: 0.112, status: printed, source: paper}
"""


@pytest.mark.parametrize(
    ("line", "instead", "message"),
    [
        ("mean: 0.673, ", "", "exactly when its status is printed or secondary"),
        (
            "status: printed, source: paper",
            "status: printed",
            "exactly when its status is printed or secondary",
        ),
        ("status: printed", "status: not established", "exactly when its status is printed or secondary"),
        ("status: printed", "status: guessed", r"cells.0.status.*guessed"),
        ("mean: 0.673", "mean: 67.3", r"cells.0.mean.*67.3"),
        ("fraction: 0.25", "fraction: 25", r"cells.0.fraction.*25"),
        ("methods: [{name: MIL}]", "methods: []", r"undeclared methods: \['MIL'\]"),
        ("source: paper}", "source: notebook}", r"undeclared sources: \['notebook'\]"),
        ("metric: auc", "metric: accuracy", "metric.*accuracy"),
        ("title: A toy\n", "title: A toy\ncolour: red\n", "colour"),
    ],
)
def test_a_broken_file_is_refused(tmp_path: Path, line: str, instead: str, message: str) -> None:
    path = tmp_path / "toy.yaml"
    path.write_text(GOOD)
    assert read_yaml(path, PublishedTable).name == "toy"
    path.write_text(GOOD.replace(line, instead))
    with pytest.raises(SchemaError, match=message):
        read_yaml(path, PublishedTable)


@pytest.mark.parametrize(
    ("instead", "message"),
    [
        ("fraction: 0.25", "cells given twice.*MIL"),
        ("fraction: 1.0, sampled: 0.2", "more than one sampled fraction"),
    ],
)
def test_cells_that_contradict_each_other_are_refused(tmp_path: Path, instead: str, message: str) -> None:
    path = tmp_path / "toy.yaml"
    cell = GOOD.splitlines()[-1]
    first = cell.replace("fraction: 0.25", "fraction: 0.25, sampled: 0.1")
    path.write_text(GOOD.replace(cell, first) + cell.replace("fraction: 0.25", instead) + "\n")
    with pytest.raises(SchemaError, match=message):
        read_yaml(path, PublishedTable)


def test_an_erratum_has_one_test_at_most(tmp_path: Path) -> None:
    path = tmp_path / "errata.yaml"
    path.write_text("errata: [{id: X, sentence: x, tables: [knn], swapped: [a, b], settings: {lr: 1}}]")
    with pytest.raises(SchemaError, match="either by a swap or by settings"):
        read_yaml(path, Errata)


# Importing


def write_run(checkout: Path, folder: str, *, summary: str | None = None, **settings: Any) -> Path:
    """Write a run of the authors: its recorded settings and, unless None, its summary file."""
    run = checkout / folder
    run.mkdir(parents=True)
    (run / f"experiment_{run.name}.txt").write_text(repr({"seed": 1, "max_epochs": 20} | settings))
    if summary is not None:
        name = "summary_latest.csv" if "5foldcv" in folder else "summary.csv"
        (run / name).write_text(summary)
    return run


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with one finished run in each collection, and one that never finished."""
    root = tmp_path / "HIPT"
    auc = ",folds,test_auc,val_auc\n0,0,0.75,0.5\n1,1,0.5,0.25\n"
    rerun = "tcga_kidney_subtype/tcga_kidney_subtype_hipt_gp_192_vits_tcga_pancancer_dino_1.00_none_s12"
    surv = "nll_surv_a0.0_5foldcv_gc32_dino_sig"
    write_run(root, f"{SUBTYPING}/{MIL}", summary=auc, model_type="other", label_frac=1.0)
    write_run(root, f"{SUBTYPING}/{MIL.replace('_mil_', '_hipt_lgp[None]_[None]_')}")
    write_run(root, f"{ISSUE25}/{rerun}", summary=auc)
    write_run(
        root,
        f"{SURVIVAL}/5foldcv/DGCN_{surv}/tcga_kirc_DGCN_{surv}_s1",
        summary=",folds,val_cindex\n0,0,0.6\n",
    )
    return root


def test_folds_carry_their_provenance(checkout: Path) -> None:
    folds = import_hipt(checkout)
    assert folds[1] == PublishedFold(
        collection="results_cvpr2022_class",
        directory=f"{SUBTYPING}/{MIL}",
        task="tcga_lung_subtype",
        model="mil",
        fraction=0.25,
        fold=1,
        metrics={"test_auc": 0.5, "val_auc": 0.25},
        settings={"seed": 1, "max_epochs": 20, "model_type": "other", "label_frac": 1.0},
        seed=1,
    )
    assert [(f.task, f.model, f.fraction, f.run) for f in folds[2:]] == [
        ("tcga_kidney_subtype", "hipt_gp_192", 1.0, "s12"),
        ("tcga_kidney_subtype", "hipt_gp_192", 1.0, "s12"),
        ("tcga_kirc_survival", "DGCN", 1.0, "s1"),
    ]


def test_a_run_without_a_summary_gives_no_folds(checkout: Path) -> None:
    assert not any("hipt_lgp" in fold.directory for fold in import_hipt(checkout))


def test_folds_do_not_depend_on_where_the_checkout_is(checkout: Path, tmp_path: Path) -> None:
    elsewhere = shutil.copytree(checkout, tmp_path / "elsewhere")
    assert import_hipt(elsewhere) == import_hipt(checkout)


@pytest.mark.parametrize("folder", [SUBTYPING, ISSUE25, SURVIVAL])
def test_missing_and_empty_folders_are_named_with_the_remedy(checkout: Path, folder: str) -> None:
    shutil.rmtree(checkout / folder)
    with pytest.raises(SourceError, match=rf"no folder .*{folder}.*checkout of github.com/mahmoodlab/HIPT"):
        import_hipt(checkout)
    (checkout / folder).mkdir()
    with pytest.raises(SourceError, match=rf"{folder} holds no .*summary.*checkout of github.com/mahmoodlab/HIPT"):
        import_hipt(checkout)


@pytest.mark.parametrize(
    ("summary", "message"),
    [
        ("", "holds no folds"),
        (",folds,test_auc\n", "holds no folds"),
        (",test_auc\n0,0.5\n", "line 2, column folds: Field required"),
        (",folds,test_auc\n0,0,0.5\n1,one,0.5\n", r"line 3, column folds: .*\(got 'one'\)"),
        (",folds,test_auc\n0,0.5,0.5\n", r"line 2, column folds: .*\(got '0.5'\)"),
        (",folds,test_auc\n0,-1,0.5\n", r"line 2, column folds: .*\(got '-1'\)"),
        (",folds,test_auc\n0,0,high\n", r"line 2, column test_auc: .*\(got 'high'\)"),
        (",folds,test_auc\n0,0,nan\n", r"line 2, column test_auc: .*\(got 'nan'\)"),
        (",folds,test_auc\n0,0,1.5\n", r"line 2, column test_auc: .*\(got '1.5'\)"),
        (",folds,test_auc\n0,0\n", r"line 2, column test_auc: .*\(got None\)"),
        (",folds,test_auc\n0,0,0.5,0.6\n", r"line 2, column surplus values: .*\(got \['0.6'\]\)"),
        (",folds,test_auc\n0,0,0.5\n1,0,0.5\n", "line 3: fold 0 stands there twice"),
    ],
)
def test_malformed_summaries_are_named_to_the_line(checkout: Path, summary: str, message: str) -> None:
    (checkout / SUBTYPING / MIL / "summary.csv").write_text(summary)
    with pytest.raises(SourceError, match=rf"{re.escape(MIL)}.summary.csv.*{message}.*git restore"):
        import_hipt(checkout)


def test_a_summary_that_is_not_text_is_named(checkout: Path) -> None:
    (checkout / SUBTYPING / MIL / "summary.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SourceError, match=r"summary.csv cannot be read as text"):
        import_hipt(checkout)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("{'seed': 1", "is not a Python dict literal"),
        ("{'seed': open('x')}", "is not a Python dict literal"),
        ("{[]: 1}", "is not a Python dict literal"),
        ("['seed']", "holds a list where it should hold a dict"),
    ],
)
def test_malformed_settings_are_named(checkout: Path, settings: str, message: str) -> None:
    next((checkout / SUBTYPING / MIL).glob("experiment_*")).write_text(settings)
    with pytest.raises(SourceError, match=rf"experiment_.*{message}.*git restore"):
        import_hipt(checkout)


@pytest.mark.parametrize("count", [0, 2])
def test_settings_must_be_one_file(checkout: Path, count: int) -> None:
    run = checkout / SUBTYPING / MIL
    next(run.glob("experiment_*")).unlink()
    for number in range(count):
        (run / f"experiment_{number}.txt").write_text("{}")
    with pytest.raises(SourceError, match=rf"holds {count} files experiment_\*.txt where it should hold one"):
        import_hipt(checkout)


def test_a_run_with_a_foreign_name_is_refused(checkout: Path) -> None:
    write_run(checkout, f"{SUBTYPING}/tcga_lung_subtype/my_own_run", summary=",folds,test_auc\n0,0,0.5\n")
    with pytest.raises(SourceError, match=r"my_own_run is not named as a run of the authors"):
        import_hipt(checkout)


def test_real_checkout(real_data: Path) -> None:
    folds = import_hipt(real_data / "HIPT")
    runs = {fold.directory: fold for fold in folds}
    assert Counter(run.collection for run in runs.values()) == {
        "results_cvpr2022_class": 53,
        "results_Issue25": 13,
        "results_2022_surv": 30,
    }
    assert len(folds) == 66 * 10 + 30 * 5
    assert {fold.task for fold in folds} == TASKS
    assert {fold.seed for fold in folds} == {1}
    assert [run.directory[-4:] for run in runs.values() if run.run != "s1"] == ["_s12"]
    assert [run.model for run in runs.values() if run.settings["max_epochs"] != 20] == ["hipt_gp_192"]
    assert str(real_data) not in repr(folds)
