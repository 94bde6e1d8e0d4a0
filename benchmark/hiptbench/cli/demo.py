"""The verb ``demo``: everything, on embedded data."""

import sys
from pathlib import Path

import click

from hiptbench.cli.common import progress, say


@click.command()
@click.option("--out", type=click.Path(path_type=Path), default=Path(".demo"), show_default=True, help="Where it goes.")
@click.option("--executor", default="processes", show_default=True, help="serial, processes[:N] or dask:local[:N].")
def demo(out: Path, executor: str) -> None:
    """Run the probes on simulated cohorts of all nine tasks and on bags of real digits; downloads nothing.

    \b
    Example:
      hiptbench demo --out my_demo && cat my_demo/leaderboard.csv
    """
    from hiptbench.cli.terminal import board_text
    from hiptbench.demo import run_demo

    with progress("demo") as step:
        shown = run_demo(out, executor=executor, on_step=step)
    click.echo(board_text(shown.board.cells))
    click.echo(shown.against_oracle)
    click.echo(f"leaderboard: {out / 'leaderboard.csv'}")
    if shown.tracked.failure:
        say(f"MLflow: {shown.tracked.failure}. The results are in {out / 'store'} all the same.")
    else:
        ui = f"{sys.executable} -m mlflow ui --backend-store-uri {shown.tracked.uri}"
        click.echo(f"MLflow's page: {ui}  (then open the address that it names)")
