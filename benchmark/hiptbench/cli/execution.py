"""What ``run`` says about a plan, and how it carries it out."""

from collections import Counter

import click

from hiptbench.cli.common import say
from hiptbench.cli.run_display import run_display
from hiptbench.cli.run_progress import clock_text
from hiptbench.cli.wording import sync_text
from hiptbench.estimate import estimate
from hiptbench.kept import Keep
from hiptbench.plans import Plan
from hiptbench.results import FoldResult
from hiptbench.runner import run
from hiptbench.store import Store
from hiptbench.tracking import Tracker


def plan_text(plan: Plan, store: Store, keep: Keep) -> str:
    """Return how many folds there are and which of them are still to run."""
    to_do = plan.to_do(store, keep)
    groups = Counter(f"{j.protocol.task} at {j.protocol.fraction:.0%}: {j.features}/{j.baseline.name}" for j in to_do)
    counts = f"{len(plan.jobs)} folds, {len(plan.jobs) - len(to_do)} of them done already, {len(to_do)} to run"
    return "\n".join([counts, *(f"    {name}, {folds} folds" for name, folds in groups.items())])


def cost_text(plan: Plan, store: Store, keep: Keep) -> str:
    """Return how long the folds that are still to run will take, as far as it is known."""
    cost = estimate(plan.to_do(store, keep), store.rows(), on_probe=lambda label: say(f"timing short fits: {label}"))
    lines = [f"It will take about {clock_text(cost.seconds)} of one core, divided by the number of workers."]
    return "\n".join([*lines, *(f"Not counted: {reason}" for reason in cost.unknown)])


def execute(plan: Plan, store: Store, executor: str, *, track: bool, keep: Keep) -> None:
    """Run what the store does not have, with a progress bar, and send it to MLflow meanwhile.

    Raises:
        RunError: If a fold fails.
        StoreError: If the store cannot be written.
    """
    total = len(plan.to_do(store, keep))
    if not total:
        click.echo(f"Nothing to do: all {len(plan.jobs)} folds are in {store.path}.")
        return
    if not track:
        _run(plan, store, executor, total, keep, None)
        click.echo(f"{total} folds run, in {store.path}")
        return
    with Tracker(store) as tracker:
        _run(plan, store, executor, total, keep, tracker)
        click.echo(f"{total} folds run, in {store.path}")
        sent = tracker.close()
    click.echo(sync_text(sent), err=bool(sent.failure))


def _run(plan: Plan, store: Store, executor: str, total: int, keep: Keep, tracker: Tracker | None) -> None:
    with run_display(total) as display:

        def on_fold(row: FoldResult) -> None:
            display.finish(row.fingerprint)
            if tracker:
                tracker.submit(row)

        run(plan, store, executor=executor, keep=keep, on_fold=on_fold, on_message=display.hear)
