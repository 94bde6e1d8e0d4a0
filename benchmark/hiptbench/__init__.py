"""Benchmark and evaluation harness for slide-level computational pathology.

The public API by name; each name is imported when it is first used, so that importing the package costs nothing.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hiptbench.api import evaluate, leaderboard
    from hiptbench.bags import Bag
    from hiptbench.errors import HiptbenchError
    from hiptbench.extraction.arrays import extract_arrays
    from hiptbench.extraction.run import extract_slides
    from hiptbench.extraction.settings import TileSettings
    from hiptbench.extractors.base import FeatureExtractor
    from hiptbench.features import FeatureCard, FeatureSet, write_features
    from hiptbench.heads.base import Fitted, Head
    from hiptbench.heads.models.base import MILModel, Output, PoolingModel
    from hiptbench.heads.pooling import mean_vectors
    from hiptbench.heatmaps.run import draw_heatmaps
    from hiptbench.predictions import Prediction
    from hiptbench.slides.opening import find_slides, open_slide
    from hiptbench.sources.own import Columns, create_task
    from hiptbench.splits import Split
    from hiptbench.suites import Suite, load_suite
    from hiptbench.targets import Labels, Survival
    from hiptbench.tasks import Task

__all__ = [
    "Bag",
    "Columns",
    "FeatureCard",
    "FeatureExtractor",
    "FeatureSet",
    "Fitted",
    "Head",
    "HiptbenchError",
    "Labels",
    "MILModel",
    "Output",
    "PoolingModel",
    "Prediction",
    "Split",
    "Suite",
    "Survival",
    "Task",
    "TileSettings",
    "create_task",
    "draw_heatmaps",
    "evaluate",
    "extract_arrays",
    "extract_slides",
    "find_slides",
    "leaderboard",
    "load_suite",
    "mean_vectors",
    "open_slide",
    "write_features",
]

_HOMES = {
    "Bag": "bags",
    "Columns": "sources.own",
    "FeatureCard": "features",
    "FeatureExtractor": "extractors.base",
    "FeatureSet": "features",
    "Fitted": "heads.base",
    "Head": "heads.base",
    "HiptbenchError": "errors",
    "Labels": "targets",
    "MILModel": "heads.models.base",
    "Output": "heads.models.base",
    "PoolingModel": "heads.models.base",
    "Prediction": "predictions",
    "Split": "splits",
    "Suite": "suites",
    "Survival": "targets",
    "Task": "tasks",
    "TileSettings": "extraction.settings",
    "create_task": "sources.own",
    "draw_heatmaps": "heatmaps.run",
    "evaluate": "api",
    "extract_arrays": "extraction.arrays",
    "extract_slides": "extraction.run",
    "find_slides": "slides.opening",
    "leaderboard": "api",
    "load_suite": "suites",
    "mean_vectors": "heads.pooling",
    "open_slide": "slides.opening",
    "write_features": "features",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'hiptbench' has no attribute '{name}'")
    return getattr(importlib.import_module(f"hiptbench.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
