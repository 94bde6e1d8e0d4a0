"""What ``data import`` brought in, left out and did not find: in short on the screen, in full in a file."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from hiptbench.cli.common import say
from hiptbench.cli.wording import counts_of
from hiptbench.errors import name_some
from hiptbench.files import write_text
from hiptbench.sources.checkouts import Built
from hiptbench.sources.importing import ImportedFeatures
from hiptbench.suites import Suite

REPORT = "import-report.json"


def tell_suite(suite: Suite, built: Sequence[Built]) -> None:
    """Print a suite's title and its tasks, and a line to part it from what follows."""
    click.echo(f"{suite.name}: {suite.title}")
    for one in built:
        _tell_task(one)
    click.echo()


def _tell_task(built: Built) -> None:
    """Print a task's counts, and what its rules left out."""
    click.echo(f"  {built.task.name}: {counts_of(built.task.spec)}")
    for part in built.dropped:
        click.echo(f"    {len(part.names)} left out, {part.reason}: {name_some(part.names, most=1)}")


def tell_features(imported: ImportedFeatures) -> None:
    """Print what packing did and whether the features are complete."""
    name, report = imported.features.card.name, imported.report
    click.echo(f"{name}: {len(imported.features)} slides, {report.read} read, {report.reused} unchanged")
    if imported.missing:
        say(
            f"    MISSING {len(imported.missing)} slides of the tasks: {name_some(imported.missing, most=1)}. Tasks "
            "that need them run with --allow-missing only, and are never ranked with complete ones."
        )
    else:
        click.echo("    complete, and equal to the published values (content hash)")


def write_import_report(home: Path, built: Sequence[Built], features: ImportedFeatures | None) -> Path:
    """Write every unit that a rule left out, with the rule, and every slide without features.

    Args:
        home: The data home.
        built: The imported tasks.
        features: The imported features; None if there are none.

    Returns:
        The file.

    Raises:
        StoreError: If it cannot be written.
    """
    path = home / REPORT
    report = {"tasks": {one.task.name: _task(one) for one in built}, "features": _features(features)}
    write_text(path, json.dumps(report, indent=1) + "\n")
    return path


def _task(built: Built) -> dict[str, Any]:
    left_out = [{"reason": part.reason, "count": len(part.names), "names": part.names} for part in built.dropped]
    return built.task.spec.expected.model_dump(exclude_none=True) | {"left_out": left_out}


def _features(imported: ImportedFeatures | None) -> dict[str, Any] | None:
    if imported is None:
        return None
    return {"name": imported.features.card.name, "slides": len(imported.features), "missing": imported.missing}
