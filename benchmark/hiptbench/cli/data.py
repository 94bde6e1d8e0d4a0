"""The verb ``data``: everything that brings labels, splits and features into the data home."""

import json
from collections.abc import Mapping
from pathlib import Path

import click

from hiptbench.cli.common import DIRECTORY, Verbs, format_option, home_option, progress, say
from hiptbench.errors import SourceError, name_some

_FEATURES = "hipt_vit4k_region"


@click.group(cls=Verbs)
def data() -> None:
    """Import, fetch, make, inspect and pack data.

    \b
    Examples:
      hiptbench data fetch && hiptbench data import
      hiptbench data inspect features/
    """


@data.command("fetch")
@click.option("--out", type=click.Path(path_type=Path), help="Where the checkouts go [default: HOME/checkouts].")
@click.option("--mirror", help="URL prefix to use instead of https://github.com.")
@home_option
def fetch_verb(out: Path | None, mirror: str | None, home: Path | None) -> None:
    """Get the public checkouts of HIPT and PORPOISE with git; run it again to resume.

    \b
    Example:
      hiptbench data fetch && hiptbench data import
    """
    from hiptbench import rooms
    from hiptbench.sources.fetch import fetch

    for name, folder in fetch(out or rooms.home(home) / "checkouts", mirror=mirror, on_line=say).items():
        click.echo(f"{name}: {folder}")


@data.command("import")
@click.option("--hipt", type=DIRECTORY, help="Checkout of mahmoodlab/HIPT [default: what `data fetch` got].")
@click.option("--embeddings", type=DIRECTORY, help="Checkout of HIPT that holds the embeddings [default: --hipt].")
@click.option("--porpoise", type=DIRECTORY, help="Checkout of mahmoodlab/PORPOISE [default: what `data fetch` got].")
@click.option("--verify", is_flag=True, help="Read every feature file again, whatever its size and time say.")
@home_option
def import_verb(
    hipt: Path | None, embeddings: Path | None, porpoise: Path | None, verify: bool, home: Path | None
) -> None:
    """Build labels, splits and region embeddings of HIPT's tasks and check them against the registry.

    These are the nine as published (suite hipt-2022), with what is wrong in print mended (hipt-2022-corrected), and
    tested on institutions that were not trained on (hipt-2022-sites). What is known without a slide becomes features,
    too: age with sex (tcga_clinical), the site's code (tcga_site) and the institution behind it (tcga_institution).

    Without the embeddings, the tasks are imported all the same, for features of your own.

    \b
    Examples:
      hiptbench data import                                    # after `hiptbench data fetch`
      hiptbench data import --hipt ../HIPT --porpoise ../PORPOISE
    """
    from hiptbench import rooms
    from hiptbench.cli.import_report import tell_features, tell_suite, write_import_report
    from hiptbench.sources.covariates import import_covariates
    from hiptbench.sources.importing import SUITES, default_checkouts, import_features, import_tasks
    from hiptbench.suites import load_suite

    checkouts, features_from = default_checkouts(hipt, porpoise, embeddings, home)
    built = import_tasks(SUITES, checkouts, home)
    for suite in map(load_suite, SUITES):
        tell_suite(suite, [one for one in built if one.task.name in suite.tasks])
    click.echo(f"what is known without a slide, as features: {', '.join(import_covariates(checkouts, built, home))}")
    imported = None
    try:
        with progress("region embeddings") as on_file:
            imported = import_features(_FEATURES, features_from, built, home=home, verify=verify, on_file=on_file)
        tell_features(imported)
    except SourceError as error:
        say(
            f"{_FEATURES}: MISSING. {error}\n"
            "    The tasks are ready without them: `hiptbench run --features DIR` takes features of your own. For the "
            "published ones run `hiptbench data fetch` or name a checkout with --embeddings, then import again."
        )
    finally:
        report = write_import_report(rooms.home(home), built, imported)
        click.echo(f"Every unit left out, and why: {report}")


