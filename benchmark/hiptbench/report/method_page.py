"""What the page of a method shows: the recipes behind its numbers, and a card for each number."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hiptbench.files import canonical_json
from hiptbench.report.attention import attention_figure
from hiptbench.report.board import KINDS
from hiptbench.report.curves import calibration_figure, groups_figure, roc_figure, training_figures
from hiptbench.report.data import FindingReport, RunReport, TaskReport
from hiptbench.report.figure import Figure
from hiptbench.schema import Strict

Fact = tuple[str, str]
_RECIPE = ("head", "settings", "selection", "epoch_rule", "device", "precision", "origin")
_GRAVEST = 2


@dataclass(frozen=True)
class Recipe:
    """What some numbers of a method have in common: head, settings, and how it was trained.

    Attributes:
        facts: Names and values.
        runs: The numbers.
    """

    facts: tuple[Fact, ...]
    runs: tuple[RunReport, ...]


@dataclass(frozen=True)
class Shown:
    """What a card shows beside its run.

    Attributes:
        task: The task, where it is known.
        gravest: The gravest findings on it.
        figures: Curves.
        training: What training measured.
        attention: Thumbnails.
        counted: Whether n is known of any fold.
        timed: Whether the events are known of any fold.
        restricted: Whether any measure was not evaluated as it should be.
    """

    task: TaskReport | None
    gravest: tuple[FindingReport, ...]
    figures: tuple[Figure, ...]
    training: tuple[Figure, ...]
    attention: tuple[Figure, ...]
    counted: bool
    timed: bool
    restricted: bool


def method_page(runs: Sequence[RunReport], tasks: Mapping[tuple[str, str], TaskReport]) -> dict[str, Any]:
    """Return what the template of a method is filled with.

    Args:
        runs: Its runs, in the order of tasks and fractions.
        tasks: Every task by suite and name.
    """
    return {
        "method": runs[0].method,
        "runs": runs,
        "kinds": [kind for kind in KINDS if kind in {run.kind for run in runs}],
        "recipes": _recipes(runs),
        "contamination": list(dict.fromkeys(run.contamination for run in runs if run.contamination)),
        "shown": {run.card: _shown(run, tasks.get((run.suite, run.task))) for run in runs},
    }


def fields(model: Strict) -> list[Fact]:
    """Return a model's fields as names and values, nested ones by dotted names, empty ones left out."""
    return list(_flat("", model.model_dump(mode="json")))


def _flat(prefix: str, values: Mapping[str, Any]) -> list[Fact]:
    found = []
    for name, value in values.items():
        if isinstance(value, dict):
            found += _flat(f"{prefix}{name}.", value)
        elif value is not None:
            found.append((f"{prefix}{name}", value if isinstance(value, str) else canonical_json(value)))
    return found


def _recipes(runs: Sequence[RunReport]) -> list[Recipe]:
    alike: dict[tuple[Fact, ...], list[RunReport]] = defaultdict(list)
    for run in runs:
        alike[tuple(_flat("", run.provenance.model_dump(mode="json", include=set(_RECIPE))))].append(run)
    return [Recipe(facts, tuple(own)) for facts, own in alike.items()]


def _shown(run: RunReport, task: TaskReport | None) -> Shown:
    curves = roc_figure(run), groups_figure(run), calibration_figure(run)
    return Shown(
        task=task,
        gravest=(task.lint or ())[:_GRAVEST] if task else (),
        figures=tuple(figure for figure in curves if figure),
        training=tuple(training_figures(run)),
        attention=tuple(map(attention_figure, run.attention)),
        counted=any(fold.n is not None for fold in run.folds),
        timed=any(fold.events is not None for fold in run.folds),
        restricted=any(one.why for one in run.measures),
    )
