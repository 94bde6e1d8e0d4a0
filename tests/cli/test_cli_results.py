"""``hiptbench results``: export, verify, and the authors' folds."""

import csv
import io
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def own_store(filled_home: Path, tmp_path: Path) -> Path:
    """A copy of the filled store, to spoil."""
    return Path(shutil.copytree(filled_home / "store", tmp_path / "store"))


def test_an_export_holds_no_ids_and_is_verified_against_the_labels(
    hiptbench: Callable, filled_home: Path, tmp_path: Path
) -> None:
    out = tmp_path / "exported"
    done = hiptbench("results", "export", "--out", out, "--home", filled_home)
    assert done.stdout == f"6 folds written to {out}\n"
    assert not [path for path in out.rglob("*") if path.is_file() and b"s00a" in path.read_bytes()]
    board = hiptbench("leaderboard", "--home", filled_home, "--format", "csv").stdout
    assert (out / "leaderboard.csv").read_text() == board
    assert hiptbench("leaderboard", "--store", out, "--format", "csv").stdout == board
    verified = hiptbench("results", "verify", "--store", out, "--home", filled_home)
    assert verified.returncode == 0
    assert re.fullmatch(r"6 folds verified, 0 wrong\n\d+ derived numbers verified, 0 wrong\n", verified.stdout)


def test_an_export_without_the_tasks_data_cannot_be_verified(
    hiptbench: Callable, filled_home: Path, tmp_path: Path
) -> None:
    hiptbench("results", "export", "--out", tmp_path / "exported", "--home", filled_home)
    done = hiptbench("results", "verify", "--store", tmp_path / "exported", "--home", tmp_path / "empty")
    assert done.returncode == 1
    assert "mine: 6 folds not verifiable: its data are not imported" in done.stderr
    assert "Error: Nothing could be verified" in done.stderr


def test_a_mistyped_suite_does_not_empty_an_export(hiptbench: Callable, filled_home: Path, tmp_path: Path) -> None:
    export = ("results", "export", "--out", tmp_path / "exported", "--home", filled_home)
    hiptbench(*export)
    done = hiptbench(*export, "--suite", "own:min")
    assert (done.returncode, done.stdout) == (1, "")
    assert "no suite in this store 'own:min'. Did you mean 'own:mine'?" in done.stderr
    assert len((tmp_path / "exported" / "rows.jsonl").read_text().splitlines()) == 6


def test_a_store_verifies_itself(hiptbench: Callable, own_store: Path) -> None:
    assert hiptbench("results", "verify", "--store", own_store).stdout == "6 folds verified, 0 wrong\n"


def test_a_changed_number_is_found(hiptbench: Callable, own_store: Path) -> None:
    path = next(own_store.glob("rows/*/*.json"))
    row = json.loads(path.read_text())
    row["metrics"]["auc"] += 0.01
    path.write_text(json.dumps(row))
    done = hiptbench("results", "verify", "--store", own_store)
    assert done.returncode == 1
    assert done.stdout == "5 folds verified, 1 wrong\n"
    assert "    WRONG mine features/mean_" in done.stderr
    assert "Error: 1 numbers are not what they were stored as" in done.stderr


def test_an_empty_store_cannot_be_exported(hiptbench: Callable, tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    done = hiptbench("results", "export", "--out", tmp_path / "exported", "--store", tmp_path / "store")
    assert done.returncode == 1
    assert "hiptbench run" in done.stderr
    assert not (tmp_path / "exported").exists()


def test_the_authors_folds_fill_the_tables(hiptbench: Callable, real_data: Path, own_home: Path) -> None:
    done = hiptbench("results", "import-hipt", real_data / "HIPT")
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith(f"in {own_home / 'store'}\n")
    table = hiptbench("table", "subtyping", "--format", "csv")
    assert table.stderr == ""
    assert all(row["recomputed_mean"] for row in csv.DictReader(io.StringIO(table.stdout)))
    board = hiptbench("leaderboard", "--kind", "published").stdout
    assert "hipt_vit256_patch/hipt_lgp[vit4k_xs_dino]_freeze_[None]" in board
    assert max(map(len, board.splitlines())) < 115


def test_a_checkout_of_something_else_is_refused(hiptbench: Callable, tmp_path: Path) -> None:
    done = hiptbench("results", "import-hipt", tmp_path)
    assert done.returncode == 1
    assert "github.com/mahmoodlab/HIPT" in done.stderr
