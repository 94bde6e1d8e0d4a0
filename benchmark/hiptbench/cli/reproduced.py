"""The verb ``reproduced``."""

from pathlib import Path

import click

from hiptbench.cli.common import format_option, home_option, results_option, say


@click.command()
@results_option
@home_option
@format_option("text", "json", "md")
def reproduced(store: Path | None, home: Path | None, form: str) -> None:
    """Say which published values our own training reproduces, and by how much each fold differs.

    It also holds our recipe `fast` against the published one.

    Seeds, tolerances and the values to reproduce were fixed in advance, in results/published/reproduction.yaml. The
    fold differences need the authors' per-fold files: `hiptbench results import-hipt DIR`.

    \b
    Examples:
      hiptbench run --suite hipt-2022 --baseline hipt_gp_hipt2022 --seed 1 --seed 2 --seed 3 --seed 4 --seed 5
      hiptbench reproduced
      hiptbench reproduced --store results --format md
    """
    from hiptbench import rooms
    from hiptbench.claims import read_reproduction
    from hiptbench.equivalence import compare
    from hiptbench.export import open_results
    from hiptbench.published_rows import load_published
    from hiptbench.reproduction import report
    from hiptbench.reproduction_text import to_json, to_markdown, to_text

    path = rooms.store(store, home_path=home)
    rows = open_results(path).rows()
    folds = load_published(path) or load_published(rooms.store(home_path=home))
    stated = read_reproduction()
    groups = report(stated, rows, folds)
    if not folds:
        say("`hiptbench results import-hipt` gives the fold differences and the published values never printed.")
    click.echo(
        {"text": to_text, "json": to_json, "md": to_markdown}[form](stated, groups, compare(stated, rows)), nl=False
    )
