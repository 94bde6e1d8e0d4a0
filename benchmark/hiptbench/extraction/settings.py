"""How features are made from slides, and the record of it that lies beside them."""

from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from typing import Any

import numpy as np

from hiptbench.code_hash import extractor_hash
from hiptbench.errors import ExtractorError
from hiptbench.extractors.base import FeatureExtractor, Level, about
from hiptbench.features import FeatureCard
from hiptbench.files import sha256_json
from hiptbench.registry import settings_of
from hiptbench.schema import Strict
from hiptbench.slides.grid import PATCH, REGION
from hiptbench.slides.slide import WHITE
from hiptbench.slides.tissue import TissueSettings

SIDES: dict[Level, int] = {"patch": PATCH, "region": REGION}

# Settings that say where something is or runs; what it comes to, hashes and the resolved precision, is recorded.
_PLACES = ("weights", "device", "precision", "model")


@dataclass(frozen=True, kw_only=True)
class TileSettings:
    """How slides are cut into tiles.

    Attributes:
        mpp: Pixel size of the tiles in micrometres.
        least_tissue: Least share of a tile that is tissue, 0 to 1.
        tissue: How tissue is found.
    """

    mpp: float = 0.5
    least_tissue: float = 0.1
    tissue: TissueSettings = field(default_factory=TissueSettings)

    def __post_init__(self) -> None:
        if not (0 < self.mpp < float("inf") and 0 <= self.least_tissue <= 1):
            raise ExtractorError(
                f"Tiles of {self.mpp:g} um a pixel with a tissue share of {self.least_tissue:g} cannot be: "
                "the size is above 0, the share from 0 to 1."
            )


class Extraction(Strict):
    """Everything that decides the values of a feature set besides the slides; lies beside them in a file.

    Attributes:
        extractor: Name of the extractor.
        encoder: The network, in words.
        level: What one row of the features stands for.
        dim: Length of a vector.
        settings: The extractor's settings.
        details: What else it says about itself, such as normalisation, device and precision.
        pretrained_on: Data sets that it was trained on.
        weights_sha256: Name of each weights file to its SHA-256.
        side: Largest side of a tile in pixels.
        square: Whether tiles are square on slides smaller than one too, as heads that read a region's patches need.
        tiles: How slides were cut into tiles.
        source_hash: SHA-256 over the sources of the extractor, its networks, and how slides are read.
        hiptbench: Version of this package.
    """

    extractor: str
    encoder: str
    level: Level
    dim: int
    settings: dict[str, Any]
    details: dict[str, Any]
    pretrained_on: tuple[str, ...]
    weights_sha256: dict[str, str]
    side: int
    square: bool
    tiles: dict[str, Any]
    source_hash: str
    hiptbench: str

    @property
    def sha256(self) -> str:
        """Hash of all of it."""
        return sha256_json(self.model_dump(mode="json"))

    def card(self, *, source: str, synthetic: bool) -> FeatureCard:
        """Return the card of the features.

        Args:
            source: Name of the file that this record lies in.
            synthetic: Whether a slide was drawn rather than scanned.
        """
        return FeatureCard(
            name=self.extractor,
            encoder=self.encoder,
            level=self.level,
            dim=self.dim,
            pixel_size_um=self.tiles["mpp"],
            pretrained_on=self.pretrained_on,
            weights_sha256=" ".join(self.weights_sha256.values()) or None,
            source="hiptbench extract",
            definition=f"{source} says how it was made, sha256 {self.sha256}",
            synthetic=synthetic,
        )


def describe(extractor: FeatureExtractor, tiles: TileSettings, *, square: bool = False) -> Extraction:
    """Return the record of an extraction.

    Args:
        extractor: The extractor.
        tiles: How slides are cut.
        square: Whether tiles are square whatever the extractor.

    Raises:
        ExtractorError: If the extractor's weights cannot be loaded.
        HeadError: If its settings cannot be stored.
    """
    said = about(extractor)
    return Extraction(
        extractor=extractor.name,
        encoder=said.encoder,
        level=extractor.level,
        dim=extractor.dim,
        settings=_without_places(settings_of(extractor)),
        details=dict(said.details),
        pretrained_on=said.pretrained_on,
        weights_sha256=dict(said.weights_sha256),
        side=SIDES[extractor.level],
        square=square or gives_patches(extractor),
        tiles=asdict(tiles),
        source_hash=extractor_hash(*_modules(extractor)),
        hiptbench=version("hiptbench"),
    )


def gives_patches(extractor: FeatureExtractor) -> bool:
    """Whether an extractor gives vectors of a region's patches rather than one of the region; it is tried on white."""
    return extractor.extract(np.full((1, PATCH, PATCH, 3), WHITE, np.uint8)).ndim == 3


def _modules(extractor: FeatureExtractor) -> set[str]:
    """Return the modules of an extractor and of the one that it wraps, if any."""
    wrapped = getattr(extractor, "of", None)
    return {type(one).__module__ for one in (extractor, wrapped) if isinstance(one, FeatureExtractor)}


def _without_places(settings: dict[str, Any]) -> dict[str, Any]:
    return {
        name: _without_places(value) if isinstance(value, dict) else value
        for name, value in settings.items()
        if name not in _PLACES
    }
