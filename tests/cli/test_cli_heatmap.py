"""The verb ``heatmap``: pictures and numbers of a slide, and what it says when something does not fit."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import save_file

from hiptbench.bags import Bag
from hiptbench.heads.base import Fitted
from hiptbench.kept import KeptFold
from hiptbench.networks.vit import vit4k, vit256
from hiptbench.registry import make_head
from hiptbench.targets import Labels
from slide_files import tissue_pixels, write_tiff

EXACT = ("--device", "cpu", "--precision", "float32")


@pytest.fixture
def slide(tmp_path: Path) -> Path:
    return write_tiff(tmp_path / "s 1.tiff", tissue_pixels(256, 512))


def fitted(head: str, **settings: object) -> Fitted:
    rng = np.random.default_rng(0)
    bags = [Bag(f"s{i}", rng.random((2, 192), dtype=np.float32), None, np.zeros(2, np.int64)) for i in range(6)]
    return make_head(head, settings).fit(bags, Labels(np.arange(6) % 2, ("x", "y")), val=None, seed=1)


def test_pictures_and_values_are_written_and_named(hiptbench: Callable, slide: Path, tmp_path: Path) -> None:
    fold = tmp_path / "fold"
    KeptFold(fold).write(None, fitted("mil", model="abmil", overrides={"epochs": 1}, device="cpu"))
    done = hiptbench("heatmap", slide, "--random-weights", *EXACT, "--model", fold, "--out", tmp_path / "maps")
    assert done.returncode == 0, done.stderr
    names = ("attention.h5", "cells.png", "patches.png", "blend.png", "head.png")
    assert done.stdout.splitlines() == [str(tmp_path / "maps" / f"s 1_{name}") for name in names]
    assert all(Path(line).stat().st_size > 0 for line in done.stdout.splitlines())


def test_weights_are_read_and_the_folder_is_called_heatmaps(
    hiptbench: Callable, slide: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, network in (("vit256_small_dino", vit256()), ("vit4k_xs_dino", vit4k())):
        save_file(network.state_dict(), tmp_path / f"{name}.safetensors")
    monkeypatch.chdir(tmp_path)
    done = hiptbench("heatmap", slide, "--weights", tmp_path, *EXACT)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "heatmaps" / "s 1_blend.png").exists()
    assert not (tmp_path / "heatmaps" / "s 1_head.png").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "needs weights: --weights FOLDER"),
        (("--random-weights", "--least-tissue", "1.5"), "tissue share of 1.5 cannot be"),
        (("--random-weights", "--target-mpp", "0.1"), "too coarse for 0.1 um"),
        (("--random-weights", "--device", "abacus"), "refuses its settings"),
        (("--random-weights", "--model", "knn"), "FittedKNN has no attention"),
        (("--random-weights", "--model", "."), "holds no fitted head that can be loaded"),
    ],
)
def test_what_does_not_fit_is_said_in_one_line(
    hiptbench: Callable,
    slide: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    fitted("knn").save(tmp_path / "knn")
    done = hiptbench("heatmap", slide, *arguments)
    assert done.returncode == 1
    assert done.stderr.startswith("Error: ")
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "heatmaps").exists()


def test_a_slide_that_is_not_there_is_named(hiptbench: Callable, tmp_path: Path) -> None:
    done = hiptbench("heatmap", tmp_path / "gone.svs", "--random-weights")
    assert (done.returncode, done.stderr) == (1, f"Error: There is no slide {tmp_path / 'gone.svs'}.\n")
