"""``hiptbench figure``: every plot, what is left out, and what a user can mend."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from hiptbench.export import Export
from hiptbench.figures import content_of, select, write_figure
from hiptbench.fractions import BY_PATIENTS
from hiptbench.published_rows import published_protocol
from hiptbench.results import FoldResult
from toys import make_row


def save(folder: Path, rows: Sequence[FoldResult]) -> Path:
    folder.mkdir()
    (folder / "rows.jsonl").write_text("".join(f"{row.model_dump_json()}\n" for row in rows))
    return folder


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """An export with three methods on one task of a user's own."""
    rows = [make_row(0.5 + fold / 4, fold=fold, baseline=name) for name in ("knn", "mil", "max") for fold in (0, 1)]
    return save(tmp_path / "export", rows)


def test_the_figure_of_an_export_is_written(hiptbench: Callable, export: Path, tmp_path: Path) -> None:
    done = hiptbench("figure", "--store", export, "--out", out := tmp_path / "new" / "board.svg")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", f"written to {out}\n")
    write_figure(content_of(select(Export(export)).cells), same := tmp_path / "same.svg")
    assert out.read_bytes() == same.read_bytes()


def test_every_process_writes_the_same_bytes_without_pyplot(shell: Callable, export: Path, tmp_path: Path) -> None:
    def written(seed: str) -> bytes:  # sets are ordered by it
        out = tmp_path / f"{seed}.svg"
        done = shell("figure", "--store", export, "--out", out, PYTHONHASHSEED=seed, PYTHONPROFILEIMPORTTIME="1")
        assert done.returncode == 0, done.stderr
        assert " matplotlib.figure\n" in done.stderr
        assert " matplotlib.pyplot\n" not in done.stderr
        return out.read_bytes()

    assert written("1") == written("2")


def test_label_efficiency_is_drawn_of_the_rule_that_is_asked_for(hiptbench: Callable, tmp_path: Path) -> None:
    rule = {"suite": "hipt-2022", "task": "tcga_brca_subtype", "fraction_rule": BY_PATIENTS.stated}
    fractions = (0.25, 0.5, 0.75)
    rows = [make_row(f, fold=fold, protocol=rule | {"fraction": f}) for f in fractions for fold in (0, 1)]
    store = save(tmp_path / "export", rows)
    call = ("figure", "--store", store, "--plot", "efficiency", "--out", out := tmp_path / "efficiency.svg")
    assert hiptbench(*call, "--fraction-rule", "patients").returncode == 0
    assert "75%</text>" in out.read_text()
    refused = hiptbench(*call)
    assert refused.returncode == 1
    assert "6 folds at fractions drawn by another rule are not drawn (--fraction-rule)." in refused.stderr
    assert "no complete results to draw" in refused.stderr


def test_published_values_that_are_not_at_hand_are_named(hiptbench: Callable, tmp_path: Path) -> None:
    protocol = published_protocol("tcga_kirp_survival", 1.0).model_dump()
    ours = {"features": "hipt_vit4k_region", "baseline": "hipt_gp_hipt2022", "protocol": protocol}
    store = save(tmp_path / "export", [make_row(0.625, fold=fold, **ours) for fold in range(5)])
    done = hiptbench("figure", "--store", store, "--out", tmp_path / "board.svg")
    assert "1 published values were never printed: `hiptbench results import-hipt` gives them." in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--out", "board.jpg"), "There is no figure format 'jpg'"),
        (("--out", "board.svg", "--suite", "own:tox"), "no suite in these results 'own:tox'. Did you mean 'own:toy'?"),
        (("--out", "board.svg", "--kind", "synthetic"), "no complete results to draw"),
        (("--out", "board.svg", "--plot", "efficiency"), "needs a method at 3 training fractions of a task"),
        (("--out", "board.svg", "--store", "nowhere"), "no results store at "),
        (("--out", "file/board.svg"), "Cannot write "),
    ],
)
def test_what_a_user_can_mend_is_named(
    hiptbench: Callable, export: Path, monkeypatch: pytest.MonkeyPatch, arguments: Sequence[str], message: str
) -> None:
    monkeypatch.chdir(export.parent)
    (export.parent / "file").touch()
    done = hiptbench("figure", "--store", export, *arguments)
    assert done.returncode == 1
    assert message in done.stderr
    assert not list(export.parent.glob("board.*"))
