"""``hiptbench reproduced``: every format, with the authors' folds and without."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from hiptbench.published import PublishedFold
from hiptbench.published_rows import published_protocol, save_published
from toys import as_registered, make_row

TASK = "tcga_kirp_survival"  # its published mean was never printed, so that only the authors' folds give it


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """An export with HIPT's own head on one task, over five seeds."""
    protocol = published_protocol(TASK, 1.0).model_dump()
    method = {"features": "hipt_vit4k_region", "baseline": "hipt_gp_hipt2022", "protocol": protocol}
    method["provenance"] = as_registered("hipt_gp_hipt2022", TASK)
    rows = [make_row(0.6875, fold=fold, seed=seed, **method) for seed in range(1, 6) for fold in range(5)]
    folder = tmp_path / "export"
    folder.mkdir()
    (folder / "rows.jsonl").write_text("".join(f"{row.model_dump_json()}\n" for row in rows))
    return folder


def save_authors(store: Path) -> None:
    model = "HIPT_LGP[vit4k_xs_dino]_freeze_[None]"
    folds = [
        PublishedFold("results_2022_surv", f"x/{TASK}_s1", TASK, model, 1.0, fold, {"val_cindex": value}, {}, 1)
        for fold, value in enumerate((0.75, 0.625, 0.6875, 0.75, 0.625))
    ]
    save_published(store, folds)


def verdict(hiptbench: Callable, *arguments: object) -> str:
    done = hiptbench("reproduced", "--format", "json", *arguments)
    assert done.returncode == 0, done.stderr
    cells = [cell for group in json.loads(done.stdout)["groups"] for cell in group["cells"]]
    assert len(cells) == 18
    (one,) = {cell["verdict"] for cell in cells if cell["task"] == TASK}
    assert {cell["verdict"] for cell in cells if cell["task"] != TASK} == {"not run"}
    return str(one)


@pytest.mark.parametrize("where", ["beside the results", "in the default store"])
def test_the_authors_folds_are_found(hiptbench: Callable, export: Path, own_home: Path, where: str) -> None:
    save_authors(export if where == "beside the results" else own_home / "store")
    assert verdict(hiptbench, "--store", export) == "reproduced"
    done = hiptbench("reproduced", "--store", export)
    assert "-0.062 +0.062 0.000 -0.062 +0.062" in done.stdout.replace("+0.000", "0.000")
    assert "\nsurvival: 1 of 6 cells hold (at least 5 must).\n" in done.stdout
    assert done.stdout.endswith("hipt_gp trained by `fast` and by `hipt-2022`, survival: 0 of 5 seeds.\n")
    assert done.stderr == ""


def test_without_the_authors_folds_it_says_how_to_get_them(hiptbench: Callable, export: Path) -> None:
    assert verdict(hiptbench, "--store", export) == "no published value"
    assert "`hiptbench results import-hipt`" in hiptbench("reproduced", "--store", export).stderr


def test_markdown_has_a_heading_a_group(hiptbench: Callable, export: Path) -> None:
    lines = hiptbench("reproduced", "--store", export, "--format", "md").stdout.splitlines()
    assert [line for line in lines if line.startswith("#")] == [
        "### subtyping, against the published table issue25",
        "### survival, against the published table survival",
        "### Our recipes beside each other, each fold's mean over the seeds",
    ]


def test_a_store_that_is_not_there_is_named(hiptbench: Callable, tmp_path: Path) -> None:
    done = hiptbench("reproduced", "--store", tmp_path / "none")
    assert done.returncode == 1
    assert f"no results store at {tmp_path / 'none'}" in done.stderr
