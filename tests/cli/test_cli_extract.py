"""``hiptbench extract`` and ``tile``: what they print, write and return, and what they say while they work."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from hiptbench.cli.extract_display import Pace, extract_display
from hiptbench.extraction.run import Step
from slide_files import OWN_ENCODER, tissue_pixels, write_tiff


@pytest.fixture
def slides(tmp_path: Path) -> Path:
    folder = tmp_path / "slides"
    folder.mkdir()
    for index in range(2):
        write_tiff(folder / f"s{index}.tiff", tissue_pixels(300, 300, seed=index))
    return folder


def test_slides_become_features_once(hiptbench: Callable, slides: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = hiptbench("extract", slides, "--extractor", "random", "--out", out)
    assert (first.returncode, first.stdout) == (0, f"2 slides extracted (2 tiles), 0 were done: {out}\n")
    assert {path.name for path in out.iterdir()} == {"s0.h5", "s1.h5", "card.yaml", "extraction.yaml"}
    again = hiptbench("extract", slides, "--extractor", "random", "--out", out)
    assert (again.returncode, again.stdout) == (0, f"0 slides extracted (0 tiles), 2 were done: {out}\n")


def test_broken_slides_are_reported_at_the_end_with_exit_code_3(
    hiptbench: Callable, slides: Path, tmp_path: Path
) -> None:
    (slides / "broken.svs").write_text("no")
    write_tiff(slides / "unknown.tiff", tissue_pixels(300, 300), mpp=None)
    out = tmp_path / "out"
    done = hiptbench("extract", slides, "--extractor", "random", "--out", out)
    assert (done.returncode, done.stdout) == (3, f"2 slides extracted (2 tiles), 0 were done: {out}\n")
    *reasons, last = done.stderr.splitlines()
    assert last == "2 slides are broken; the others are done."
    assert [line.split(":")[1].strip() for line in reasons] == ["broken", "unknown"]
    stated = hiptbench("extract", slides / "unknown.tiff", "--extractor", "random", "--out", out, "--mpp", "0.5")
    assert (stated.returncode, stated.stdout) == (0, f"1 slides extracted (1 tiles), 0 were done: {out}\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--extractor", "hippt"), "There is no extractor 'hippt'. Did you mean 'hipt'?"),
        (("--extractor", "hipt"), "needs weights: --weights FOLDER"),
        (("--extractor", "random", "--weights", "x"), "no setting of the extractor 'random' 'weights'"),
        (("--extractor", "random", "--keep-patches", "p"), "does not come through vectors of patches"),
        (("--extractor", "random", "--target-mpp", "0"), "the size is above 0"),
        (("--extractor", "resnet50", "--random-weights", "--device", "tpu"), "device"),
    ],
)
def test_a_wrong_call_is_explained_and_leaves_nothing(
    hiptbench: Callable, slides: Path, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    done = hiptbench("extract", slides, "--out", tmp_path / "out", *arguments)
    assert done.returncode == 1
    assert message in done.stderr
    assert not list(tmp_path.glob("out/*.h5"))


def test_an_encoder_in_the_working_folder_is_found(slides: Path, tmp_path: Path) -> None:
    (tmp_path / "own_encoders.py").write_text(OWN_ENCODER.replace("FACTOR", "1"))
    program = Path(sys.executable).parent / "hiptbench"
    command = [program, "extract", "slides", "--extractor", "own_encoders:Own", "--out", "out"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "2 slides extracted (6 tiles)" in done.stdout


def test_tile_writes_coordinates_and_pictures_and_says_how_much(
    hiptbench: Callable, slides: Path, tmp_path: Path
) -> None:
    write_tiff(slides / "blank.tiff", np.full((512, 512, 3), 250, np.uint8))
    (slides / "broken.svs").write_text("no")
    out = tmp_path / "tiles"
    done = hiptbench("tile", slides, "--out", out, "--level", "patch")
    assert done.returncode == 3
    assert [line.split() for line in done.stdout.splitlines()] == [
        ["tiles", "tissue", "slide"],
        *(["0", "0.0%", "blank"], ["3", "100.0%", "s0"], ["3", "100.0%", "s1"]),
    ]
    names = {f"{slide}{suffix}" for slide in ("blank", "s0", "s1") for suffix in (".png", "_patches.h5")}
    assert {path.name for path in out.iterdir()} == names
    assert "Broken: broken:" in done.stderr


def test_the_pace_is_of_what_was_encoded() -> None:
    now = 0.0
    pace = Pace(clock=lambda: now)
    assert (pace.position, pace.remaining, pace.text) == (0.0, None, "")
    pace.hear(Step(10, 4))  # four were skipped at once
    assert pace.remaining is None
    now = 30.0
    pace.hear(Step(10, 4, "a", tiles=4, tiles_done=2, new_tiles=2, new_patches=60))
    assert pace.position == 4.5
    assert pace.remaining == 30 * 5.5 / 0.5
    assert pace.text == (
        "4 of 10 slides, 4.0 tiles a minute, 2.0 patches a second, about 0:05:30 to go; a, tile 2 of 4"
    )
    now = 60.0
    pace.hear(Step(10, 10))
    assert pace.remaining == 0


def test_a_file_gets_a_line_now_and_then(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("hiptbench.cli.extract_display.SECONDS_BETWEEN_LINES", 0.0)
    with extract_display() as show:
        show(Step(2, 1, "b", tiles=3, tiles_done=1, new_tiles=1, new_patches=256))
    assert "1 of 2 slides" in capfd.readouterr().err
