"""Readers of the formats that users already have: arrays, tables and splits, nothing about tasks.

``hiptbench.formats.inspect`` is imported by its own name.
"""

from hiptbench.formats.arrays import FeatureFile, problems
from hiptbench.formats.folders import feature_files, slide_id
from hiptbench.formats.reading import FEATURE_SUFFIXES, read_features
from hiptbench.formats.splits import SplitLists, read_splits
from hiptbench.formats.tables import read_table

__all__ = [
    "FEATURE_SUFFIXES",
    "FeatureFile",
    "SplitLists",
    "feature_files",
    "problems",
    "read_features",
    "read_splits",
    "read_table",
    "slide_id",
]
