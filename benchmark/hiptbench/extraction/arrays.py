"""Run an extractor over images and write a feature set."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from hiptbench.extraction.run import checked
from hiptbench.extractors.base import FeatureExtractor, about
from hiptbench.features import FeatureCard, FeatureSet, write_features


def extract_arrays(
    extractor: FeatureExtractor, slides: Mapping[str, UInt8[np.ndarray, "n h w 3"]], out: str | Path
) -> FeatureSet:
    """Extract features of images that are already in memory.

    Args:
        extractor: Any object that keeps the contract of ``FeatureExtractor``.
        slides: Slide id to its regions or patches, RGB, 0 to 255.
        out: The folder to write.

    Returns:
        The feature set.

    Raises:
        FeatureError: If the extractor returns another shape than it promises.
    """
    made = {slide: checked(extractor, images) for slide, images in slides.items()}
    said = about(extractor)
    card = FeatureCard(
        name=extractor.name,
        encoder=said.encoder,
        level=extractor.level,
        dim=extractor.dim,
        pretrained_on=said.pretrained_on,
        weights_sha256=" ".join(said.weights_sha256.values()) or None,
        source="extract_arrays",
    )
    write_features(Path(out), card, made)
    return FeatureSet.open(out)
