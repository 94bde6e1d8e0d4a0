"""Drawn tissue that looks like H&E: an irregular piece of stroma with glands, and nuclei of two phenotypes in it.

Everything is drawn as amounts of the two stains and becomes colour at the end, by the law of Beer and Lambert: a
channel's intensity is ``glass * exp(-(haematoxylin * h + eosin * e))``, where h and e are what the two stains absorb
of that channel. Lengths are in micrometres, so that a picture of another pixel size shows tissue of the same kind.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32, Float64, Int64, UInt8
from PIL import Image
from scipy.ndimage import gaussian_filter, map_coordinates
from scipy.spatial import KDTree

from hiptbench.slides.grid import PATCH

ABSORPTION = np.array([[0.5626, 0.7201, 0.4062], [0.2159, 0.8012, 0.5581]], dtype=np.float32)
"""What haematoxylin and eosin absorb of red, green and blue: unit vectors, for natural logarithms.

The reference stains of the code that goes with Macenko et al., A method for normalizing histology slides for
quantitative analysis, ISBI 2009.
"""

FINE, COARSE = 2, 8  # pixels from point to point of the grids on which texture and architecture are drawn
EPITHELIUM = 16.0  # um from the rim of a gland to its lumen
PITCH = 8.5  # um between the places where a nucleus may lie
TEMPLATES = 48  # different nuclei of each phenotype on a slide


@dataclass(frozen=True, kw_only=True)
class Look:
    """How a slide was stained and scanned.

    Attributes:
        haematoxylin: Strength of the nuclear stain; 1 is usual.
        eosin: Strength of the counterstain; 1 is usual.
        glass: Red, green and blue of empty glass, 0 to 255: the tint of the scanner's light.
        blur: Standard deviation of the optical blur in pixels.
        grain: Standard deviation of the noise, as a share of a pixel's optical density: empty glass has none.
    """

    haematoxylin: float = 1.0
    eosin: float = 1.0
    glass: tuple[float, float, float] = (243.0, 242.0, 244.0)
    blur: float = 0.6
    grain: float = 0.06


@dataclass(frozen=True, kw_only=True, eq=False)
class Tissue:
    """What there is to see.

    Attributes:
        atypia: Share of atypical nuclei in each patch, in [0, 1]; where it is high, there are also more nuclei.
        disorder: Architecture, from 0 (large, regular glands with wide lumens) to 1 (small, crowded, crooked ones).
    """

    atypia: Float64[np.ndarray, "rows columns"]
    disorder: float


@dataclass(frozen=True, kw_only=True)
class Phenotype:
    """A kind of nucleus.

    Attributes:
        radius: Mean radius in um.
        elongation: Ratio of the axes, at most.
        irregularity: Amplitude of the waves of the outline, as a share of the radius.
        density: Amount of haematoxylin.
    """

    radius: float
    elongation: float
    irregularity: float
    density: float


QUIET = Phenotype(radius=3.2, elongation=1.7, irregularity=0.05, density=1.2)
ATYPICAL = Phenotype(radius=5.4, elongation=1.6, irregularity=0.15, density=1.9)


@dataclass(frozen=True, eq=False)
class _Layout:
    """Where tissue and glands are, on the fine grid: ``inside`` > 0 in tissue, ``depth`` um inside a gland's rim."""

    inside: Float32[np.ndarray, "y x"]
    depth: Float32[np.ndarray, "y x"]


def draw(tissue: Tissue, look: Look, *, mpp: float, rng: np.random.Generator) -> UInt8[np.ndarray, "h w 3"]:
    """Draw a slide of as many patches as the tissue has.

    Args:
        tissue: What to draw.
        look: How it was stained and scanned.
        mpp: Micrometres per pixel.
        rng: What everything random comes from.

    Returns:
        The pixels: red, green and blue, 0 to 255. Drawing takes some 40 bytes of memory a pixel.
    """
    layout = _layout(tissue, mpp, rng)
    nuclei = _nuclei(layout, tissue, mpp, rng)
    haematoxylin, eosin = _ground(layout, mpp, rng)
    grain = np.maximum(1 + np.float32(look.grain) * rng.standard_normal(nuclei.shape, dtype=np.float32), 0)
    haematoxylin = np.float32(look.haematoxylin) * (haematoxylin + nuclei) * grain
    eosin = np.float32(look.eosin) * eosin * (1 - 0.6 * np.minimum(nuclei, 1)) * grain
    stains = [gaussian_filter(stain, look.blur, truncate=3) for stain in (haematoxylin, eosin)]
    pixels = np.empty((*nuclei.shape, 3), dtype=np.uint8)
    for channel, (h, e) in enumerate(ABSORPTION.T):
        pixels[..., channel] = np.float32(look.glass[channel]) * np.exp(-(h * stains[0] + e * stains[1])) + 0.5
    return pixels


