"""The verb ``report``."""

from pathlib import Path

import click

from hiptbench.cli.common import home_option, progress, results_option


@click.command()
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The folder to write the pages into.")
@click.option("--suite", help="Only this suite.")
@results_option
@home_option
def report(out: Path, suite: str | None, store: Path | None, home: Path | None) -> None:
    """Write the leaderboard as pages to look at: intervals, verdicts, curves, and a card behind every number.

    The pages need no server and no network: open index.html. An export is drawn as it is; of a store everything is
    derived first, which takes the tasks' data.

    \b
    Examples:
      hiptbench report --out report
      hiptbench report --store results --out report
    """
    from hiptbench import rooms
    from hiptbench.export import open_results
    from hiptbench.report.derive import derive
    from hiptbench.report.site import write_site
    from hiptbench.report.stored import FILE, only, read_data

    path = rooms.store(store, home_path=home)
    results = open_results(path)
    if (path / FILE).is_file():
        data = read_data(path)
    else:
        with progress("panels") as step:
            data = derive(results, home, on_panel=step)
    pages = write_site(only(data, suite) if suite else data, out)
    click.echo(f"{len(pages)} pages written: open {out / 'index.html'}")
