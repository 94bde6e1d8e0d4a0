"""The published folds stand beside our own on the leaderboard, under the Protocol of the registry's tasks."""

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from hiptbench.boards import PUBLISHED_NOTE, board_of, render
from hiptbench.cells import leaderboard
from hiptbench.errors import StoreError
from hiptbench.export import Export
from hiptbench.plans import make_plan
from hiptbench.published import PublishedFold, import_hipt
from hiptbench.published_rows import as_results, load_published, published_protocol, save_published
from hiptbench.requests import make_request
from hiptbench.results import FoldResult, Protocol
from hiptbench.store import Store
from hiptbench.tables import our_cells
from hiptbench.task_store import load_spec
from toys import TWO_UNITS, as_registered, make_row

TASK = "tcga_brca_subtype"


def published(task: str = TASK, *, model: str = "mil", fraction: float = 1.0, epochs: int = 20) -> list[PublishedFold]:
    survival = task.endswith("survival")
    metrics = {"val_cindex": 0.5} if survival else {"test_auc": 0.5, "test_acc": 0.25, "val_auc": 0.9}
    return [
        PublishedFold(
            collection="results_cvpr2022_class",
            directory=f"{task}_{model}_{fraction}_{epochs}_s1",
            task=task,
            model=model,
            fraction=fraction,
            fold=fold,
            metrics=metrics,
            settings={"max_epochs": epochs},
            seed=1,
        )
        for fold in range(load_spec(task).folds.count)
    ]


def test_published_folds_come_back(tmp_path: Path) -> None:
    assert load_published(tmp_path) == ()
    save_published(tmp_path, published())
    save_published(tmp_path, folds := published(model="clam_sb"))  # replaces those before
    assert load_published(tmp_path) == tuple(folds)


@pytest.mark.parametrize("damage", ["{", '{"fold": 1}', "[1]"])
def test_damaged_published_folds_are_named_with_their_remedy(tmp_path: Path, damage: str) -> None:
    save_published(tmp_path, published())
    (path,) = tmp_path.glob("published/*")
    path.write_text(path.read_text() + damage)
    with pytest.raises(StoreError, match=f"{path} is damaged .* run `hiptbench results import-hipt"):
        load_published(tmp_path)


def test_a_published_fold_is_a_row_that_says_where_it_is_from() -> None:
    row = as_results(published())[3]
    assert (row.kind, row.fold, row.seed, row.baseline) == ("published", 3, 1, "mil")
    assert row.metrics == {"auc": 0.5, "accuracy": 0.25}  # what the validation part gave is another metric
    assert row.provenance.origin == f"mahmoodlab/HIPT, {TASK}_mil_1.0_20_s1"
    assert row.provenance.epoch_rule == "last of 20"
    (survival, *_) = as_results(published("tcga_kirc_survival"))
    assert survival.metrics == {"c_index": 0.5}
    assert survival.protocol.evaluate_on == "val"


def test_runs_of_another_length_are_another_method() -> None:
    cells = leaderboard(as_results(published() + published(epochs=1))).cells
    assert sorted(cell.baseline for cell in cells) == ["mil", "mil (1 epoch)"]


def test_a_task_without_hashes_has_no_published_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    bare = load_spec(TASK).model_copy(update={"hashes": None})
    monkeypatch.setattr("hiptbench.published_rows.load_spec", lambda name: bare)
    with pytest.raises(StoreError, match=f"{TASK} has no hashes in the registry"):
        as_results(published())


def commit(store: Store, protocol: Protocol, **changes: object) -> None:
    for fold in range(protocol.folds):
        made = make_row(0.75, fold=fold, protocol=protocol.model_dump(), **changes)  # type: ignore[arg-type]
        store.commit(made, TWO_UNITS)


@pytest.fixture
def mixed(tmp_path: Path) -> Store:
    """A store with measured, synthetic, published and incomplete rows under one Protocol, or nearly."""
    store = Store(tmp_path / "store")
    save_published(store.path, published())
    protocol = as_results(published())[0].protocol
    commit(store, protocol)
    commit(store, protocol, features="simulated", kind="synthetic")
    commit(store, protocol.model_copy(update={"cohort": "smaller", "missing_slides": 3}), baseline="lacking")
    return store


def test_kinds_never_share_a_cell_and_can_be_told_apart(mixed: Store) -> None:
    cells = board_of(mixed).cells
    assert [(c.kind, c.baseline, c.mean, c.missing_slides) for c in cells] == [
        ("measured", "mine", 0.75, 0),
        ("synthetic", "mine", 0.75, 0),
        ("published", "mil", 0.5, 0),
        ("measured", "lacking", 0.75, 3),
    ]
    assert len({cell.protocol for cell in cells[:3]}) == 1
    for kind in ("measured", "synthetic", "published"):
        shown = board_of(mixed, kind=kind).cells
        assert shown == tuple(cell for cell in cells if cell.kind == kind)
    assert board_of(mixed, suite="digits").cells == ()


def test_a_table_is_offered_what_was_measured_on_the_whole_cohort(mixed: Store) -> None:
    (ours,) = our_cells(board_of(mixed).cells)
    assert (ours.task, ours.baseline, ours.metric, ours.mean, ours.n_folds) == (TASK, "mine", "auc", 0.75, 10)


