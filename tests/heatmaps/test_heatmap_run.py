"""Heat maps from a slide to files: all of them, numbers at their places, nothing computed in vain."""

import json
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import Image

from hiptbench.errors import ExtractorError, HeadError, SlideError, StoreError
from hiptbench.extraction.settings import TileSettings
from hiptbench.extraction.tiling import tiles_of
from hiptbench.extractors.hipt import HIPT
from hiptbench.heatmaps.attention import attend
from hiptbench.heatmaps.run import draw_heatmaps
from hiptbench.kept import KeptFold
from hiptbench.slides.opening import open_slide
from slide_files import EOSIN, tissue_pixels, write_tiff


@pytest.fixture
def slide(tmp_path: Path) -> Path:
    """A slide of 1 x 2 patches."""
    return write_tiff(tmp_path / "a b.tiff", tissue_pixels(256, 512))


@pytest.fixture
def never() -> Callable[[int, int], None]:
    def fail(*step: int) -> None:
        raise AssertionError("attention was computed in vain")

    return fail


def test_all_maps_are_drawn_and_their_values_are_written(
    slide: Path, hipt: HIPT, fit_head: Callable, tmp_path: Path
) -> None:
    KeptFold(tmp_path / "kept").write(None, fit_head(model="abmil", instance=(384,)))
    steps: list[tuple[int, int]] = []
    out = tmp_path / "new" / "maps"
    paths = draw_heatmaps(slide, hipt, out, model=tmp_path / "kept", on_region=lambda *step: steps.append(step))
    names = ["attention.h5", "cells.png", "patches.png", "blend.png", "head.png"]
    assert paths == [out / f"a b_{name}" for name in names]
    assert sorted(paths) == sorted(out.iterdir())
    assert steps == [(1, 1)]
    for path in paths[1:]:
        with Image.open(path) as picture:
            assert picture.info["Software"] == "hiptbench"
    opened = open_slide(slide)
    found = attend(opened, tiles_of(opened, TileSettings(), 4096), hipt)
    with h5py.File(paths[0]) as file:
        assert list(file) == ["coords", "cells", "patches", "blend", "head"]
        for one in found.heatmaps:
            np.testing.assert_array_equal(file[one.name], one.values)
            assert file[one.name].attrs["shows"] == one.title
            assert file[one.name].attrs["unit"] == "1 = average"
        assert file["head"].shape == (1, 1, 2)
        assert file["head"].attrs["shows"] == "Attention of abmil to patches, relative to the average of their slide"
        assert (file.attrs["slide"], bool(file.attrs["synthetic"])) == ("a b", False)
        record = json.loads(file.attrs["hiptbench_extraction"])
    assert record["extractor"] == "hipt (random weights)"
    assert record["tiles"]["least_tissue"] == 0.1


def test_a_boxs_place_follows_from_the_file_alone(hipt: HIPT, tmp_path: Path) -> None:
    pixels = np.full((1024, 1024, 3), 243, np.uint8)
    pixels[:, 512:] = EOSIN
    pixels[512 + 96 : 512 + 128, 512 + 320 : 512 + 352] = 40  # two by two pixels of level 0 are one at 0.5 um
    path = write_tiff(tmp_path / "fine.tiff", pixels, mpp=0.25)
    values = draw_heatmaps(path, hipt, tmp_path, tiles=TileSettings(least_tissue=0.5))[0]
    with h5py.File(values) as file:
        cells, coords, said = file["cells"][()], file["coords"][()], dict(file["cells"].attrs)
        assert file["coords"].attrs["level0_mpp"] == 0.25
    odd = abs(cells - np.median(cells))
    region, row, column = np.unravel_index(odd.argmax(), odd.shape)
    size = said["box_width_level0"], said["box_height_level0"]
    assert size == (32, 32)
    corner = coords[region] + (column * size[0], row * size[1])
    assert corner.tolist() == [512 + 320, 512 + 96]


def test_no_tissue_is_the_slides_fault(hipt: HIPT, tmp_path: Path, never: Callable) -> None:
    path = write_tiff(tmp_path / "blank.tiff", np.full((512, 512, 3), 250, np.uint8))
    with pytest.raises(SlideError, match=r"blank\.tiff has no tile of which 10% is tissue"):
        draw_heatmaps(path, hipt, tmp_path / "out", on_region=never)
    assert not (tmp_path / "out").exists()


def test_the_pixel_size_may_be_stated(hipt: HIPT, tmp_path: Path) -> None:
    path = write_tiff(tmp_path / "mute.tiff", tissue_pixels(256, 512), mpp=None)
    with pytest.raises(SlideError, match="State it with --mpp"):
        draw_heatmaps(path, hipt, tmp_path / "out")
    assert len(draw_heatmaps(path, hipt, tmp_path / "out", mpp=0.5)) == 4


def test_a_head_that_does_not_fit_is_refused_before_attention_is_computed(
    slide: Path, hipt: HIPT, fit_head: Callable, tmp_path: Path, never: Callable
) -> None:
    fit_head(model="abmil", instance=(16,)).save(tmp_path / "model")
    with pytest.raises(HeadError, match="abmil was fitted on vectors of 16 numbers"):
        draw_heatmaps(slide, hipt, tmp_path / "out", model=tmp_path / "model", on_region=never)


def test_without_weights_nothing_is_drawn(slide: Path, tmp_path: Path, never: Callable) -> None:
    with pytest.raises(ExtractorError, match=r"needs weights: --weights FOLDER"):
        draw_heatmaps(slide, HIPT(device="cpu"), tmp_path / "out", on_region=never)


def test_a_folder_that_cannot_be_made_is_named(slide: Path, hipt: HIPT, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=r"Cannot write .*file"):
        draw_heatmaps(slide, hipt, tmp_path / "file")
