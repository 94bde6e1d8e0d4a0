"""The verb ``demo``: everything, on embedded data."""

from pathlib import Path

import click

from hiptbench.cli.common import progress


@click.command()
@click.option("--out", type=click.Path(path_type=Path), default=Path(".demo"), show_default=True, help="Where it goes.")
@click.option("--executor", default="processes", show_default=True, help="serial or processes[:N].")
def demo(out: Path, executor: str) -> None:
    """Run the probes on simulated cohorts of all nine tasks and on bags of real digits; downloads nothing.

    \b
    Example:
      hiptbench demo --out /tmp/demo && cat /tmp/demo/leaderboard.csv
    """
    from hiptbench.boards import render
    from hiptbench.demo import run_demo

    with progress("demo") as step:
        shown = run_demo(out, executor=executor, on_step=step)
    click.echo(render(shown.board, "table"))
    click.echo(shown.against_oracle)
    click.echo(f"leaderboard: {out / 'leaderboard.csv'}")
    click.echo(f"MLflow's page: .venv/bin/mlflow ui --backend-store-uri {shown.tracking_uri}  (then open its address)")
