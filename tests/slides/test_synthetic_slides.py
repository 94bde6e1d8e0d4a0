"""Cohorts of drawn slides: what is planted can be seen, and nothing else tells the classes apart."""

import csv
from collections import Counter
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import openslide
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from hiptbench.errors import SlideError
from hiptbench.metrics import c_index
from hiptbench.slides.drawing import PATCH
from hiptbench.slides.synthetic import (
    CLASSES,
    SIGNALS,
    SyntheticSlides,
    draw_slide,
    plan_slides,
    write_synthetic_slides,
)

SMALL = SyntheticSlides(slides=4, side=512)


def read_labels(out: Path) -> list[dict[str, str]]:
    with (out / "labels.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def dark(pixels: np.ndarray) -> np.ndarray:
    return pixels.max(axis=-1) < 150


def lumens(pixels: np.ndarray) -> float:
    """Share of empty glass in the middle of the slide, where the outline never comes."""
    edge = len(pixels) // 4
    return float((pixels.min(axis=-1) > 225)[edge:-edge, edge:-edge].mean())


def in_full_patches(pixels: np.ndarray) -> float:
    """Share of patches in which dark nuclei take more than a quarter."""
    n = len(pixels) // PATCH
    return float((dark(pixels).reshape(n, PATCH, n, PATCH).mean(axis=(1, 3)) > 0.25).mean())


def by_class(settings: SyntheticSlides, measure: Any) -> tuple[list[float], list[float]]:
    """A measure of the first slides of each class."""
    slides = plan_slides(settings)
    low, high = ([measure(draw_slide(settings, s)) for s in slides if s.label == name] for name in CLASSES)
    return low, high


def test_a_cohort_is_written_as_slides_labels_and_settings(tmp_path: Path) -> None:
    calls = []
    write_synthetic_slides(tmp_path, SMALL, lambda done, total: calls.append((done, total)))
    rows = read_labels(tmp_path)
    assert list(rows[0]) == ["slide", "patient", "label", "time", "event"]
    assert {path.name for path in (tmp_path / "slides").iterdir()} == {f"{row['slide']}.tiff" for row in rows}
    assert yaml.safe_load((tmp_path / "slides.yaml").read_text()) == asdict(SMALL)
    assert calls == [(1, 4), (2, 4), (3, 4), (4, 4)]
    planned = plan_slides(SMALL)
    assert [(r["slide"], r["patient"], r["label"]) for r in rows] == [(s.id, s.patient, s.label) for s in planned]
    assert [(float(r["time"]), r["event"] == "1") for r in rows] == [(s.time, s.event) for s in planned]


def test_openslide_reads_the_pixels_and_their_size(tmp_path: Path) -> None:
    settings = replace(SMALL, slides=2, mpp=0.25)
    write_synthetic_slides(tmp_path, settings)
    for planned in plan_slides(settings):
        with openslide.OpenSlide(tmp_path / "slides" / f"{planned.id}.tiff") as slide:
            assert float(slide.properties["openslide.mpp-x"]) == 0.25
            pixels = np.asarray(slide.read_region((0, 0), 0, slide.dimensions))[..., :3]
        assert np.array_equal(pixels, draw_slide(settings, planned))


def test_a_slide_depends_neither_on_the_number_of_slides_nor_on_their_order() -> None:
    few, many = plan_slides(SMALL), plan_slides(replace(SMALL, slides=30))
    assert many[:4] == few
    backwards = [draw_slide(SMALL, slide) for slide in reversed(few)][::-1]
    for slide, pixels in zip(few, backwards, strict=True):
        assert np.array_equal(draw_slide(SMALL, slide), pixels)
    assert len({pixels.tobytes() for pixels in backwards}) == 4


def test_another_seed_makes_another_cohort() -> None:
    other = replace(SMALL, seed=2)
    first, second = plan_slides(SMALL)[0], plan_slides(other)[0]
    assert (first.grade, first.time) != (second.grade, second.time)
    assert not np.array_equal(draw_slide(SMALL, first), draw_slide(other, second))


@given(half=st.integers(1, 60), seed=st.integers(0, 1000))
def test_classes_are_balanced_and_patients_consistent(half: int, seed: int) -> None:
    slides = plan_slides(replace(SMALL, slides=2 * half, seed=seed))
    assert Counter(slide.label for slide in slides) == {"low": half, "high": half}
    assert len({slide.id for slide in slides}) == 2 * half
    known: dict[str, Any] = {}
    for slide in slides:
        told = slide.label, slide.grade, slide.time, slide.event
        assert known.setdefault(slide.patient, told) == told


def test_some_patients_have_two_slides() -> None:
    per_patient = Counter(Counter(slide.patient for slide in plan_slides(SyntheticSlides())).values())
    assert per_patient == {1: 64, 2: 16}


@given(strength=st.floats(0, 1))
def test_strength_sets_the_classes_apart(strength: float) -> None:
    for slide in plan_slides(replace(SMALL, slides=24, strength=strength)):
        distance = (slide.grade - 0.5) * (1 if slide.label == "high" else -1)
        assert strength / 4 <= distance + 1e-12
        assert distance <= strength / 2 + 1e-12


def test_high_grades_die_earlier_and_some_are_censored() -> None:
    def concordance(strength: float) -> float:
        slides = plan_slides(replace(SMALL, slides=500, strength=strength))
        times, events = np.array([s.time for s in slides]), np.array([s.event for s in slides])
        assert 0.4 < events.mean() < 0.8
        assert times.min() > 0
        return c_index(times, events, np.array([float(s.label == "high") for s in slides]))

    assert concordance(1.0) > 0.65
    assert 0.46 < concordance(0.0) < 0.54


@pytest.mark.parametrize(
    ("signal", "measure", "side"),
    [
        ("cell", lambda pixels: dark(pixels).mean(), 512),
        ("patch", in_full_patches, 1024),
        ("region", lambda pixels: -lumens(pixels), 1024),
    ],
)
def test_the_planted_quantity_can_be_measured(signal: str, measure: Any, side: int) -> None:
    low, high = by_class(SyntheticSlides(slides=6, side=side, signal=signal), measure)
    assert max(low) < min(high)


@pytest.mark.parametrize("signal", SIGNALS)
def test_without_strength_the_grade_is_not_shown(signal: str) -> None:
    low, high = by_class(SyntheticSlides(slides=12, side=512, signal=signal, strength=0.0), lambda p: dark(p).mean())
    assert min(low) < max(high)
    assert min(high) < max(low)


def test_cells_are_alike_everywhere_and_patches_are_not() -> None:
    def contrast(signal: str) -> float:
        settings = SyntheticSlides(slides=2, side=1536, signal=signal)
        pixels = draw_slide(settings, plan_slides(settings)[1])
        middle = dark(pixels)[PATCH:-PATCH, PATCH:-PATCH].reshape(4, PATCH, 4, PATCH).mean(axis=(1, 3))
        return float(middle.std() / middle.mean())

    assert contrast("patch") > 2 * contrast("cell")


def test_stain_and_scanner_vary_as_asked() -> None:
    def glass(variation: float) -> list[list[int]]:
        settings = replace(SMALL, variation=variation)
        return [draw_slide(settings, slide)[0, 0].tolist() for slide in plan_slides(settings)]

    assert glass(0.0) == 4 * [[243, 242, 244]]
    assert len({tuple(colour) for colour in glass(1.0)}) == 4


def test_slides_that_exist_are_not_drawn_again(tmp_path: Path) -> None:
    write_synthetic_slides(tmp_path, replace(SMALL, slides=2))
    first, second = (tmp_path / "slides" / f"{slide.id}.tiff" for slide in plan_slides(SMALL)[:2])
    whole = second.read_bytes()
    first.write_bytes(b"mine")
    second.unlink()
    write_synthetic_slides(tmp_path, SMALL)
    assert first.read_bytes() == b"mine"
    assert second.read_bytes() == whole
    assert len(read_labels(tmp_path)) == 4
    assert yaml.safe_load((tmp_path / "slides.yaml").read_text()) == asdict(SMALL)


def test_a_folder_of_other_settings_is_left_alone(tmp_path: Path) -> None:
    write_synthetic_slides(tmp_path, replace(SMALL, slides=2))
    before = (tmp_path / "slides.yaml").read_text()
    with pytest.raises(SlideError, match=r"holds slides of other settings: side: 512; seed: 1\. Ask for these, or"):
        write_synthetic_slides(tmp_path, replace(SMALL, side=768, seed=5))
    assert (tmp_path / "slides.yaml").read_text() == before


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("slides", 7, "an even number, at least 2"),
        ("slides", 0, "an even number, at least 2"),
        ("side", 1000, "a multiple of 256, at least 512"),
        ("side", 256, "a multiple of 256, at least 512"),
        ("mpp", 0.0, "between 0.1 and 2 micrometres"),
        ("mpp", float("nan"), "between 0.1 and 2 micrometres"),
        ("signal", "nuclei", "one of cell, patch, region"),
        ("strength", 1.5, "between 0 and 1"),
        ("variation", -1.0, "between 0 and 2"),
        ("seed", -1, "0 or more"),
    ],
)
def test_bad_settings_are_refused(name: str, value: Any, rule: str) -> None:
    with pytest.raises(SlideError, match=rf"cannot have {name} {value!r}: it must be {rule}\."):
        SyntheticSlides(**{name: value})
