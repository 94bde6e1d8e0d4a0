"""A folder of features in the making: the record of how, the card, and a file for each slide."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from hiptbench.errors import ExtractorError, name_some
from hiptbench.extraction.files import read_fingerprint, write_file
from hiptbench.extraction.settings import Extraction
from hiptbench.features import CARD
from hiptbench.files import sha256_json, write_text
from hiptbench.schema import dump_yaml, read_yaml
from hiptbench.slides.grid import Grid
from hiptbench.slides.slide import Slide

RECORD = "extraction.yaml"


@dataclass(frozen=True)
class FeatureFolder:
    """Where the features of an extraction go.

    Attributes:
        path: The folder.
        record: How its features are made.
    """

    path: Path
    record: Extraction

    def prepare(self) -> None:
        """Write the record and the card, unless they are there.

        Raises:
            ExtractorError: If the features there were made otherwise, what differs being named, or nobody knows how.
            StoreError: If the folder cannot be written.
        """
        record = self.path / RECORD
        if record.exists():
            self._check_same(read_yaml(record, Extraction))
        else:
            self._check_empty()
            write_text(record, dump_yaml(self.record))
        if not (self.path / CARD).exists():
            self._write_card(synthetic=False)

    def has(self, slide: Slide) -> bool:
        """Whether the features of this slide are there, whole and made in this way."""
        return read_fingerprint(self._file(slide)) == self._fingerprint(slide)

    def write(self, slide: Slide, grid: Grid, features: Float32[np.ndarray, "n *tail"]) -> None:
        """Write the features of a slide.

        Raises:
            StoreError: If the folder cannot be written.
        """
        if slide.pixels.synthetic:
            self._write_card(synthetic=True)  # before the features, which must never pass for real ones
        encoder, fingerprint = self.record.extractor, self._fingerprint(slide)
        write_file(self._file(slide), slide, grid, features, encoder=encoder, fingerprint=fingerprint)

    def _check_empty(self) -> None:
        if found := sorted(path.name for path in self.path.glob("*.h5")):
            raise ExtractorError(
                f"{self.path} holds features ({name_some(found)}) without {RECORD}, so that nobody knows how they were "
                "made. Features of two kinds are not mixed: take another folder."
            )

    def _check_same(self, there: Extraction) -> None:
        old, new = there.model_dump(mode="json"), self.record.model_dump(mode="json")
        if differing := [f"{name} was {old[name]} and is {new[name]}" for name in new if old[name] != new[name]]:
            raise ExtractorError(
                f"The features in {self.path} were made otherwise: {name_some(differing)}. Features of two kinds are "
                "not mixed: take another folder."
            )

    def _file(self, slide: Slide) -> Path:
        return self.path / f"{slide.id}.h5"

    def _fingerprint(self, slide: Slide) -> str:
        return sha256_json([slide.pixels.identity, slide.mpp, self.record.sha256])

    def _write_card(self, *, synthetic: bool) -> None:
        write_text(self.path / CARD, dump_yaml(self.record.card(source=RECORD, synthetic=synthetic)))
