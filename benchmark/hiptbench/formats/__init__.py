"""Readers of the formats that users already have: arrays, tables and splits, nothing about tasks.

``inspect``, ``splits`` and ``tables`` are imported by their own names: they need pandas, reading features does not.
"""

from hiptbench.formats.arrays import FeatureFile, problems
from hiptbench.formats.folders import feature_files, slide_id
from hiptbench.formats.reading import FEATURE_SUFFIXES, read_features

__all__ = [
    "FEATURE_SUFFIXES",
    "FeatureFile",
    "feature_files",
    "problems",
    "read_features",
    "slide_id",
]