def write_export(folder: Path, rows: Sequence[FoldResult]) -> Export:
    """Write an export's rows, which is all that a leaderboard reads."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "rows.jsonl").write_text("".join(f"{row.model_dump_json()}\n" for row in rows))
    return Export(folder)


def hipt_gp(value: float, seeds: int, **changes: Any) -> list[FoldResult]:
    """Return runs of HIPT's own head under the published Protocol."""
    protocol = published_protocol(TASK, 1.0)
    method = {"features": "hipt_vit4k_region", "baseline": "hipt_gp_hipt2022", "protocol": protocol.model_dump()}
    method["provenance"] = as_registered("hipt_gp_hipt2022", TASK) | changes.pop("provenance", {})
    return [
        make_row(value, fold=fold, seed=seed, **method | changes)
        for seed in range(1, seeds + 1)
        for fold in range(protocol.folds)
    ]


def test_cells_say_whether_the_published_value_is_reproduced(tmp_path: Path) -> None:
    """0.879 is published, and the tolerance 0.015."""
    rows = [
        *hipt_gp(0.875, 5),
        *hipt_gp(0.75, 5, provenance={"device": "cuda"}),
        *hipt_gp(0.875, 2, provenance={"device": "mps"}),
        *hipt_gp(0.875, 5, kind="synthetic"),
        *hipt_gp(0.875, 5, baseline="hipt_gp"),
    ]
    board = board_of(write_export(tmp_path, rows))
    verdicts = sorted((cell.kind, cell.baseline, cell.reproduced or "") for cell in board.cells)
    assert verdicts == [
        ("measured", "hipt_gp", ""),
        ("measured", "hipt_gp_hipt2022", "2 of 5 seeds"),
        ("measured", "hipt_gp_hipt2022", "not reproduced"),
        ("measured", "hipt_gp_hipt2022", "reproduced"),
        ("synthetic", "hipt_gp_hipt2022", ""),
    ]
    listed = [row["reproduced"] for row in csv.DictReader(io.StringIO(render(board, "csv")))]
    assert listed == [cell["reproduced"] or "" for cell in json.loads(render(board, "json"))]
    assert listed == [line.split(" | ")[-2] for line in render(board, "md").splitlines()[2:]]
    assert {cell.reproduced for cell in board_of(Export(tmp_path), metrics=["accuracy"]).cells} <= {None}


def test_every_variant_has_its_own_verdict(tmp_path: Path) -> None:
    late = {"provenance": {"source_hash": "new"}, "date": "2026-02-01T00:00:00+00:00"}
    export = write_export(tmp_path, hipt_gp(0.875, 5) + hipt_gp(0.75, 5, **late))
    assert [cell.reproduced for cell in board_of(export).cells] == ["not reproduced"]
    assert [cell.reproduced for cell in board_of(export, all_variants=True).cells] == ["reproduced", "not reproduced"]


def test_published_rows_bear_their_errata_and_the_notes_explain_them(mixed: Store) -> None:
    board = board_of(mixed)
    assert [(cell.kind, cell.errata) for cell in board.cells if cell.errata] == [("published", "E5")]
    first, *sentences = board.notes
    assert first == PUBLISHED_NOTE
    assert [note.split(":")[0].strip() for note in sentences] == ["E5"]
    assert board_of(mixed, kind="measured").notes == ()


# With the real data


def test_only_the_run_of_one_epoch_bears_its_erratum(real_data: Path, tmp_path: Path) -> None:
    save_published(tmp_path, import_hipt(real_data / "HIPT"))
    cells = board_of(write_export(tmp_path, [])).cells
    assert [cell.baseline for cell in cells if "E8" in (cell.errata or "")] == ["hipt_gp_192 (1 epoch)"]
    marks = {(cell.task, cell.baseline): cell.errata for cell in cells}
    assert marks["tcga_luad_survival", "MIFCN"] == "E3 E7"
    assert marks["tcga_stad_survival", "DSMIL"] == "E1 E7"
    assert marks["tcga_kirc_survival", "DSMIL"] == "E1? E7"  # not known as printed
    assert all(cell.errata for cell in cells)


@pytest.fixture(scope="module")
def authors(real_data: Path) -> list[FoldResult]:
    return as_results(import_hipt(real_data / "HIPT"))


def test_the_authors_folds_stand_under_the_protocol_of_our_own_runs(authors: list[FoldResult], real_home: Path) -> None:
    request = make_request(suite="hipt-2022", baselines=["mean_knn", "mean_cox"], home=real_home)
    ours = {job.protocol.id_for("accuracy", "share") for job in make_plan(request).jobs}
    assert {row.protocol.id_for("accuracy", "share") for row in authors} == ours
    assert len(ours) == 3 * 2 + 6


@pytest.mark.parametrize(
    ("task", "fraction", "baseline", "mean", "sd"),
    [
        ("tcga_brca_subtype", 1.0, "hipt_lgp[vit4k_xs_dino]_freeze_[None]", 0.874, 0.060),
        ("tcga_lung_subtype", 0.25, "clam_sb", 0.852, 0.034),
        ("tcga_kidney_subtype", 0.25, "mil", 0.904, 0.055),
        ("tcga_brca_survival", 1.0, "HIPT_LGP[vit4k_xs_dino]_freeze_[None]", 0.634, 0.050),
        ("tcga_stad_survival", 1.0, "AMIL", 0.562, 0.049),
    ],
)
def test_the_authors_cells_are_the_printed_ones(
    task: str, fraction: float, baseline: str, mean: float, sd: float, authors: list[FoldResult]
) -> None:
    """Printed in tables 1 and 2 of the paper; KIRC's and the like were never printed."""
    board = leaderboard(authors)
    assert board.notes == ()
    found = [c for c in board.cells if (c.task, c.fraction) == (task, fraction) and c.baseline == baseline]
    (cell,) = [c for c in found if c.features == "hipt_vit256_patch"] or found
    assert cell.sd_folds is not None
    assert (round(cell.mean, 3), round(cell.sd_folds, 3)) == (mean, sd)
