"""The verbs ``run`` and ``sync``."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hiptbench.cli.common import format_option, home_option, progress, store_option

if TYPE_CHECKING:
    from hiptbench.plans import Plan
    from hiptbench.store import Store
    from hiptbench.tracking import SyncReport


@click.command()
@click.option("--suite", help="Run every task of this suite, at its training fractions.")
@click.option("--task", "tasks", multiple=True, help="Run one task; may be repeated.")
@click.option("--features", help="Name of imported features, or a folder [default: each task's own].")
@click.option("--baseline", "baselines", multiple=True, required=True, help="Name, file.yaml or package.module:Head.")
@click.option("--fraction", "fractions", help="Training fractions, such as 0.25,1 [default: the suite's].")
@click.option("--seed", "seeds", type=int, multiple=True, default=(1,), show_default=True, help="May be repeated.")
@click.option("--executor", default="processes", show_default=True, help="serial or processes[:N].")
@click.option("--allow-missing", is_flag=True, help="Run without slides that have no features; never ranked.")
@click.option("--verify", is_flag=True, help="Read and hash every feature file again.")
@click.option("--no-track", is_flag=True, help="Do not send results to MLflow; `hiptbench sync` can do so later.")
@click.option("--dry-run", is_flag=True, help="Print what would be done, and do nothing.")
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
    from hiptbench import rooms
    from hiptbench.plans import make_plan
    from hiptbench.requests import make_request
    from hiptbench.store import Store

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
    results = Store(rooms.store(store, home_path=home))
    with progress("packing features") as on_file:
        plan = make_plan(request, on_file=on_file)
    _describe(plan, results)
    if not dry_run:
        _execute(plan, results, executor, track=not no_track)


@click.command()
@store_option
@home_option
@format_option("text", "json")
def sync(store: Path | None, home: Path | None, form: str) -> None:
    """Send every result to MLflow that the server does not have; running it twice sends nothing twice.

    \b
    Example:
      MLFLOW_TRACKING_URI=http://localhost:5000 hiptbench sync
    """
    from dataclasses import asdict

    from hiptbench import rooms
    from hiptbench.store import Store
    from hiptbench.tracking import sync as send

    report = send(Store(rooms.store(store, home_path=home)))
    click.echo(json.dumps(asdict(report)) if form == "json" else _told(report))
    if report.failure:
        raise SystemExit(1)


def _numbers(text: str | None) -> tuple[float, ...] | None:
    if text is None:
        return None
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError as error:
        raise click.BadParameter(
            f"'{text}' is not a list of numbers such as 0.25,1", param_hint="--fraction"
        ) from error


def _describe(plan: "Plan", store: "Store") -> None:
    for note in (*plan.notes, *(f"skipped: {reason}" for reason in plan.skipped)):
        click.echo(note, err=True)
    to_do = plan.to_do(store)
    click.echo(
        f"{len(plan.jobs)} folds, {len(plan.jobs) - len(to_do)} of them done already, {len(to_do)} to run", err=True
    )
    groups: dict[str, int] = {}
    for job in to_do:
        name = f"{job.protocol.task} at {job.protocol.fraction:.0%}: {job.features}/{job.baseline.name}"
        groups[name] = groups.get(name, 0) + 1
    for name, folds in groups.items():
        click.echo(f"    {name}, {folds} folds", err=True)


def _execute(plan: "Plan", store: "Store", executor: str, *, track: bool) -> None:
    from hiptbench.results import FoldResult
    from hiptbench.runner import run as run_plan
    from hiptbench.tracking import Tracker

    total, done = len(plan.to_do(store)), 0
    if not total:
        click.echo(f"Nothing to do: all {len(plan.jobs)} folds are in {store.path}.")
        return
    tracker = Tracker(store) if track else None
    with progress("folds") as step:

        def on_fold(row: FoldResult) -> None:
            nonlocal done
            done += 1
            step(done, total)
            if tracker:
                tracker.submit(row)

        try:
            run_plan(plan, store, executor=executor, on_fold=on_fold)
        finally:
            sent = tracker.close() if tracker else None
    click.echo(f"{total} folds run, in {store.path}")
    if sent:
        click.echo(_told(sent), err=bool(sent.failure))


def _told(report: "SyncReport") -> str:
    if report.failure:
        return (
            f"MLflow: {report.sent} folds sent to {report.uri}, then it failed: {report.failure}. "
            "The results are in the store; `hiptbench sync` sends the rest."
        )
    return f"MLflow: {report.sent} folds sent to {report.uri}, {report.present} were there already"
