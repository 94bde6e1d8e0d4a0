"""What ``run`` says about a plan, and how it carries it out."""

from collections import Counter

import click

from hiptbench.cli.common import progress
from hiptbench.cli.wording import sync_text
from hiptbench.plans import Plan
from hiptbench.results import FoldResult
from hiptbench.runner import run
from hiptbench.store import Store
from hiptbench.tracking import Tracker


def plan_text(plan: Plan, store: Store) -> str:
    """Return how many folds there are and which of them are still to run."""
    to_do = plan.to_do(store)
    groups = Counter(f"{j.protocol.task} at {j.protocol.fraction:.0%}: {j.features}/{j.baseline.name}" for j in to_do)
    counts = f"{len(plan.jobs)} folds, {len(plan.jobs) - len(to_do)} of them done already, {len(to_do)} to run"
    return "\n".join([counts, *(f"    {name}, {folds} folds" for name, folds in groups.items())])


def execute(plan: Plan, store: Store, executor: str, *, track: bool) -> None:
    """Run what the store does not have, with a progress bar, and send it to MLflow meanwhile.

    Raises:
        RunError: If a fold fails.
        StoreError: If the store cannot be written.
    """
    total = len(plan.to_do(store))
    if not total:
        click.echo(f"Nothing to do: all {len(plan.jobs)} folds are in {store.path}.")
        return
    if not track:
        _run(plan, store, executor, total, None)
        click.echo(f"{total} folds run, in {store.path}")
        return
    with Tracker(store) as tracker:
        _run(plan, store, executor, total, tracker)
        click.echo(f"{total} folds run, in {store.path}")
        sent = tracker.close()
    click.echo(sync_text(sent), err=bool(sent.failure))


def _run(plan: Plan, store: Store, executor: str, total: int, tracker: Tracker | None) -> None:
    done = 0
    with progress("folds") as step:

        def on_fold(row: FoldResult) -> None:
            nonlocal done
            done += 1
            step(done, total)
            if tracker:
                tracker.submit(row)

        run(plan, store, executor=executor, on_fold=on_fold)