def _layout(tissue: Tissue, mpp: float, rng: np.random.Generator) -> _Layout:
    """Draw the architecture on the coarse grid and bring it to the fine one."""
    shape = tuple(n * PATCH // COARSE for n in tissue.atypia.shape)
    inside = _outline(shape, rng)
    depth = _glands(shape, tissue.disorder, COARSE * mpp, rng)
    fine = tuple(n * COARSE // FINE for n in shape)
    return _Layout(_resized(inside, fine), _resized(depth, fine))


def _outline(shape: tuple[int, ...], rng: np.random.Generator) -> Float32[np.ndarray, "y x"]:
    """Return a field that is positive in tissue: a rounded square with large waves, never at the slide's border."""
    y, x = (np.linspace(-1, 1, n, dtype=np.float32) for n in shape)
    margin = 1 - (y[:, None] ** 4 + x**4) ** 0.25
    inside: np.ndarray = margin - 0.2 + 0.12 * np.clip(4 * margin, 0, 1) * _waves(shape, min(shape) / 5, rng)
    return inside


def _glands(shape: tuple[int, ...], disorder: float, um: float, rng: np.random.Generator) -> Float32[np.ndarray, "y x"]:
    """Return how deep in a gland each point is (um, negative outside): discs on a jittered grid, bent by waves."""
    spacing = 150 - 80 * disorder
    rows, columns = (int(n * um / spacing) + 2 for n in shape)
    grid = np.indices((rows, columns)).reshape(2, -1).T
    shifted = grid + np.outer(grid[:, 0] % 2, (0, 0.5))
    centres = spacing * (shifted + (0.12 + 0.2 * disorder) * rng.uniform(-1, 1, grid.shape))
    radii = spacing * (0.4 + 0.04 * disorder) * rng.uniform(0.8, 1.1, len(centres))
    bend = (4 + 8 * disorder) * np.stack([_waves(shape, 30 / um, rng) for _ in range(2)], axis=-1)
    distance, nearest = KDTree(centres).query(np.moveaxis(np.indices(shape), 0, -1) * um + bend)
    depth: np.ndarray = radii[nearest] - distance
    return depth.astype(np.float32)


def _ground(
    layout: _Layout, mpp: float, rng: np.random.Generator
) -> tuple[Float32[np.ndarray, "h w"], Float32[np.ndarray, "h w"]]:
    """Draw everything but nuclei: fibrous stroma with clefts, the cytoplasm of glands; lumens stay empty."""
    shape, depth, um = layout.depth.shape, layout.depth, FINE * mpp
    rough, tone = _waves(shape, 5 / um, rng), _waves(shape, 60 / um, rng)
    fibres = _fibres(shape, um, rng)
    clefts = _step(_waves(shape, 14 / um, rng) + 0.4 * rough + 0.5 * fibres - 1.7, 0.8)
    epithelium = _step(depth, 1.5) * _step(EPITHELIUM - depth + rough, 3.0)
    tissue = _step(layout.inside - 0.01 * rough, 0.01)
    stroma = tissue * (1 - _step(depth, 1.5)) * (1 - 0.85 * clefts) * (1 - 0.6 * np.exp(-((depth + 1.2) ** 2)))
    eosin = stroma * (0.62 + 0.13 * fibres + 0.06 * rough + 0.08 * tone) + tissue * epithelium * (0.5 + 0.06 * rough)
    haematoxylin = 0.07 * stroma + tissue * epithelium * (0.32 + 0.06 * rough)
    return _enlarged(haematoxylin), _enlarged(eosin)


def _fibres(shape: tuple[int, ...], um: float, rng: np.random.Generator) -> Float32[np.ndarray, "y x"]:
    """Return streaks of about 3 by 25 um, in a direction that winds through the slide."""
    noise = rng.standard_normal((256, 256), dtype=np.float32)
    y, x = np.ogrid[: shape[0], : shape[1]]
    angle = rng.uniform(0, np.pi)
    across = (np.cos(angle) * y - np.sin(angle) * x) * um + 25 * _waves(shape, 120 / um, rng)
    along = (np.sin(angle) * y + np.cos(angle) * x) * um + 25 * _waves(shape, 120 / um, rng)
    streaks: np.ndarray = map_coordinates(noise, [across / 3, along / 25], order=1, mode="grid-wrap")
    return streaks


def _nuclei(layout: _Layout, tissue: Tissue, mpp: float, rng: np.random.Generator) -> Float32[np.ndarray, "h w"]:
    """Draw the nuclei: dense in epithelium, sparse in stroma, none in lumens."""
    shape = tuple(PATCH * n for n in tissue.atypia.shape)
    places, share = _places(layout, tissue, mpp, rng)
    banks = [_templates(phenotype, mpp, rng) for phenotype in (QUIET, ATYPICAL)]
    pad = max(bank.shape[1] for bank in banks) // 2
    canvas = np.zeros([n + 2 * pad for n in shape], dtype=np.float32)
    kinds, which = rng.random(len(places)) < share, rng.integers(TEMPLATES, size=len(places))
    for (y, x), kind, number in zip(places.tolist(), kinds.tolist(), which.tolist(), strict=True):
        template = banks[kind][number]
        reach = len(template) // 2
        window = canvas[y + pad - reach : y + pad + reach + 1, x + pad - reach : x + pad + reach + 1]
        np.maximum(window, template, out=window)
    return canvas[pad:-pad, pad:-pad]


def _places(
    layout: _Layout, tissue: Tissue, mpp: float, rng: np.random.Generator
) -> tuple[Int64[np.ndarray, "n 2"], Float64[np.ndarray, " n"]]:
    """Return the pixels (y, x) at which nuclei lie, and the share of atypical ones there."""
    grid = np.indices([int(n * PATCH * mpp / PITCH) for n in tissue.atypia.shape]).reshape(2, -1).T
    places = ((grid + rng.uniform(0.1, 0.9, grid.shape)) * PITCH / mpp).astype(np.int64)
    share = tissue.atypia[tuple(places.T // PATCH)]
    depth, inside = (field[tuple(places.T // FINE)] for field in (layout.depth, layout.inside))
    crowding = np.maximum(np.where(depth < 0, 0.22, 0.8), 0.6 * share)
    kept = (rng.random(len(places)) < crowding) & (depth < EPITHELIUM - 2) & (inside > 0.02)
    return places[kept], share[kept]


def _templates(phenotype: Phenotype, mpp: float, rng: np.random.Generator) -> Float32[np.ndarray, "n s s"]:
    """Draw single nuclei: wavy ellipses with clumped chromatin and a darker rim."""
    reach = int(np.ceil(1.9 * phenotype.radius / mpp))
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1] * mpp
    angle = np.arctan2(y, x)

    def vary(low: float, high: float) -> Float64[np.ndarray, "n 1 1"]:
        return rng.uniform(low, high, (TEMPLATES, 1, 1))

    turned, ratio = angle - vary(0.0, np.pi), vary(1.0, phenotype.elongation)
    radius = phenotype.radius * vary(0.8, 1.2) / np.sqrt(np.cos(turned) ** 2 / ratio + np.sin(turned) ** 2 * ratio)
    for waves in (2, 3, 4):
        wave = np.cos(waves * angle + vary(0.0, 2 * np.pi))
        radius = radius * (1 + phenotype.irregularity * vary(-1.0, 1.0) * wave)
    depth = radius - np.hypot(y, x)
    clumps = gaussian_filter(rng.standard_normal(depth.shape), (0, 0.55 / mpp, 0.55 / mpp))
    chromatin = 0.8 + 0.14 * clumps / clumps.std() + 0.25 * np.exp(-(((depth - 0.7) / 0.6) ** 2))
    nuclei: np.ndarray = phenotype.density * vary(0.8, 1.15) * _step(depth - 0.3, 1.2) * np.maximum(chromatin, 0)
    return nuclei.astype(np.float32)


def _waves(shape: tuple[int, ...], length: float, rng: np.random.Generator) -> Float32[np.ndarray, "y x"]:
    """Return smooth noise with a standard deviation near 1 and bumps of about ``length`` grid points."""
    few = rng.standard_normal([int(n / length) + 3 for n in shape], dtype=np.float32)
    return 1.5 * _resized(few, shape)


def _resized(field: Float32[np.ndarray, "y x"], shape: tuple[int, ...]) -> Float32[np.ndarray, "h w"]:
    """Return a field on another grid over the same area."""
    return np.asarray(Image.fromarray(field).resize((shape[1], shape[0]), Image.Resampling.BICUBIC))


def _enlarged(field: Float32[np.ndarray, "y x"]) -> Float32[np.ndarray, "h w"]:
    """Bring a stain from the fine grid to pixels; negative amounts become none."""
    stain: np.ndarray = np.maximum(field, 0)
    return stain.repeat(FINE, axis=0).repeat(FINE, axis=1)


def _step(field: Float[np.ndarray, "*shape"], width: float) -> Float[np.ndarray, "*shape"]:
    """Return 0 where a field is negative and 1 where it is positive, with a smooth transition of the given width."""
    t = np.clip(field / width + 0.5, 0, 1)
    smooth: np.ndarray = t * t * (3 - 2 * t)
    return smooth
