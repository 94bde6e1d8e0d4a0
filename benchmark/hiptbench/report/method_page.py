"""What the page of a method shows: what all its numbers share, and a card for each number."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hiptbench.files import canonical_json
from hiptbench.report.attention import attention_figure
from hiptbench.report.board import KINDS
from hiptbench.report.curves import calibration_figure, groups_figure, roc_figure, training_figures
from hiptbench.report.figure import Figure
from hiptbench.report.run_data import RunReport
from hiptbench.report.task_data import FindingReport, TaskReport
from hiptbench.report.verdicts import Held
from hiptbench.schema import Strict

Fact = tuple[str, str]
_GRAVEST = 2


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
        noted: Whether there is anything to say of a measure.
        provenance: What other numbers of the method do not share.
        held: The comparisons that it takes part in.
    """

    task: TaskReport | None
    gravest: tuple[FindingReport, ...]
    figures: tuple[Figure, ...]
    training: tuple[Figure, ...]
    attention: tuple[Figure, ...]
    counted: bool
    timed: bool
    noted: bool
    provenance: tuple[Fact, ...]
    held: Held


def method_page(
    runs: Sequence[RunReport], tasks: Mapping[tuple[str, str], TaskReport], held: Mapping[str, Held]
) -> dict[str, Any]:
    """Return what the template of a method is filled with.

    Args:
        runs: Its runs, in the order of tasks and fractions.
        tasks: Every task by suite and name.
        held: The comparisons of each card.
    """
    facts = {run.card: tuple(fields(run.provenance)) for run in runs}
    shared = set[Fact].intersection(*map(set, facts.values()))
    return {
        "method": runs[0].method,
        "names": list(dict.fromkeys(run.printed for run in runs if run.printed)),
        "runs": runs,
        "kinds": [kind for kind in KINDS if kind in {run.kind for run in runs}],
        "shared": [fact for fact in facts[runs[0].card] if fact in shared],
        "contamination": list(dict.fromkeys(run.contamination for run in runs if run.contamination)),
        "shown": {
            run.card: _shown(
                run,
                tasks.get((run.suite, run.task)),
                tuple(fact for fact in facts[run.card] if fact not in shared),
                held.get(run.card, Held()),
            )
            for run in runs
        },
    }


def fields(model: Strict) -> list[Fact]:
    """Return a model's fields as names and values, nested ones by dotted names, empty ones left out."""
    return list(_flat("", model.model_dump(mode="json")))


def _flat(prefix: str, values: Mapping[str, Any]) -> list[Fact]:
    found = []
    for name, value in sorted(values.items()):
        if isinstance(value, dict):
            found += _flat(f"{prefix}{name}.", value)
        elif value is not None:
            found.append((f"{prefix}{name}", value if isinstance(value, str) else canonical_json(value)))
    return found


def _shown(run: RunReport, task: TaskReport | None, provenance: tuple[Fact, ...], held: Held) -> Shown:
    curves = roc_figure(run), groups_figure(run), calibration_figure(run)
    return Shown(
        task=task,
        gravest=(task.lint or ())[:_GRAVEST] if task else (),
        figures=tuple(figure for figure in curves if figure),
        training=tuple(training_figures(run)),
        attention=tuple(map(attention_figure, run.attention)),
        counted=any(fold.n is not None for fold in run.folds),
        timed=any(fold.events is not None for fold in run.folds),
        noted=any(one.why or one.note for one in run.measures),
        provenance=provenance,
        held=held,
    )