@data.command("make")
@click.option("--suite", help="Every task of this suite.")
@click.option("--task", "tasks", multiple=True, help="One task; may be repeated.")
@home_option
def make_verb(suite: str | None, tasks: tuple[str, ...], home: Path | None) -> None:
    """Make the data of embedded tasks: simulated cohorts and bags of digits.

    \b
    Examples:
      hiptbench data make --suite hipt-2022-synthetic
      hiptbench data make --task digits_bags
    """
    from hiptbench.sources.materialise import materialise
    from hiptbench.suites import load_suite

    names = tuple(dict.fromkeys([*tasks, *(load_suite(suite).tasks if suite else ())]))
    if not names:
        raise click.UsageError("Say what to make: --suite, such as hipt-2022-synthetic, or --task.")
    with progress("making data") as step:
        for done, name in enumerate(names, start=1):
            materialise(name, home)
            step(done, len(names))
    click.echo(f"made with their features: {name_some(names)}")


@data.command("synth-slides")
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--slides", default=96, show_default=True, help="How many, an even number.")
@click.option("--side", default=2048, show_default=True, help="Height and width in pixels, a multiple of 256.")
@click.option("--mpp", default=0.5, show_default=True, help="Pixel size in um.")
@click.option("--signal", default="cell", show_default=True, help="What shows the grade: cell, patch or region.")
@click.option("--strength", default=1.0, show_default=True, help="How far the grades lie apart, 0 to 1.")
@click.option("--variation", default=1.0, show_default=True, help="How much stain and scanner vary, 0 to 2.")
@click.option("--seed", default=1, show_default=True, help="Seed of everything random.")
def synth_slides_verb(
    out: Path, slides: int, side: int, mpp: float, signal: str, strength: float, variation: float, seed: int
) -> None:
    """Draw slides that look like H&E into OUT, with labels and survival planted: slides/, labels.csv, slides.yaml.

    \b
    Examples:
      hiptbench data synth-slides drawn
      hiptbench data synth-slides drawn --slides 24 --signal patch --strength 0.5
    """
    from hiptbench.slides.synthetic import SyntheticSlides, write_synthetic_slides

    settings = SyntheticSlides(
        slides=slides, side=side, mpp=mpp, signal=signal, strength=strength, variation=variation, seed=seed
    )
    with progress("drawing slides") as step:
        write_synthetic_slides(out, settings, on_slide=step)
    click.echo(f"{slides} slides, labels.csv and slides.yaml: {out}")


@data.command("inspect")
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@format_option("text", "json")
def inspect_verb(path: Path, form: str) -> None:
    """Say what a feature file or folder is: layout, dimensions, counts and problems.

    \b
    Examples:
      hiptbench data inspect features/
      hiptbench data inspect features/slide1.h5 --format json
    """
    from hiptbench.formats.inspect import inspect

    with progress("reading") as on_file:
        found = inspect(path, on_file=on_file)
    if form == "json":
        click.echo(json.dumps(found.to_dict(), indent=1))
        return
    click.echo(f"path: {found.path}\nfiles: {found.files}")
    click.echo(f"layout: {_tally(found.layouts)}\nvalues in a row: {_tally(found.dims)}")
    click.echo(f"dtype: {_tally(found.dtypes)}\nwith coordinates: {found.with_coords} files")
    if found.rows:
        click.echo(f"rows a file: {found.rows.min} to {found.rows.max}, median {found.rows.median:g}")
    click.echo(f"files with problems: {len(found.problems) or 'none'}")
    for slide, texts in found.problems.items():
        click.echo(f"    {slide}: {'; '.join(texts)}")


@data.command("pack")
@click.argument("folder", type=DIRECTORY)
@click.option("--verify", is_flag=True, help="Read and hash every file again.")
@home_option
def pack_verb(folder: Path, verify: bool, home: Path | None) -> None:
    """Pack a folder of feature files into one memory-mapped file; `run` does it by itself.

    \b
    Example:
      hiptbench data pack features/ --verify
    """
    from hiptbench.feature_sources import packed

    with progress("packing") as on_file:
        features, path, report = packed(folder, home, verify=verify, on_file=on_file)
    if report is None:
        click.echo(f"{path} is a pack already")
        return
    click.echo(f"{len(features)} slides, {report.read} read, {report.reused} unchanged, {len(report.changed)} changed")
    click.echo(f"pack: {path}")
    click.echo(f"content hash: {features.content_hash(list(features))}")


def _tally(counts: Mapping[str, int]) -> str:
    """Return each value with the number of files that have it."""
    return ", ".join(f"{value} ({files} files)" for value, files in counts.items() if files) or "none"
