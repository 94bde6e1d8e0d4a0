"""Every row says whether its encoder was trained on the slides that it is evaluated on, as far as that is known."""

import csv
import io
import json
import re
from pathlib import Path

import pytest

from hiptbench.boards import render
from hiptbench.cells import leaderboard
from hiptbench.contamination import NOTHING, collections_of, contamination
from hiptbench.export import export
from hiptbench.files import write_text
from hiptbench.results import FoldResult, refingerprint
from hiptbench.runner import run
from hiptbench.schema import dump_yaml
from hiptbench.splits import Split
from hiptbench.store import Store
from hiptbench.task_spec import CheckoutData
from hiptbench.task_store import load_spec, registered, save_task
from hiptbench.tasks import SlideRow, Task
from hiptbench.testing import toy_features, toy_task
from toys import make_row, plan_of

SILENT_ENCODER = "unknown: the encoder does not say what it was trained on"
SILENT_TASK = "unknown: the task does not say where its slides come from"


@pytest.mark.parametrize(
    ("pretrained_on", "collections", "expected"),
    [
        (["TCGA"], ["TCGA-BRCA"], "yes: TCGA"),
        (["tcga brca"], ["TCGA-BRCA"], "yes: tcga brca"),
        (["Tcga_Brca", "ImageNet"], ["TCGA-BRCA"], "yes: Tcga_Brca"),
        (["TCGA-LUSC"], ["TCGA-LUAD", "TCGA-LUSC"], "yes: TCGA-LUSC"),
        (["TCGA, 33 cancer types"], ["TCGA-BRCA"], "yes: TCGA, 33 cancer types"),
        (["The Cancer Genome Atlas"], ["TCGA-BRCA"], "yes: The Cancer Genome Atlas"),
        (["TCGA"], ["TCGA"], "yes: TCGA"),
        (["TCGA-LUAD"], ["TCGA-BRCA"], "same programme: TCGA-LUAD"),
        (["TCGA-BRCA"], ["TCGA"], "same programme: TCGA-BRCA"),
        (["TCGA-LUAD", "TCGA-BRCA"], ["TCGA-BRCA"], "yes: TCGA-BRCA"),
        (["TCGA-LUAD", "TCGA-KIRC"], ["TCGA-BRCA"], "same programme: TCGA-LUAD, TCGA-KIRC"),
        (["TCGA-RCC"], ["TCGA-KIRC"], "yes: TCGA-RCC"),
        (["TCGA-KIDNEY"], ["TCGA-KIRP"], "yes: TCGA-KIDNEY"),
        (["TCGA-COADREAD"], ["TCGA-COAD", "TCGA-READ"], "yes: TCGA-COADREAD"),
        (["TCGA-FFPE"], ["TCGA-BRCA"], "yes: TCGA-FFPE"),
        (["TCGA slides"], ["TCGA-BRCA"], "yes: TCGA slides"),
        (["without TCGA"], ["TCGA-BRCA"], "unknown: 'without TCGA' says what was left out, not what was used"),
        (["no TCGA"], ["TCGA-BRCA"], "unknown: 'no TCGA' says what was left out, not what was used"),
        (["web, excluding TCGA"], ["TCGA"], "unknown: 'web, excluding TCGA' says what was left out, not what was used"),
        (["web, except TCGA", "TCGA-BRCA"], ["TCGA-BRCA"], "yes: TCGA-BRCA"),
        (["web without CPTAC"], ["TCGA-BRCA"], "none known"),
        (["ImageNet"], ["TCGA-BRCA"], "none known"),
        (["not-tcgas"], ["TCGA-BRCA"], "none known"),
        ([NOTHING], ["TCGA-BRCA"], "none known"),
        ([NOTHING], None, "none known"),
        ([], ["TCGA-BRCA"], SILENT_ENCODER),
        (None, ["TCGA-BRCA"], SILENT_ENCODER),
        (["TCGA"], None, SILENT_TASK),
        ([], [], "none known"),  # simulated
    ],
)
def test_what_an_encoder_was_trained_on_is_held_against_a_tasks_slides(
    pretrained_on: list[str] | None, collections: list[str] | None, expected: str
) -> None:
    given = (None if names is None else tuple(names) for names in (pretrained_on, collections))
    assert str(contamination(*given)) == expected


@pytest.mark.parametrize("name", sorted(registered()))
def test_a_registered_tasks_collections_are_those_of_its_licence(name: str) -> None:
    spec = load_spec(name)
    stated = set(re.findall(r"TCGA-[A-Z]+", spec.licence))
    assert set(collections_of(spec) or ()) == stated
    assert bool(stated) == (spec.data.origin == "checkout")


