"""Run an extractor over images and write a feature set."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from hiptbench.errors import FeatureError
from hiptbench.extractors.base import FeatureExtractor
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
    made: dict[str, np.ndarray] = {}
    for slide, images in slides.items():
        made[slide] = np.asarray(extractor.extract(images), dtype=np.float32)
        if made[slide].shape != (len(images), extractor.dim):
            raise FeatureError(
                f"{extractor.name} returned shape {made[slide].shape} for the {len(images)} images of {slide}; "
                f"it promises ({len(images)}, {extractor.dim})."
            )
    card = FeatureCard(name=extractor.name, encoder=extractor.name, level=extractor.level, source="extract_arrays")
    write_features(Path(out), card, made)
    return FeatureSet.open(out)
