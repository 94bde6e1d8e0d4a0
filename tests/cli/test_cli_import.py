"""``hiptbench data import`` on the real data: what it says, what it saves, and what it does without embeddings."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

EMBEDDINGS = "3-Self-Supervised-Eval/embeddings_slide_lib/embeddings_slide_lib/vit256mean_tcga_slide_embeddings"


@pytest.fixture
def without_embeddings(real_data: Path, tmp_path: Path) -> Path:
    """A checkout of HIPT whose embeddings were never fetched."""
    checkout = tmp_path / "HIPT"
    listing = Path(EMBEDDINGS).with_name("tcga_wsi_labels.csv")
    for part in ("2-Weakly-Supervised-Subtyping", "2-Weakly-Supervised-Survival", listing):
        (checkout / part).parent.mkdir(parents=True, exist_ok=True)
        (checkout / part).symlink_to(real_data / "HIPT" / part)
    return checkout


def _report(home: Path) -> dict:
    return json.loads((home / "import-report.json").read_text())


def test_import_tells_counts_and_reports_every_unit_left_out(
    hiptbench: Callable, real_data: Path, own_home: Path
) -> None:
    done = hiptbench("data", "import", "--hipt", real_data / "HIPT", "--porpoise", real_data / "PORPOISE")
    assert done.returncode == 0, done.stderr
    assert "hipt-2022: The nine slide-level tasks of HIPT, as published\n  tcga_brca_subtype: " in done.stdout
    assert "\n\nhipt-2022-sites: The nine tasks of HIPT, tested on institutions" in done.stdout
    assert "    11 left out, slide of normal tissue: TCGA-UW-A7GI-11Z-" in done.stdout
    assert "tcga_brca_subtype: 875 slides, 569 of them evaluated, 837 patients, IDC 726, ILC 149" in done.stdout
    assert "tcga_brca_survival: 897 cases, 897 of them evaluated, 937 slides, 128 events" in done.stdout
    assert "    62 left out, diagnosis code is not a class of the task: TCGA-A1-A0SB-" in done.stdout
    assert "complete, and equal to the published values (content hash)" in done.stdout
    assert f"Every unit left out, and why: {own_home / 'import-report.json'}" in done.stdout
    assert max(map(len, done.stdout.splitlines())) < 160
    report = _report(own_home)
    assert (report["features"]["slides"], report["features"]["missing"]) == (3457, [])
    left_out = report["tasks"]["tcga_brca_subtype"]["left_out"]
    assert [(part["count"], len(part["names"])) for part in left_out] == [(62, 62), (166, 166)]
    again = hiptbench("data", "import", "--hipt", real_data / "HIPT", "--porpoise", real_data / "PORPOISE")
    assert "0 read, 3457 unchanged" in again.stdout


def test_without_embeddings_the_tasks_are_imported_and_it_says_what_to_do(
    hiptbench: Callable, without_embeddings: Path, real_data: Path, own_home: Path
) -> None:
    done = hiptbench("data", "import", "--hipt", without_embeddings, "--porpoise", real_data / "PORPOISE")
    assert done.returncode == 0
    assert done.stderr.startswith(f"hipt_vit4k_region: MISSING. {without_embeddings} has no {EMBEDDINGS}")
    assert "`hiptbench run --features DIR` takes features of your own" in done.stderr
    assert "`hiptbench data fetch` or name a checkout with --embeddings" in done.stderr
    assert _report(own_home)["features"] is None
    rows = json.loads(hiptbench("task", "list", "--format", "json").stdout)
    assert sum(row["imported"] for row in rows) == 28


def test_slides_that_are_missing_are_counted_and_listed(
    hiptbench: Callable, without_embeddings: Path, real_data: Path, own_home: Path
) -> None:
    files = sorted((real_data / "HIPT" / EMBEDDINGS).glob("TCGA-*.pt"))[:40]
    (without_embeddings / EMBEDDINGS).mkdir()
    for file in files:
        shutil.copy(file, without_embeddings / EMBEDDINGS)
    done = hiptbench("data", "import", "--hipt", without_embeddings, "--porpoise", real_data / "PORPOISE")
    missing = _report(own_home)["features"]["missing"]
    assert done.returncode == 0
    assert 3417 <= len(missing) < 3457
    assert f"MISSING {len(missing)} slides of the tasks" in done.stderr
    assert "--allow-missing" in done.stderr


def test_pointers_instead_of_embeddings_are_an_error_after_the_tasks_are_saved(
    hiptbench: Callable, without_embeddings: Path, real_data: Path, own_home: Path
) -> None:
    (without_embeddings / EMBEDDINGS).mkdir()
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"
    (without_embeddings / EMBEDDINGS / "TCGA-A1.pt").write_text(pointer)
    done = hiptbench("data", "import", "--hipt", without_embeddings, "--porpoise", real_data / "PORPOISE")
    assert done.returncode == 1
    assert "this is a Git LFS pointer" in done.stderr
    assert "hiptbench data fetch" in done.stderr
    assert len(_report(own_home)["tasks"]) == 28
