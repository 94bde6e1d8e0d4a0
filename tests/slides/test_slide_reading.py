"""Reading a slide at a physical resolution: the right level, the right place, nothing aliased, white outside."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from hiptbench.errors import SlideError
from hiptbench.slides.opening import open_slide
from hiptbench.slides.slide import Slide
from slide_files import WriteSlide


class Recorded:
    """Pixels that say where they lie, and remember what was read."""

    def __init__(self, *sizes: tuple[int, int]) -> None:
        self.sizes = sizes
        self.read_from: list[tuple[int, ...]] = []

    def read(self, level: int, x: int, y: int, width: int, height: int) -> np.ndarray:
        self.read_from.append((level, x, y, width, height))
        return np.full((height, width, 3), 100 + level, np.uint8)

    synthetic = False

    identity = "recorded"


PYRAMID = ((8000, 4000), (4000, 2000), (1000, 500))


@pytest.mark.parametrize(
    ("mpp", "level", "box"),
    [
        (0.25, 0, (256, 128)),
        (0.5, 1, (256, 128)),
        (0.504, 1, (256, 128)),  # within 1 %: counts as equal
        (0.51, 1, (261, 131)),
        (1.0, 1, (512, 256)),
        (2.0, 2, (256, 128)),
        (8.0, 2, (1024, 512)),
    ],
)
def test_the_coarsest_level_that_is_fine_enough_is_read(mpp: float, level: int, box: tuple[int, int]) -> None:
    pixels = Recorded(*PYRAMID)
    read = Slide(Path("a.svs"), 0.25, pixels).read(16, 8, 256, 128, mpp)
    assert pixels.read_from == [(level, 16, 8, *box)]
    assert read.shape == (128, 256, 3)
    assert (read == 100 + level).all()


@given(st.floats(0.1, 1), st.floats(0.1, 20))
def test_no_level_is_ever_enlarged(own: float, mpp: float) -> None:
    slide = Slide(Path("a.svs"), own, Recorded(*PYRAMID))
    if own > 1.3 * mpp:
        with pytest.raises(SlideError, match=r"a\.svs has pixels of .* too coarse for"):
            slide.level_for(mpp)
    else:
        level, shrink = slide.level_for(mpp)
        assert level == 0 or shrink > 0.99
        finer_mpp = own * PYRAMID[0][0] / PYRAMID[level][0]
        assert shrink == pytest.approx(mpp / finer_mpp, rel=0.011)


def test_a_slide_that_is_too_coarse_is_refused() -> None:
    with pytest.raises(SlideError, match=r"a\.svs has pixels of 1 um, too coarse for 0\.5 um.*--target-mpp 1"):
        Slide(Path("a.svs"), 1.0, Recorded(*PYRAMID)).read(0, 0, 256, 256, 0.5)


def test_a_box_is_where_it_was_asked_for(write_slide: WriteSlide, noise: np.ndarray) -> None:
    slide = open_slide(write_slide(noise))
    assert (slide.id, slide.size, slide.mpp) == ("slide", (900, 700), 0.5)
    np.testing.assert_array_equal(slide.read(40, 30, 300, 200, 0.5), noise[30:230, 40:340])


@pytest.mark.parametrize("name", ["slide.tiff", "slide.png"])
def test_outside_of_a_slide_all_is_white(write_slide: WriteSlide, noise: np.ndarray, tmp_path: Path, name: str) -> None:
    Image.fromarray(noise).save(tmp_path / "slide.png")
    path = write_slide(noise) if name.endswith("tiff") else tmp_path / name
    box = open_slide(path, mpp=0.5).read(800, 600, 256, 256, 0.5)
    np.testing.assert_array_equal(box[:100, :100], noise[600:, 800:])
    assert (box[100:] == 255).all()
    assert (box[:, 100:] == 255).all()
    assert (open_slide(path, mpp=0.5).read(-300, -300, 256, 256, 0.5) == 255).all()
    assert (open_slide(path, mpp=0.5).read(2000, 2000, 256, 256, 0.5) == 255).all()


def test_shrinking_does_not_alias(write_slide: WriteSlide) -> None:
    """Stripes as narrow as a pixel become grey at half the resolution; every second pixel would be black or white."""
    stripes = np.zeros((512, 512, 3), np.uint8)
    stripes[:, ::2] = 255
    read = open_slide(write_slide(stripes, mpp=0.25)).read(0, 0, 256, 256, 0.5)
    assert abs(read[:, 8:-8].astype(int) - 127).max() <= 2


def test_a_level_is_read_as_it_is(write_slide: WriteSlide, noise: np.ndarray) -> None:
    """At 40x with a level of 20x, a box at 20x is that level's, bit for bit."""
    slide = open_slide(write_slide(noise, mpp=0.25, levels=(2,)))
    means = noise.reshape(350, 2, 450, 2, 3).mean(axis=(1, 3)).round()
    np.testing.assert_array_equal(slide.read(40, 20, 256, 256, 0.5), means[10:266, 20:276])


def test_without_the_level_a_box_is_nearly_the_same(write_slide: WriteSlide) -> None:
    """A 40x slide without a 20x level is shrunk, not refused."""
    rng = np.random.default_rng(0)
    smooth = np.asarray(Image.fromarray(rng.integers(0, 256, (70, 90, 3), dtype=np.uint8)).resize((900, 700)))
    whole, alone = (
        open_slide(write_slide(smooth, mpp=0.25, levels=levels, name=f"{len(levels)}.tiff")).read(40, 20, 256, 256, 0.5)
        for levels in ((2,), ())
    )
    assert abs(whole.astype(int) - alone).mean() < 1


def test_the_real_slide(real_slide: Path) -> None:
    slide = open_slide(real_slide)
    assert (slide.id, slide.size, slide.mpp) == ("CMU-1-Small-Region", (2220, 2967), 0.499)
    assert slide.size_at(0.5) == slide.size  # 0.2 % counts as equal
    assert slide.size_at(1.0) == (1108, 1481)
    same = slide.read(1000, 1000, 256, 256, 0.5)
    half = slide.read(1000, 1000, 128, 128, 0.998)
    assert same.std() > 20
    means = same.reshape(128, 2, 128, 2, 3).mean(axis=(1, 3))
    assert abs(half - means).mean() < 0.3 * abs(same[::2, ::2] - means).mean()  # averaged, not thinned out
