"""The verb ``heatmap``."""

from pathlib import Path

import click

from hiptbench.cli.common import DIRECTORY, progress
from hiptbench.cli.slide_options import extractor_of, network_options, tile_options


@click.command()
@click.argument("slide", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), default="heatmaps", show_default=True, help="Where it goes.")
@click.option(
    "--model", type=DIRECTORY, help="Folder of a head kept by `run --keep-models`, of hipt or vit256 features."
)
@network_options
@tile_options
def heatmap(
    slide: Path,
    out: Path,
    model: Path | None,
    weights: str | None,
    random_weights: bool,
    device: str | None,
    precision: str | None,
    target_mpp: float,
    mpp: float | None,
    least_tissue: float,
) -> None:
    """Draw what HIPT attends to on SLIDE: cells, patches and both; with --model also what a trained head attends to.

    Pictures (PNG) over the slide, and their values with coordinates (HDF5). Attention is relative to the average: to a
    cell within its patch, to a patch within its region, to a region within the slide.

    \b
    Examples:
      hiptbench heatmap slides/a.svs --weights HIPT/HIPT_4K/Checkpoints
      hiptbench heatmap slides/a.svs --weights HIPT/HIPT_4K/Checkpoints --model store/kept/0f/0f3a --out maps
    """
    from hiptbench.extraction.settings import TileSettings
    from hiptbench.extractors.hipt import HIPT
    from hiptbench.heatmaps.run import draw_heatmaps

    hipt = extractor_of("hipt", weights=weights, random_weights=random_weights, device=device, precision=precision)
    assert isinstance(hipt, HIPT)
    tiles = TileSettings(mpp=target_mpp, least_tissue=least_tissue)
    with progress("regions") as step:
        paths = draw_heatmaps(slide, hipt, out, model=model, tiles=tiles, mpp=mpp, on_region=step)
    for path in paths:
        click.echo(path)
