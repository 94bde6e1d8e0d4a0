"""Cohorts of drawn slides, with labels planted in cells, in patches or in the architecture of whole regions.

A patient has a grade in [0, 1], told by nothing but the pictures. Half of the slides are "low", with grades of
1/2 - u ``strength``/2, half are "high", with 1/2 + u ``strength``/2, where u is uniform in [1/2, 1]. The log hazard of
death is ``HAZARD`` (2 grade - 1), the time of death exponential, censoring independent and exponential. The grade
shows in one thing only, the signal:

cell: the share of atypical nuclei, alike in the whole slide: from ``CELLS[0]`` at grade 0 to ``CELLS[1]`` at grade 1.
patch: the share of patches full of atypical nuclei: from ``PATCHES[0]`` to ``PATCHES[1]``; the others have few.
region: the glands' architecture: from large, regular, wide ones to small, crooked, narrow ones with the same nuclei.

Stain and scanner vary from slide to slide, whatever the grade. Slide i depends on the settings and on i, never on
how many slides there are, and a strength of 0 makes a null cohort.
"""

import math
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import yaml
from jaxtyping import UInt8

from hiptbench.errors import SlideError
from hiptbench.files import write_text
from hiptbench.slides.drawing import Look, Tissue, draw
from hiptbench.slides.grid import PATCH
from hiptbench.slides.pyramids import write_slide

OnSlide = Callable[[int, int], object]

SIGNALS = ("cell", "patch", "region")
CLASSES = ("low", "high")
HAZARD = 1.5  # log hazard ratio of grade 1 against grade 1/2
MEDIAN_MONTHS, CENSORING_MONTHS = 30.0, 60.0  # median survival at grade 1/2, mean time of censoring

THREADS = 4  # most of the work leaves Python's lock to others, but not all of it

CELLS = (0.05, 0.5)
PATCHES = (0.0, 0.5)
FEW, ORDERLY = 0.05, 0.3  # share of atypical nuclei, and disorder, where they are not the signal

_LIFE, _LOOK, _PIXELS = range(3)  # what random numbers are for: each purpose and number has a stream of its own


@dataclass(frozen=True, kw_only=True)
class SyntheticSlides:
    """Settings of a cohort.

    Attributes:
        slides: Number of slides, even, so that both classes have the same.
        side: Height and width of a slide in pixels, a multiple of 256.
        mpp: Micrometres per pixel, 0.1 to 2.
        signal: What shows the grade: "cell", "patch" or "region".
        strength: How far the grades of the classes lie apart, from 0 (not at all) to 1.
        variation: How much stain and scanner vary from slide to slide; 0 is not at all, 1 is usual, 2 the most.
        seed: Seed of everything random.

    Raises:
        SlideError: If a setting is out of its range.
    """

    slides: int = 96
    side: int = 2048
    mpp: float = 0.5
    signal: str = "cell"
    strength: float = 1.0
    variation: float = 1.0
    seed: int = 1

    def __post_init__(self) -> None:
        rules = {
            "slides": (self.slides >= 2 and self.slides % 2 == 0, "an even number, at least 2"),
            "side": (self.side >= 2 * PATCH and self.side % PATCH == 0, f"a multiple of {PATCH}, at least {2 * PATCH}"),
            "mpp": (0.1 <= self.mpp <= 2, "between 0.1 and 2 micrometres"),
            "signal": (self.signal in SIGNALS, f"one of {', '.join(SIGNALS)}"),
            "strength": (0 <= self.strength <= 1, "between 0 and 1"),
            "variation": (0 <= self.variation <= 2, "between 0 and 2"),
            "seed": (self.seed >= 0, "0 or more"),
        }
        for name, (kept, rule) in rules.items():
            if not kept:
                raise SlideError(f"Synthetic slides cannot have {name} {getattr(self, name)!r}: it must be {rule}.")


@dataclass(frozen=True)
class PlannedSlide:
    """What is known of a slide before it is drawn.

    Attributes:
        number: Its number in the cohort, from 0.
        id: The slide's id, which is the stem of its file.
        patient: The patient's id.
        label: The class.
        grade: What the picture shows, in [0, 1].
        time: Months to death or censoring.
        event: Whether death was seen.
    """

    number: int
    id: str
    patient: str
    label: str
    grade: float
    time: float
    event: bool


def plan_slides(settings: SyntheticSlides) -> list[PlannedSlide]:
    """Return the slides of a cohort: of any twelve, eight are of patients with one slide, four of two with two."""
    return [_planned(settings, number) for number in range(settings.slides)]


