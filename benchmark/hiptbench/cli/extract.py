"""The verbs ``extract`` and ``tile``: from slides to features, and a look at what would be taken from them."""

import sys
from collections.abc import Mapping
from pathlib import Path

import click

from hiptbench.cli.common import say
from hiptbench.cli.slide_options import extractor_of, network_options, tile_options

BROKEN = 3
"""Exit code when some slides gave no features."""

_SLIDES = click.argument("slides", nargs=-1, required=True, type=click.Path(path_type=Path))


@click.command()
@_SLIDES
@click.option("--extractor", required=True, help="hipt, vit256, resnet50, random, mean:NAME, transformers:MODEL, ...")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder of the features.")
@click.option("--keep-patches", type=click.Path(path_type=Path), help="Keep hipt's vectors of patches in this folder.")
@click.option("--pretrained-on", multiple=True, help="A data set that the encoder of an adapter was trained on.")
@network_options
@tile_options
def extract(
    slides: tuple[Path, ...],
    extractor: str,
    out: Path,
    weights: str | None,
    random_weights: bool,
    keep_patches: Path | None,
    pretrained_on: tuple[str, ...],
    device: str | None,
    precision: str | None,
    target_mpp: float,
    mpp: float | None,
    least_tissue: float,
) -> None:
    """Turn SLIDES, files or folders of them, into features: one HDF5 file each, as CLAM and TRIDENT write them.

    What is done already is skipped, so a run that was cut off goes on where it was. A slide that cannot be read is
    reported at the end, with exit code 3, and costs nothing else.

    \b
    Examples:
      hiptbench extract slides --extractor hipt --weights HIPT/HIPT_4K/Checkpoints --out hipt_features
      hiptbench extract slides --extractor resnet50 --weights resnet50-19c8e357.pth --out resnet_features
      hiptbench extract slides --extractor mean:resnet50 --weights resnet50-19c8e357.pth --out mean_features
      hiptbench extract slides --extractor transformers:owkin/phikon --pretrained-on TCGA --out phikon_features
      hiptbench extract slides --extractor my_encoders:Mine --out my_features
    """
    from hiptbench.cli.extract_display import extract_display
    from hiptbench.extraction.run import extract_slides
    from hiptbench.extraction.settings import TileSettings
    from hiptbench.slides.opening import find_slides

    made = extractor_of(
        extractor,
        weights=weights,
        random_weights=random_weights,
        device=device,
        precision=precision,
        pretrained_on=pretrained_on,
    )
    tiles = TileSettings(mpp=target_mpp, least_tissue=least_tissue)
    found = find_slides(*slides)
    with extract_display() as show:
        report = extract_slides(found, made, out, patches_out=keep_patches, tiles=tiles, mpp=mpp, on_step=show)
    tiles_made = sum(report.done.values())
    click.echo(f"{len(report.done)} slides extracted ({tiles_made} tiles), {len(report.skipped)} were done: {out}")
    _end(report.broken)


@click.command()
@_SLIDES
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder of coordinates and pictures.")
@click.option("--level", type=click.Choice(["region", "patch"]), default="region", show_default=True, help="Tile size.")
@tile_options
def tile(
    slides: tuple[Path, ...], out: Path, level: str, target_mpp: float, mpp: float | None, least_tissue: float
) -> None:
    """Write the tiles of SLIDES, files or folders of them: coordinates as TRIDENT does, and a picture to look at.

    \b
    Examples:
      hiptbench tile slides --out tiles
      hiptbench tile slides/a.svs --level patch --least-tissue 0.5 --out tiles
    """
    from hiptbench.cli.common import progress
    from hiptbench.extraction.settings import SIDES, TileSettings
    from hiptbench.extraction.tiling import tile_slides
    from hiptbench.slides.opening import find_slides

    settings = TileSettings(mpp=target_mpp, least_tissue=least_tissue)
    found = find_slides(*slides)
    with progress("slides") as step:
        side = SIDES["patch" if level == "patch" else "region"]
        report = tile_slides(found, out, side=side, tiles=settings, mpp=mpp, on_slide=step)
    click.echo("tiles  tissue  slide")
    for slide, (count, share) in report.done.items():
        click.echo(f"{count:>5}  {share:>6.1%}  {slide}")
    _end(report.broken)


def _end(broken: Mapping[str, str]) -> None:
    """Report the slides that are broken, and leave with the exit code for them."""
    for slide, reason in broken.items():
        say(f"Broken: {slide}: {reason}")
    if broken:
        say(f"{len(broken)} slides are broken; the others are done.")
        sys.exit(BROKEN)
