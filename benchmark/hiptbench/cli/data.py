"""The verb ``data``: everything that brings labels, splits and features into the data home."""

import json
from pathlib import Path

import click

from hiptbench.cli.common import DIRECTORY, format_option, home_option, progress, some


@click.group()
def data() -> None:
    """Import, fetch, make, inspect and pack data."""


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

    folders = fetch(
        out or rooms.home(home) / "checkouts", mirror=mirror, on_line=lambda line: click.echo(line, err=True)
    )
    for name, folder in folders.items():
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
    """Build labels, splits and region embeddings of HIPT's nine tasks and check them against the registry.

    \b
    Examples:
      hiptbench data import                                    # after `hiptbench data fetch`
      hiptbench data import --hipt ../HIPT --porpoise ../PORPOISE
    """
    from hiptbench.sources.importing import default_checkouts, import_features, import_tasks

    checkouts, features_from = default_checkouts(hipt, porpoise, embeddings, home)
    built = import_tasks("hipt-2022", checkouts, home)
    for one in built:
        expected = one.task.spec.expected.model_dump(exclude_none=True)
        click.echo(f"{one.task.name}: " + ", ".join(f"{name} {count}" for name, count in expected.items()))
        for part in one.dropped:
            click.echo(f"    left out {len(part.names)}: {part.reason} ({some(part.names)})")
    with progress("region embeddings") as on_file:
        imported = import_features("hipt_vit4k_region", features_from, built, home=home, verify=verify, on_file=on_file)
    report = imported.report
    click.echo(f"hipt_vit4k_region: {len(imported.features)} slides, {report.read} read, {report.reused} unchanged")
    if imported.missing:
        click.echo(
            f"    MISSING {len(imported.missing)} slides of the tasks ({some(imported.missing)}): those tasks run with "
            "--allow-missing only, and are never ranked with complete ones"
        )
    else:
        click.echo("    complete, and equal to the published values (content hash)")


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

    names = (*tasks, *(load_suite(suite).tasks if suite else ()))
    if not names:
        raise click.UsageError("give --suite or --task")
    with progress("making data") as step:
        for done, name in enumerate(names, start=1):
            materialise(name, home)
            step(done, len(names))
    click.echo(f"made {len(names)} tasks with their features")


@data.command("inspect")
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@format_option("text", "json")
def inspect_verb(path: Path, form: str) -> None:
    """Say what a feature file or folder is: layout, dimensions, counts and problems.

    \b
    Example:
      hiptbench data inspect features/ --format json
    """
    from hiptbench.formats.inspect import inspect

    with progress("reading") as on_file:
        found = inspect(path, on_file=on_file).to_dict()
    if form == "json":
        click.echo(json.dumps(found, indent=1))
        return
    problems = found.pop("problems")
    for name, value in found.items():
        click.echo(f"{name}: {value}")
    click.echo(f"problems: {len(problems) or 'none'}")
    for slide, texts in problems.items():
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
