"""The verbs ``run`` and ``sync``."""

import json
from pathlib import Path

import click

from hiptbench.cli.common import find_own_modules, format_option, home_option, progress, say, store_option


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
@click.option(
    "--seed",
    "seeds",
    type=click.IntRange(min=0),
    multiple=True,
    default=(1,),
    show_default=True,
    help="May be repeated.",
)
@click.option(
    "--fraction-rule",
    type=click.Choice(["suite", "patients"]),
    default="suite",
    show_default=True,
    help="Draw fractions as the suite does, or whole patients, stratified, nested, several draws.",
)
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda", "mps"]), help="Where MIL models are trained.")
@click.option(
    "--executor",
    default="processes",
    show_default=True,
    help="serial, processes[:N], dask:local[:N] or dask:tcp://HOST:PORT.",
)
@click.option("--keep-models", is_flag=True, help="Keep every fold's fitted model in the store.")
@click.option("--keep-attention", is_flag=True, help="Keep the attention on the evaluated bags in the store.")
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
    fraction_rule: str,
    device: str | None,
    executor: str,
    keep_models: bool,
    keep_attention: bool,
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
      hiptbench run --task mine --features features/ --baseline abmil --fraction 0.1,0.25,0.5,1 --dry-run
      hiptbench run --suite hipt-2022 --baseline abmil --baseline hipt_gp --seed 1 --seed 2 --keep-models
      hiptbench run --task mine --features features/ --baseline my_package.heads:MyHead --seed 1 --seed 2
    """
    from hiptbench.cli.execution import cost_text, execute, plan_text
    from hiptbench.cli.stores import open_store
    from hiptbench.kept import Keep
    from hiptbench.plans import make_plan
    from hiptbench.requests import make_request

    _require_names(suite, tasks, baselines, home)
    find_own_modules()
    request = make_request(
        suite=suite,
        tasks=tasks,
        features=features,
        baselines=baselines,
        fractions=_numbers(fractions),
        by_patients=fraction_rule == "patients",
        seeds=seeds,
        device=device,
        allow_missing=allow_missing,
        verify=verify,
        home=home,
    )
    results = open_store(store, home, make=True)
    with progress("packing features") as on_file:
        plan = make_plan(request, on_file=on_file)
    for note in (*plan.notes, *(f"skipped: {reason}" for reason in plan.skipped)):
        say(note)
    keep = Keep(models=keep_models, attention=keep_attention)
    click.echo(plan_text(plan, results, keep), err=not dry_run)
    if dry_run:
        click.echo(cost_text(plan, results, keep))
    else:
        execute(plan, results, executor, track=not no_track, keep=keep)


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
