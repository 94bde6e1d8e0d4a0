"""The verb ``demo``: everything, on embedded data."""

import sys
from pathlib import Path

import click

from hiptbench.cli.common import progress, say, stages


@click.command()
@click.option("--out", type=click.Path(path_type=Path), default=Path(".demo"), show_default=True, help="Where it goes.")
@click.option("--slides", type=int, help="Begin with pixels: draw so many slides and extract features from them.")
@click.option("--executor", default="processes", show_default=True, help="serial, processes[:N] or dask:local[:N].")
def demo(out: Path, slides: int | None, executor: str) -> None:
    """Run the probes on simulated cohorts of all nine tasks and on bags of real digits; downloads nothing.

    With --slides it goes from drawn slides to a leaderboard instead, with encoders whose weights are random.

    \b
    Examples:
      hiptbench demo --out my_demo && cat my_demo/leaderboard.csv
      hiptbench demo --out my_slides --slides 96
    """
    if slides is None:
        _from_features(out, executor)
    else:
        _from_slides(out, slides, executor)


def _from_slides(out: Path, slides: int, executor: str) -> None:
    from hiptbench.cli.terminal import board_text
    from hiptbench.demo_slides import run_slides_demo
    from hiptbench.slides.synthetic import SyntheticSlides

    with stages() as step:
        shown = run_slides_demo(out, slides=SyntheticSlides(slides=slides), executor=executor, on_step=step)
    click.echo(board_text(shown.board.cells))
    click.echo(shown.intervals)
    click.echo(f"leaderboard: {out / 'leaderboard.csv'}")


def _from_features(out: Path, executor: str) -> None:
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
