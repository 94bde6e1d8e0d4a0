"""How counts and reports are told to people."""

from hiptbench.task_spec import TaskSpec
from hiptbench.tracking import SyncReport


def counts_of(spec: TaskSpec) -> str:
    """Return what a task amounts to, in words."""
    counts = spec.expected
    told = [f"{counts.units} {spec.unit}s, {counts.evaluated} of them evaluated"]
    told.append(f"{counts.cases} patients" if spec.unit == "slide" else f"{counts.slides} slides")
    told += [f"{name} {units}" for name, units in (counts.per_class or {}).items()]
    return ", ".join(told if counts.events is None else [*told, f"{counts.events} events"])


def sync_text(report: SyncReport) -> str:
    """Return what was sent to MLflow, and what to do if it failed."""
    if report.failure:
        return (
            f"MLflow: {report.sent} folds sent to {report.uri}, then it failed: {report.failure}. "
            "The results are in the store; `hiptbench sync` sends the rest."
        )
    return f"MLflow: {report.sent} folds sent to {report.uri}, {report.present} were there already"
