"""Extraction of slides: right features, resumed bit for bit, broken slides cost only themselves."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import pytest
from jaxtyping import Float32, UInt8

from hiptbench import FeatureSet, TileSettings, extract_slides, find_slides
from hiptbench.errors import ExtractorError, FeatureError, SlideError, StoreError
from hiptbench.extraction.run import Step
from hiptbench.extractors.base import Level
from hiptbench.extractors.hipt import HIPT, ViT256
from hiptbench.extractors.random import RandomProjection
from hiptbench.registry import make_extractor
from slide_files import OWN_ENCODER, tissue_pixels, write_tiff


@dataclass(frozen=True, kw_only=True)
class MeanColour:
    """Mean colours of tiles, of their upper left patches besides, or something else than promised."""

    level: Level = "patch"
    dim: int = 3
    name: str = "mean colour"

    def extract(self, images: UInt8[np.ndarray, "n h w 3"]) -> Float32[np.ndarray, "n *cells dim"]:
        return images.mean(axis=(1, 2)).astype(np.float32)


@pytest.fixture
def slides(tmp_path: Path) -> Path:
    """Three slides of different sizes, the second at 40x."""
    folder = tmp_path / "slides"
    folder.mkdir()
    write_tiff(folder / "a.tiff", tissue_pixels(600, 800, seed=1))
    write_tiff(folder / "b b.tiff", tissue_pixels(1024, 1100, seed=2), mpp=0.25, levels=(2,))
    write_tiff(folder / "ä.tiff", tissue_pixels(300, 200, seed=3))
    return folder


def files_of(folder: Path) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    found = {}
    for path in sorted(folder.glob("*.h5")):
        with h5py.File(path) as file:
            found[path.stem] = file["features"][()], file["coords"][()]
    return found


def test_every_tile_with_tissue_becomes_a_row(slides: Path, tmp_path: Path) -> None:
    report = extract_slides(find_slides(slides), MeanColour(), tmp_path / "out")
    assert (report.done, report.skipped, report.broken) == ({"a": 11, "b b": 6, "ä": 2}, [], {})
    features = FeatureSet.open(tmp_path / "out")
    assert set(features) == {"a", "b b", "ä"}
    pixels = tissue_pixels(600, 800, seed=1)
    bag = features.bag("a", ["a"])
    assert bag.coords is not None
    for vector, (x, y) in zip(bag.features, bag.coords, strict=True):
        tile = np.full((256, 256, 3), 255, np.uint8)
        part = pixels[y : y + 256, x : x + 256]
        tile[: part.shape[0], : part.shape[1]] = part
        np.testing.assert_allclose(vector, tile.mean(axis=(0, 1)), rtol=1e-5)
    fine = features.bag("b", ["b b"]).coords
    assert fine is not None
    assert fine.tolist() == [[x, y] for y in (0, 512) for x in (0, 512, 1024)]


def test_the_files_say_what_tridents_do_and_how_they_were_made(slides: Path, tmp_path: Path) -> None:
    extract_slides([slides / "b b.tiff"], RandomProjection(dim=8), tmp_path / "out")
    with h5py.File(tmp_path / "out" / "b b.h5") as file:
        said = dict(file["coords"].attrs)
        assert file["features"].attrs["encoder"] == "random8"
        assert file["features"].dtype == np.float32
        assert file["coords"].dtype == np.int64
    trident = ("patch_size", "patch_size_level0", "level0_magnification", "target_magnification", "overlap", "name")
    assert {name: said[name] for name in trident} == {
        **{"patch_size": 768, "patch_size_level0": 1536, "level0_magnification": 40, "target_magnification": 20},
        **{"overlap": 0, "name": "b b"},
    }
    assert (said["level0_width"], said["level0_height"]) == (1100, 1024)
    assert (said["tile_height"], said["tile_width"]) == (512, 768)
    card = FeatureSet.open(tmp_path / "out").card
    assert (card.name, card.level, card.dim, card.pixel_size_um, card.synthetic) == ("random8", "region", 8, 0.5, False)
    record = (tmp_path / "out" / "extraction.yaml").read_text()
    assert all(word in record for word in ("least_tissue: 0.1", "pen_hues", "seed: 0", "hiptbench: "))


def test_what_is_done_is_skipped_and_what_changed_is_made_again(slides: Path, tmp_path: Path) -> None:
    out, paths = tmp_path / "out", find_slides(slides)
    extract_slides(paths, RandomProjection(), out)
    before = {path.name: path.stat().st_mtime_ns for path in out.glob("*.h5")}
    again = extract_slides(paths, RandomProjection(), out)
    assert (again.done, again.skipped) == ({}, ["a", "b b", "ä"])
    assert {path.name: path.stat().st_mtime_ns for path in out.glob("*.h5")} == before
    write_tiff(slides / "a.tiff", tissue_pixels(600, 800, seed=9))
    (out / "ä.h5").write_bytes((out / "ä.h5").read_bytes()[:500])
    third = extract_slides(paths, RandomProjection(), out)
    assert (list(third.done), third.skipped) == (["a", "ä"], ["b b"])


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"extractor": RandomProjection(seed=1)}, r"settings was \{.*'seed': 0\} and is \{.*'seed': 1\}"),
        ({"tiles": TileSettings(least_tissue=0.5)}, "tiles was .*'least_tissue': 0.1.* and is .*'least_tissue': 0.5"),
        ({"extractor": MeanColour()}, "extractor was random64 and is mean colour, .*level was region and is patch"),
    ],
)
def test_features_of_two_kinds_are_not_mixed(
    slides: Path, tmp_path: Path, changed: dict[str, object], message: str
) -> None:
    paths, out = find_slides(slides), tmp_path / "out"
    extract_slides(paths, RandomProjection(), out)
    before = files_of(out)
    extractor = changed.pop("extractor", RandomProjection())
    with pytest.raises(ExtractorError, match=f"were made otherwise: .*{message}.*take another folder"):
        extract_slides(paths, extractor, out, **changed)  # type: ignore[arg-type]
    for slide, (features, _) in files_of(out).items():
        np.testing.assert_array_equal(features, before[slide][0])


def test_a_broken_slide_costs_nothing_but_itself(slides: Path, tmp_path: Path) -> None:
    (slides / "0.svs").write_text("not a slide")
    write_tiff(slides / "blank.tiff", np.full((512, 512, 3), 255, np.uint8))
    write_tiff(slides / "no mpp.tiff", tissue_pixels(300, 300), mpp=None)
    write_tiff(slides / "coarse.tiff", tissue_pixels(300, 300), mpp=2.0)
    steps: list[Step] = []
    report = extract_slides(find_slides(slides), RandomProjection(), tmp_path / "out", on_step=steps.append)
    assert set(report.done) == {"a", "b b", "ä"}
    reasons = {
        "0": "neither a slide that OpenSlide reads nor a whole image",
        "blank": r"has no tile of which 10% is tissue \(0.0% of the slide is\)",
        "no mpp": "State it with --mpp",
        "coarse": "too coarse for 0.5 um",
    }
    assert report.broken.keys() == reasons.keys()
    for slide, reason in reasons.items():
        with pytest.raises(ValueError, match=reason):
            raise ValueError(report.broken[slide])
    assert steps[-1].slides_done == steps[-1].slides == 7
    assert {path.stem for path in (tmp_path / "out").glob("*.h5")} == set(report.done)
    stated = extract_slides([slides / "no mpp.tiff"], RandomProjection(), tmp_path / "out", mpp=0.5)
    assert stated.done == {"no mpp": 1}


def test_a_slide_that_breaks_in_the_middle_is_reported(real_slide: Path, tmp_path: Path) -> None:
    whole = real_slide.read_bytes()
    (tmp_path / "cut.svs").write_bytes(whole[: len(whole) // 2])
    report = extract_slides([tmp_path / "cut.svs", real_slide], MeanColour(), tmp_path / "out", mpp=0.5)
    assert list(report.broken) == ["cut"]
    assert list(report.done) == [real_slide.stem]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        f"{real_slide.stem}.h5",
        "card.yaml",
        "extraction.yaml",
    ]


def test_steps_count_tiles_and_patches(slides: Path, tmp_path: Path) -> None:
    steps: list[Step] = []
    extract_slides(find_slides(slides), RandomProjection(), tmp_path / "out", on_step=steps.append)
    assert sum(step.new_tiles for step in steps) == 3
    assert sum(step.new_patches for step in steps) == 12 + 6 + 2
    assert [step.slide for step in steps] == ["a", "", "b b", "", "ä", ""]


def test_an_extractor_that_breaks_its_promise_stops_the_extraction(slides: Path, tmp_path: Path) -> None:
    with pytest.raises(FeatureError, match=r"mean colour returned shape \(11, 3\) for 11 images; .*\(11, 5\)"):
        extract_slides(find_slides(slides), MeanColour(dim=5), tmp_path / "out")
    assert not list((tmp_path / "out").glob("*.h5"))


def test_patches_are_kept_as_the_first_stage_alone_would_write_them(tmp_path: Path) -> None:
    write_tiff(tmp_path / "a.tiff", tissue_pixels(256, 512))
    exact = {"random_weights": True, "device": "cpu", "precision": "float32"}
    hipt, first = HIPT(**exact), ViT256(**exact)  # type: ignore[arg-type]
    slides = [tmp_path / "a.tiff"]
    extract_slides(slides, hipt, tmp_path / "regions", patches_out=tmp_path / "patches")
    extract_slides(slides, first, tmp_path / "alone")
    kept, alone = (files_of(tmp_path / name)["a"][0] for name in ("patches", "alone"))
    assert kept.shape == (1, 4, 384)  # square, so that heads know how they lie
    np.testing.assert_array_equal(kept, alone)
    assert files_of(tmp_path / "regions")["a"][0].shape == (1, 192)
    assert extract_slides(slides, first, tmp_path / "patches").skipped == ["a"]
    with pytest.raises(ExtractorError, match="'random64' does not come through vectors of patches"):
        extract_slides(slides, RandomProjection(), tmp_path / "x", patches_out=tmp_path / "y")


def test_features_of_others_are_left_alone(slides: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "a.h5").write_bytes(b"theirs")
    with pytest.raises(ExtractorError, match=r"holds features \(a\.h5\) without extraction\.yaml.*another folder"):
        extract_slides(find_slides(slides), RandomProjection(), out)
    assert (out / "a.h5").read_bytes() == b"theirs"


def test_an_encoder_that_was_edited_is_another_one(
    slides: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    for factor in (1, 2):
        (tmp_path / f"own{factor}.py").write_text(OWN_ENCODER.replace("FACTOR", str(factor)))
    one, two = (make_extractor(f"own{factor}:Own") for factor in (1, 2))
    extract_slides([slides / "a.tiff"], one, tmp_path / "out")
    (tmp_path / "own1.py").write_text(OWN_ENCODER.replace("FACTOR", "1").replace("# the mean colour", "# a comment"))
    assert extract_slides([slides / "a.tiff"], one, tmp_path / "out").skipped == ["a"]
    with pytest.raises(ExtractorError, match=r"source_hash was .* and is "):
        extract_slides([slides / "a.tiff"], two, tmp_path / "out")


def test_two_slides_with_one_id_are_refused(slides: Path, tmp_path: Path) -> None:
    with pytest.raises(SlideError, match="1 slide ids are given twice"):
        extract_slides([slides / "a.tiff", tmp_path / "a.png"], RandomProjection(), tmp_path / "out")


@pytest.mark.parametrize(
    "wrong", [{"mpp": float("inf")}, {"mpp": float("nan")}, {"mpp": 0.0}, {"least_tissue": 1.5}, {"mpp": -1.0}]
)
def test_tiles_that_cannot_be_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ExtractorError, match="cannot be: the size is above 0, the share from 0 to 1"):
        TileSettings(**wrong)


KILLED = """
import sys, time
from hiptbench import extract_slides, find_slides
from hiptbench.extractors.random import RandomProjection
slow = lambda step: time.sleep(0.2)
extract_slides(find_slides(sys.argv[1]), RandomProjection(), sys.argv[2], on_step=slow)
"""


def test_killed_in_the_middle_it_ends_up_the_same_bit_for_bit(tmp_path: Path) -> None:
    slides, out, undisturbed = tmp_path / "slides", tmp_path / "out", tmp_path / "undisturbed"
    slides.mkdir()
    for index in range(6):
        write_tiff(slides / f"s{index}.tiff", tissue_pixels(300, 300, seed=index))
    run = subprocess.Popen([sys.executable, "-c", KILLED, str(slides), str(out)])
    deadline = time.monotonic() + 60
    while len(list(out.glob("*.h5"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(run.pid, signal.SIGKILL)
    assert run.wait() == -signal.SIGKILL
    done = len(list(out.glob("*.h5")))
    assert 2 <= done < 6
    report = extract_slides(find_slides(slides), RandomProjection(), out)
    assert len(report.skipped) == done
    extract_slides(find_slides(slides), RandomProjection(), undisturbed)
    ours, theirs = files_of(out), files_of(undisturbed)
    assert ours.keys() == theirs.keys()
    for slide, arrays in ours.items():
        for one, other in zip(arrays, theirs[slide], strict=True):
            np.testing.assert_array_equal(one, other)


FULL = """
import resource, signal, sys
from hiptbench import extract_slides, find_slides
from hiptbench.errors import StoreError
from hiptbench.extractors.random import RandomProjection
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # writing beyond the limit is an error then, as on a full disk
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
try:
    extract_slides(find_slides(sys.argv[1]), RandomProjection(dim=8192), sys.argv[2])
except StoreError as error:
    print(error)
"""


def test_a_full_disk_is_named_and_leaves_nothing_half_written(slides: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = subprocess.run([sys.executable, "-c", FULL, str(slides), str(out)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "Cannot write" in done.stdout
    assert "a.h5" in done.stdout
    assert sorted(path.name for path in out.iterdir()) == ["card.yaml", "extraction.yaml"]


def test_a_folder_that_cannot_be_made_is_named(slides: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=r"Cannot write .*file"):
        extract_slides(find_slides(slides), RandomProjection(), tmp_path / "file")
