"""From names, as a user gives them, to what is to be run."""

from collections.abc import Sequence
from pathlib import Path

from hiptbench.baselines import load_baseline
from hiptbench.errors import RunError, UnknownNameError
from hiptbench.plans import Request
from hiptbench.suites import load_suite, suite_of


def make_request(
    *,
    suite: str | None = None,
    tasks: Sequence[str] = (),
    features: str | Path | None = None,
    baselines: Sequence[str],
    fractions: Sequence[float] | None = None,
    by_patients: bool = False,
    seeds: Sequence[int] = (1,),
    device: str | None = None,
    allow_missing: bool = False,
    verify: bool = False,
    home: str | Path | None = None,
) -> Request:
    """Look every name up.

    Args:
        suite: A suite; with ``tasks``, only those of its tasks.
        tasks: Tasks; without a suite they must belong to one and the same, or be one task alone.
        features: Name or folder of features; None takes each task's own.
        baselines: Names, YAML files or "package.module:Head".
        fractions: Training fractions; None takes the suite's.
        by_patients: Whether fractions are drawn by patients and not by the suite's rule.
        seeds: Seeds of the fits.
        device: Where to train; None leaves it to each method.
        allow_missing: Whether a cohort may lack slides.
        verify: Whether to read all feature files again.
        home: The data home.

    Raises:
        UnknownNameError: If a name does not exist.
        RunError: If neither suite nor task is given, or tasks of several suites are mixed.
    """
    if not suite and not tasks:
        raise RunError("Say what to run: a suite with --suite, or a task with --task.")
    suites = {found.name: found for found in ([load_suite(suite)] if suite else map(suite_of, tasks))}
    if len(suites) > 1:
        raise RunError(f"These tasks belong to several suites ({', '.join(suites)}); run one suite at a time.")
    chosen = next(iter(suites.values()))
    for task in tasks:
        if task not in chosen.tasks:
            raise UnknownNameError(f"task in the suite {chosen.name}", task, chosen.tasks)
    return Request(
        suite=chosen,
        tasks=tuple(tasks) or chosen.tasks,
        features=None if features is None else str(features),
        baselines=[load_baseline(name) for name in baselines],
        fractions=fractions,
        by_patients=by_patients,
        seeds=seeds,
        device=device,
        allow_missing=allow_missing,
        verify=verify,
        home=None if home is None else Path(home),
    )
