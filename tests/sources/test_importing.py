"""The real import: HIPT's nine tasks and their region embeddings, against published facts; and what it refuses."""

import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from hiptbench.errors import FeatureError, FormatError, HiptbenchError, SourceError, StoreError, TaskError
from hiptbench.features import FeatureCard, FeatureSet, write_features
from hiptbench.formats.tables import read_table
from hiptbench.metrics import comparable_pairs
from hiptbench.sources.checkouts import Built
from hiptbench.sources.importing import default_checkouts, import_features, import_tasks, load_published_features
from hiptbench.targets import Labels, Survival
from hiptbench.task_spec import CheckoutData
from hiptbench.task_store import is_imported, load_spec
from hiptbench.tasks import Task

FEATURES = "hipt_vit4k_region"
FOLDS = json.loads((Path(__file__).parents[1] / "oracles/hipt_survival_folds.json").read_text(encoding="utf-8"))[
    "folds"
]
RESULTS = "2-Weakly-Supervised-Survival/results_2022_surv/5foldcv"
Checkouts = dict[str, Path]


@pytest.fixture
def built(real_import: tuple[Path, list[Built]]) -> list[Built]:
    """The nine tasks."""
    return real_import[1]


@pytest.fixture
def linked(checkouts: Checkouts, tmp_path: Path) -> Path:
    """A copy of the embeddings' folder, of links, so that single files can be replaced."""
    entry = load_published_features(FEATURES)
    copy = tmp_path / "HIPT" / entry.files.path
    copy.mkdir(parents=True)
    for path in (checkouts["hipt"] / entry.files.path).iterdir():
        (copy / path.name).symlink_to(path)
    return copy


@pytest.fixture
def home(real_home: Path, tmp_path: Path) -> Path:
    """A home with everything imported, which a test may change."""
    shutil.copytree(real_home / "features", tmp_path / "filled" / "features")
    return tmp_path / "filled"


def root(folder: Path) -> Checkouts:
    """The checkout that a folder of embeddings lies in."""
    return {"hipt": next(parent for parent in folder.parents if parent.name == "HIPT")}


@pytest.mark.parametrize(
    ("name", "units", "events"),
    [
        ("tcga_brca_survival", 897, 128),
        ("tcga_coadread_survival", 316, 78),
        ("tcga_kirc_survival", 334, 89),
        ("tcga_kirp_survival", 257, 40),
        ("tcga_luad_survival", 430, 154),
        ("tcga_stad_survival", 321, 125),
    ],
)
def test_survival_has_the_published_cases_and_events(real_home: Path, name: str, units: int, events: int) -> None:
    task = Task.load(name, real_home)
    assert isinstance(task.target, Survival)
    assert (len(task.units), task.target.event.sum()) == (units, events)
    assert task.hashes == load_spec(name).hashes


@pytest.mark.parametrize(
    ("name", "per_class", "cases"),
    [
        ("tcga_brca_subtype", [726, 149], 837),
        ("tcga_lung_subtype", [492, 466], 862),
        ("tcga_kidney_subtype", [498, 289, 118], 866),
    ],
)
def test_subtyping_has_the_published_slides(real_home: Path, name: str, per_class: list[int], cases: int) -> None:
    task = Task.load(name, real_home)
    assert isinstance(task.target, Labels)
    assert np.bincount(task.target.values).tolist() == per_class
    assert (len(task.units), len(set(task.cases))) == (sum(per_class), cases)
    assert task.hashes == load_spec(name).hashes


def test_every_survival_fold_has_the_published_sizes_events_and_pairs(real_home: Path) -> None:
    tasks = {name: Task.load(name, real_home) for name in {fold["task"] for fold in FOLDS}}
    assert len(FOLDS) == 30
    for expected in FOLDS:
        task = tasks[expected["task"]]
        split = task.splits[expected["fold"]]
        train, val = task.targets(split.train), task.targets(split.val)
        assert isinstance(train, Survival)
        assert isinstance(val, Survival)
        assert expected == {
            "task": task.name,
            "fold": split.fold,
            "train": len(split.train),
            "val": len(split.val),
            "events_train": train.event.sum(),
            "events_val": val.event.sum(),
            "comparable_pairs_val": comparable_pairs(val.time, val.event),
        }