def draw_slide(settings: SyntheticSlides, slide: PlannedSlide) -> UInt8[np.ndarray, "side side 3"]:
    """Return the pixels of a slide: red, green and blue, 0 to 255."""
    rng = _stream(settings, _PIXELS, slide.number)
    tissue = _tissue(settings, slide.grade, rng)
    return draw(tissue, _look(settings, slide.number), mpp=settings.mpp, rng=rng)


def write_synthetic_slides(out: Path, settings: SyntheticSlides, on_slide: OnSlide | None = None) -> None:
    """Write ``slides/<id>.tiff``, ``labels.csv`` (slide, patient, label, time in months, event) and ``slides.yaml``.

    Slides that exist are not drawn again, so an interrupted call can be repeated, and a cohort can be enlarged. Up to
    ``THREADS`` slides are drawn at a time, each with some 40 bytes of memory a pixel.

    Args:
        out: The folder, which is made if it is missing.
        settings: What to draw.
        on_slide: Called with (slides done, slides in all).

    Raises:
        SlideError: If the folder holds slides of other settings.
        StoreError: If the folder cannot be written.
    """
    _claim(out / "slides.yaml", settings)
    slides = plan_slides(settings)

    def write(slide: PlannedSlide) -> None:
        path = out / "slides" / f"{slide.id}.tiff"
        if not path.exists():
            write_slide(path, draw_slide(settings, slide), mpp=settings.mpp)

    with ThreadPoolExecutor(min(THREADS, os.cpu_count() or 1)) as pool:
        for done, _ in enumerate(pool.map(write, slides), start=1):
            if on_slide:
                on_slide(done, len(slides))
    rows = [f"{s.id},{s.patient},{s.label},{s.time},{int(s.event)}" for s in slides]
    write_text(out / "labels.csv", "\n".join(["slide,patient,label,time,event", *rows]) + "\n")


def _claim(path: Path, settings: SyntheticSlides) -> None:
    """State the settings in the folder; how many slides there are may differ from what it stated before."""
    text = yaml.safe_dump(asdict(settings), sort_keys=False)
    if path.exists():
        old = path.read_text(encoding="utf-8")
        other = [line for line in old.splitlines() if line not in text.splitlines() and not line.startswith("slides:")]
        if other:
            raise SlideError(
                f"{path.parent} holds slides of other settings: {'; '.join(other)}. Ask for these, or choose another "
                "folder."
            )
    write_text(path, text)


def _planned(settings: SyntheticSlides, number: int) -> PlannedSlide:
    """Plan a slide: slide and patient numbers alternate between the classes, so that any even number is balanced."""
    dozen, place = divmod(number, 12)
    patient = 10 * dozen + (place if place < 8 else 8 + place % 2)
    kind = patient % 2
    rng = _stream(settings, _LIFE, patient)
    grade = 0.5 + settings.strength * (kind - 0.5) * rng.uniform(0.5, 1)
    death = MEDIAN_MONTHS / math.log(2) * math.exp(HAZARD * (1 - 2 * grade)) * rng.standard_exponential()
    censored = CENSORING_MONTHS * rng.standard_exponential()
    name = f"SYN-{settings.signal.upper()}"
    time = max(round(min(death, censored), 2), 0.01)
    return PlannedSlide(
        number, f"{name}-{number + 1:04}", f"{name}-P{patient + 1:04}", CLASSES[kind], grade, time, death <= censored
    )


def _tissue(settings: SyntheticSlides, grade: float, rng: np.random.Generator) -> Tissue:
    """Return the tissue of a grade: the signal shows it, all else is the same at every grade."""
    shape = 2 * (settings.side // PATCH,)
    few = np.full(shape, FEW)
    if settings.signal == "cell":
        return Tissue(atypia=np.full(shape, np.interp(grade, (0, 1), CELLS)), disorder=ORDERLY)
    if settings.signal == "region":
        return Tissue(atypia=few, disorder=grade)
    full = rng.permutation(few.size).reshape(shape) < round(np.interp(grade, (0, 1), PATCHES) * few.size)
    return Tissue(atypia=np.where(full, 1.0, few), disorder=ORDERLY)


def _look(settings: SyntheticSlides, number: int) -> Look:
    """Draw how a slide was stained and scanned."""
    usual, rng = Look(), _stream(settings, _LOOK, number)
    stains, optics = (np.exp(settings.variation * sd * rng.standard_normal(2)) for sd in (0.12, 0.25))
    glass = np.clip(usual.glass + settings.variation * 2 * rng.standard_normal(3), 0, 255)
    return Look(
        haematoxylin=usual.haematoxylin * stains[0],
        eosin=usual.eosin * stains[1],
        glass=tuple(glass.tolist()),
        blur=usual.blur * optics[0],
        grain=usual.grain * optics[1],
    )


def _stream(settings: SyntheticSlides, purpose: int, number: int) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence(settings.seed, spawn_key=(purpose, number)))
