"""The verb ``figure``."""

from pathlib import Path

import click

from hiptbench.cli.common import home_option, results_option, say


@click.command()
@results_option
@home_option
@click.option("--suite", help="Only this suite.")
@click.option("--kind", type=click.Choice(["measured", "published", "synthetic"]), help="Only rows of this kind.")
@click.option(
    "--plot",
    type=click.Choice(["board", "efficiency"]),
    default="board",
    show_default=True,
    help="Methods as rows of dots, or as lines over training fractions.",
)
@click.option(
    "--fraction-rule",
    type=click.Choice(["suite", "patients"]),
    default="suite",
    show_default=True,
    help="Show training fractions drawn as the suite does, or by whole patients.",
)
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The .svg, .pdf or .png to write."
)
def figure(
    store: Path | None, home: Path | None, suite: str | None, kind: str | None, plot: str, fraction_rule: str, out: Path
) -> None:
    """Draw the leaderboard: a panel a task, a row a method, beside the published values that we reproduce.

    The same numbers give the same file, byte for byte. Numbers of incomplete cohorts are never drawn.

    \b
    Examples:
      hiptbench figure --out board.svg
      hiptbench figure --store results --suite hipt-2022 --out board.pdf
      hiptbench figure --plot efficiency --fraction-rule patients --out efficiency.svg
    """
    from hiptbench import rooms
    from hiptbench.cli.stores import refuse_unknown
    from hiptbench.export import open_results
    from hiptbench.figures import content_of, format_of, published_values, select, values_missing, write_figure
    from hiptbench.published_rows import load_published

    format_of(out)  # before anything is read
    path = rooms.store(store, home_path=home)
    results = open_results(path)
    chosen = select(results, suite=suite, kind=kind, by_patients=fraction_rule == "patients")
    for note in chosen.notes:
        say(note)
    if not chosen.cells:
        refuse_unknown(results, suite, ())
    published = published_values(load_published(path) or load_published(rooms.store(home_path=home)))
    if missing := values_missing(chosen.cells, published):
        say(f"{missing} published values were never printed: `hiptbench results import-hipt` gives them.")
    write_figure(content_of(chosen.cells, published), out, "efficiency" if plot == "efficiency" else "board")
    say(f"written to {out}")