def with_barcodes() -> Task:
    """Return a toy task of one's own whose slides have TCGA barcodes."""
    toy = toy_task(folds=2)
    new = {unit: f"TCGA-A1-{i:04}-01Z-00-DX1" for i, unit in enumerate(toy.units)}
    rows = [SlideRow(new[u], new[u][:12], label=label) for u, label in zip(toy.units, toy.target.rows(), strict=True)]
    parts = [
        (split.fold, *([new[u] for u in part] for part in (split.train, split.val, split.test))) for split in toy.splits
    ]
    return Task.build(toy.spec, rows, [Split(fold, *map(tuple, lists)) for fold, *lists in parts])


def test_slides_of_ones_own_are_known_by_their_barcodes() -> None:
    assert collections_of(toy_task().spec, toy_task().all_slides) is None
    assert collections_of(toy_task().spec, with_barcodes().all_slides) == ("TCGA",)


def test_the_slides_of_an_unknown_label_table_are_of_no_known_collection() -> None:
    spec = load_spec("tcga_kirc_survival")
    assert isinstance(spec.data, CheckoutData)
    for path in ("datasets/cptac_all.csv", "datasets/labels.csv"):
        labels = spec.data.labels.model_copy(update={"path": path})
        other = spec.model_copy(update={"data": spec.data.model_copy(update={"labels": labels})})
        assert collections_of(other) is None


def test_rows_stored_before_rows_said_so_are_looked_up_by_name() -> None:
    def flag(features: str, task: str) -> str:
        return str(make_row(features=features, protocol={"task": task}).contamination)

    assert flag("hipt_vit4k_region", "tcga_brca_subtype") == "yes: TCGA"
    assert flag("hipt_vit256_patch", "tcga_stad_survival") == "yes: TCGA"  # as the authors' rows are called
    assert flag("mine", "tcga_brca_subtype") == SILENT_ENCODER
    assert flag("hipt_vit4k_region", "my_task") == SILENT_TASK
    assert flag("mine", "synthetic_brca_subtype") == "none known"


def test_what_a_row_says_goes_before_names() -> None:
    row = make_row(features="hipt_vit4k_region", pretrained_on=("ImageNet",), collections=("TCGA-BRCA",))
    assert str(row.contamination) == "none known"
    silent = make_row(features="hipt_vit4k_region", pretrained_on=(), collections=("TCGA-BRCA",))
    assert str(silent.contamination) == SILENT_ENCODER


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store with one method on such a task, by an encoder that saw TCGA and says so."""
    task, home = with_barcodes(), tmp_path / "data"
    save_task(task, home)
    features = toy_features(task, home / "toy")
    write_text(home / "toy" / "card.yaml", dump_yaml(features.card.model_copy(update={"pretrained_on": ("TCGA",)})))
    store = Store(tmp_path / "store")
    run(plan_of(home, task.name, "mean_knn"), store, executor="serial")
    return store


def test_a_run_keeps_what_is_known_and_an_export_too(store: Store, tmp_path: Path) -> None:
    rows = store.rows()
    assert {(row.pretrained_on, row.collections) for row in rows} == {(("TCGA",), ("TCGA",))}
    exported = export(store, rows, tmp_path / "export").rows()
    assert {str(row.contamination) for row in exported} == {"yes: TCGA"}


@pytest.mark.parametrize(
    ("baseline", "expected"),
    [("prior", "none known"), ("random_features", "none known"), ("permuted_labels", "yes: TCGA")],
)
def test_a_head_that_reads_no_features_has_seen_nothing(
    baseline: str, expected: str, store: Store, tmp_path: Path
) -> None:
    """The store is there for its home."""
    run(plan_of(tmp_path / "data", "toy_classification", baseline), store, executor="serial")
    assert {str(row.contamination) for row in store.rows() if row.baseline == baseline} == {expected}


def test_the_fingerprint_is_as_before(store: Store) -> None:
    """Rows stored before rows said so must not be run again, and can be read."""
    for row in store.rows():
        assert refingerprint(row.model_copy(update={"pretrained_on": None, "collections": None})) == row.fingerprint
        older = row.model_dump(mode="json", exclude={"pretrained_on", "collections"})
        assert str(FoldResult.model_validate_json(json.dumps(older)).contamination) == SILENT_ENCODER


@pytest.mark.parametrize("form", ["csv", "json", "md"])
def test_every_cell_of_a_leaderboard_is_flagged(form: str, store: Store) -> None:
    shown = render(leaderboard(store.rows()), form)
    match form:
        case "csv":
            flags = [line["contamination"] for line in csv.DictReader(io.StringIO(shown))]
        case "json":
            flags = [cell["contamination"] for cell in json.loads(shown)]
        case _:
            heading, _, *lines = [line.strip("| ").split(" | ") for line in shown.splitlines()]
            flags = [line[heading.index("contamination")] for line in lines]
    assert flags == ["yes: TCGA"]