def test_published_c_indices_are_whole_numbers_of_our_comparable_pairs(checkouts: Checkouts) -> None:
    pairs = {(fold["task"], fold["fold"]): fold["comparable_pairs_val"] for fold in FOLDS}
    fractional = []
    for path in sorted((checkouts["hipt"] / RESULTS).glob("*/*/summary_latest.csv")):
        study = "_".join(path.parent.name.split("_")[:2])
        for fold, value in pd.read_csv(path)[["folds", "val_cindex"]].itertuples(index=False):
            concordant = value * pairs[f"{study}_survival", int(fold)]
            fractional.append((study, int(fold), abs(concordant - round(concordant)) > 1e-6))
    assert len(fractional) == 150
    # Three cells of DeepAttnMISL on LUAD were computed with skipped patients.
    assert {cell[:2] for cell in fractional if cell[2]} == {("tcga_luad", 0), ("tcga_luad", 2), ("tcga_luad", 4)}
    assert sum(cell[2] for cell in fractional) == 3


def test_what_the_published_rules_leave_out_is_told(built: list[Built]) -> None:
    dropped = {one.task.name: {part.reason: len(part.names) for part in one.dropped} for one in built}
    outside, embedded = "named by the splits, but not in the cohort", "no published region embedding"
    assert dropped["tcga_brca_subtype"] == {"diagnosis code is not a class of the task": 62, outside: 166}
    assert dropped["tcga_brca_survival"] == {embedded: 85, outside: 59}
    assert dropped["tcga_kirp_survival"] == {embedded: 5, outside: 3}


def task_hashes(features: FeatureSet, built: list[Built]) -> dict[str, str]:
    return {one.task.name: features.content_hash(one.task.all_slides) for one in built}


def test_the_features_are_the_published_ones_in_any_container_and_order(
    real_home: Path, built: list[Built], tmp_path: Path
) -> None:
    packed = FeatureSet.open(real_home / "features" / FEATURES)
    slides = sorted({slide for one in built for slide in one.task.all_slides})
    assert (len(slides), packed.card.dim) == (3457, 192)
    assert packed.content_hash(slides) == packed.content_hash(slides[::-1])
    assert task_hashes(packed, built) == load_published_features(FEATURES).content_hashes
    as_float32 = {slide: packed[slide].astype(np.float32) for slide in reversed(slides)}
    write_features(tmp_path / "float32", FeatureCard(name="copy"), as_float32)
    assert FeatureSet.open(tmp_path / "float32").content_hash(slides) == packed.content_hash(slides)


def test_a_second_import_reads_no_file(checkouts: Checkouts, home: Path, built: list[Built]) -> None:
    imported = import_features(FEATURES, checkouts, built, home=home)
    assert (imported.report.read, imported.report.reused, imported.missing) == (0, 3457, ())


def test_one_changed_label_is_refused_and_nothing_is_saved(checkouts: Checkouts, tmp_path: Path) -> None:
    labels = load_spec("tcga_lung_subtype").data
    assert isinstance(labels, CheckoutData)
    copy = tmp_path / "HIPT"
    shutil.copytree(checkouts["hipt"], copy, ignore=shutil.ignore_patterns("*.pt", "results*"), symlinks=True)
    (copy / labels.labels.path).chmod(0o644)
    table = read_table(copy / labels.labels.path)
    codes = table["oncotree_code"].to_list()
    first, second = codes.index("LUAD"), codes.index("LUSC")
    for changes, message in [
        ({first: "LUSC"}, r"tcga_lung_subtype is registered with .*'LUAD': 492.* but its data have .*'LUAD': 491"),
        ({first: "LUSC", second: "LUAD"}, r"The labels of tcga_lung_subtype hash to \w+, its task\.yaml says \w+"),
    ]:
        changed = table.assign(oncotree_code=[changes.get(i, code) for i, code in enumerate(codes)])
        with zipfile.ZipFile(copy / labels.labels.path, "w") as archive:
            archive.writestr("../labels.csv", changed.to_csv(index=False))
        with pytest.raises(TaskError, match=message):
            import_tasks(["hipt-2022"], checkouts | {"hipt": copy}, tmp_path / "new")
    assert not is_imported("tcga_brca_subtype", tmp_path / "new")


