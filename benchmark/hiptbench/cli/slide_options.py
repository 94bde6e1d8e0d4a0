"""Options that the verbs on slides share: how slides are cut, and how a network runs."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from hiptbench.cli.common import find_own_modules

if TYPE_CHECKING:
    from hiptbench.extractors.base import FeatureExtractor

Function = TypeVar("Function", bound=Callable[..., Any])


def tile_options(function: Function) -> Function:
    """Add --target-mpp, --mpp and --least-tissue: how slides are cut."""
    for option in (
        click.option("--least-tissue", default=0.1, show_default=True, help="Least share of a tile that is tissue."),
        click.option("--mpp", type=float, help="Pixel size of slides that do not say it, in um (20x: about 0.5)."),
        click.option("--target-mpp", default=0.5, show_default=True, help="Pixel size of the tiles in um."),
    ):
        function = option(function)
    return function


def extractor_of(name: str, **options: object) -> "FeatureExtractor":
    """Make an extractor from those of the options that were given; one of one's own may lie in the working folder."""
    from hiptbench.registry import make_extractor

    find_own_modules()
    return make_extractor(name, {option: value for option, value in options.items() if value})


def network_options(function: Function) -> Function:
    """Add --weights, --random-weights, --device and --precision: how a network runs."""
    for option in (
        click.option("--precision", help="auto, float32 or bfloat16  [default: auto, what the device is fast in]."),
        click.option("--device", help="auto, cpu, cuda or mps  [default: auto]."),
        click.option("--random-weights", is_flag=True, help="Do without weights; what is made says so."),
        click.option("--weights", help="Weights file, or a folder with files of the published names."),
    ):
        function = option(function)
    return function
