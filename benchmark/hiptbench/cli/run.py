"""The verbs ``run`` and ``sync``."""

import json
import sys
from pathlib import Path

import click

from hiptbench.cli.common import format_option, home_option, progress, say, store_option


@click.command()
@click.option("--suite", help="Run every task of this suite, at its training fractions.")
@click.option("--task", "tasks", multiple=True, help="Run one task; may be repeated.")
@click.option("--features", help="Name of imported features, or a folder [default: each task's own].")
@click.option(
    "--baseline",
    "baselines",
    multiple=True,
    help="Method: a name such as mean_knn, a file.yaml or package.module:Head; may be repeated.  [required]",
)
@click.option("--fraction", "fractions", help="Training fractions, such as 0.25,1 [default: the suite's].")
@click.option("--seed", "seeds", type=int, multiple=True, default=(1,), show_default=True, help="May be repeated.")
@click.option("--executor", default="processes", show_default=True, help="serial or processes[:N].")
@click.option("--allow-missing", is_flag=True, help="Run without slides that have no features; never ranked.")
@click.option("--verify", is_flag=True, help="Read and hash every feature file again.")
@click.option("--no-track", is_flag=True, help="Do not send results to MLflow; `hiptbench sync` can do so later.")
@click.option("--dry-run", is_flag=True, help="Print what would be run, and run nothing; new features are packed.")
@store_option
@home_option
def run(
    suite: str | None,
    tasks: tuple[str, ...],
    features: str | None,
    baselines: tuple[str, ...],
    fractions: str | None,
    seeds: tuple[int, ...],
    executor: str,
    allow_missing: bool,
    verify: bool,
    no_track: bool,
    dry_run: bool,
    store: Path | None,
    home: Path | None,
) -> None:
    """Run methods on tasks; what is in the store already is not run again.

    \b
    Examples:
      hiptbench run --suite hipt-2022 --features hipt_vit4k_region --baseline mean_knn --baseline mean_cox
      hiptbench run --task mine --features features/ --baseline mean_knn --dry-run
      hiptbench run --task mine --features features/ --baseline my_package.heads:MyHead --seed 1 --seed 2
    """
    from hiptbench.cli.execution import execute, plan_text
    from hiptbench.cli.stores import open_store
    from hiptbench.plans import make_plan
    from hiptbench.requests import make_request

    _require_names(suite, tasks, baselines, home)
    # A head of one's own may lie in the working folder; last, so that nothing there shadows a library.
    sys.path.append(str(Path.cwd()))
    request = make_request(
        suite=suite,
        tasks=tasks,
        features=features,
        baselines=baselines,
        fractions=_numbers(fractions),
        seeds=seeds,
        allow_missing=allow_missing,
        verify=verify,
        home=home,
    )
    results = open_store(store, home, make=True)
    with progress("packing features") as on_file:
        plan = make_plan(request, on_file=on_file)
    for note in (*plan.notes, *(f"skipped: {reason}" for reason in plan.skipped)):
        say(note)
    click.echo(plan_text(plan, results), err=not dry_run)
    if not dry_run:
        execute(plan, results, executor, track=not no_track)


@click.command()
@store_option
@home_option
@format_option("text", "json")
def sync(store: Path | None, home: Path | None, form: str) -> None:
    """Send every result to MLflow that the server does not have; running it twice sends nothing twice.

    The server is the one that MLFLOW_TRACKING_URI names, otherwise an SQLite file inside the store.

    \b
    Examples:
      hiptbench sync
      MLFLOW_TRACKING_URI=http://localhost:5000 hiptbench sync
    """
    from dataclasses import asdict

    from hiptbench.cli.stores import open_store
    from hiptbench.cli.wording import sync_text
    from hiptbench.tracking import sync as send

    report = send(open_store(store, home))
    if form == "json":
        click.echo(json.dumps(asdict(report)))
    else:
        click.echo(sync_text(report), err=bool(report.failure))
    if report.failure:
        raise SystemExit(1)


def _require_names(suite: str | None, tasks: tuple[str, ...], baselines: tuple[str, ...], home: Path | None) -> None:
    """Answer what was left out or misspelt with what exists.

    Raises:
        click.UsageError: If nothing says what to run.
        UnknownNameError: If a task is not known.
    """
    from hiptbench.baselines import baseline_names
    from hiptbench.suites import suite_names
    from hiptbench.task_store import load_spec

    if not (suite or tasks):
        raise click.UsageError(
            f"Say what to run on: --task (`hiptbench task list` shows them), or --suite: {', '.join(suite_names())}."
        )
    if not baselines:
        raise click.UsageError(
            f"Say what to run: --baseline with a name ({', '.join(baseline_names())}), a file.yaml, or a head of your "
            "own as package.module:Head."
        )
    for name in tasks:
        load_spec(name, home)


def _numbers(text: str | None) -> tuple[float, ...] | None:
    if text is None:
        return None
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError as error:
        raise click.BadParameter(
            f"'{text}' is not a list of numbers such as 0.25,1", param_hint="--fraction"
        ) from error