@pytest.mark.parametrize("bad", ["pointer", "truncated", "nan", "other", "dim"])
def test_bad_features_are_named_and_the_earlier_import_stays(
    linked: Path, home: Path, built: list[Built], bad: str
) -> None:
    path = sorted(linked.iterdir())[100]
    tensor, content = torch.load(path, weights_only=True), path.read_bytes()
    path.unlink()
    if bad == "pointer":
        path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 45304\n")
    elif bad == "truncated":
        path.write_bytes(content[: len(content) // 2])
    else:
        values = {"nan": tensor * np.nan, "other": tensor + 1, "dim": tensor[:, :191]}[bad]
        torch.save(values, path)
    expected: dict[str, tuple[type[HiptbenchError], str]] = {
        "pointer": (FormatError, rf"{path.name}: this is a Git LFS pointer"),
        "truncated": (FormatError, rf"{path.name} is damaged or truncated"),
        "nan": (FeatureError, rf"{path.name}: \d+ values are NaN or Inf"),
        "other": (
            FeatureError,
            rf"features of tcga_\w+ in {linked} hash to \w+, the registry says \w+: .*--features DIR",
        ),
        "dim": (
            FeatureError,
            rf"Slide {path.stem} has features of shape \(\d+, 191\), the slides before it \[n, 192\]",
        ),
    }
    with pytest.raises(expected[bad][0], match=expected[bad][1]):
        import_features(FEATURES, root(linked), built, home=home)
    features = FeatureSet.open(home / "features" / FEATURES)
    assert task_hashes(features, built) == load_published_features(FEATURES).content_hashes
    assert len(list((home / "features" / FEATURES).iterdir())) == 3


def test_missing_slides_are_told(linked: Path, home: Path, built: list[Built]) -> None:
    gone = sorted(linked.iterdir())[100]
    gone.unlink()
    imported = import_features(FEATURES, root(linked), built, home=home)
    assert imported.missing == (gone.stem,)
    assert gone.stem not in imported.features


def test_a_checkout_without_embeddings(built: list[Built], tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"has no 3-Self-Supervised-Eval/.*Is it a checkout of HIPT"):
        import_features(FEATURES, {"hipt": tmp_path}, built)


def test_a_home_that_cannot_be_written(checkouts: Checkouts, built: list[Built], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match=r"Cannot write the pack .*/file/features/hipt_vit4k_region"):
        import_features(FEATURES, checkouts, built, home=tmp_path / "file")


def test_checkouts_are_those_given_or_those_fetched(tmp_path: Path) -> None:
    home, mine = tmp_path / "home", tmp_path / "mine"
    assert default_checkouts(None, None, home=home) == ({}, {})
    for name in ("HIPT", "HIPT-embeddings", "PORPOISE"):
        (home / "checkouts" / name).mkdir(parents=True)
    mine.mkdir()
    fetched = home / "checkouts"
    expected = {"hipt": fetched / "HIPT", "porpoise": fetched / "PORPOISE"}
    assert default_checkouts(None, None, home=home) == (expected, {"hipt": fetched / "HIPT-embeddings"})
    assert default_checkouts(mine, None, home=home) == (expected | {"hipt": mine}, {"hipt": mine})
    assert default_checkouts(None, mine, mine, home=home) == (expected | {"porpoise": mine}, {"hipt": mine})
