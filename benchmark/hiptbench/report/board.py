"""The leaderboard's rows as the page's script takes them: groups of comparable runs, texts stored once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hiptbench.report.addresses import Addresses
from hiptbench.report.bars import interval_axis
from hiptbench.report.data import ReportData, RunReport
from hiptbench.report.groups import Group, verdicts_of
from hiptbench.report.svg import round_text
from hiptbench.report.wording import percent

KINDS = ("measured", "published", "synthetic")
_DIGITS = 5
_BAR = 130
"""Width of a bar in pixels, as in the page's script."""


@dataclass
class _Texts:
    """Texts by number, each stored once."""

    known: dict[str, int] = field(default_factory=dict)

    def number(self, text: str | None) -> int | None:
        return None if text is None else self.known.setdefault(text, len(self.known))


def board_of(data: ReportData, groups: Sequence[Group], at: Addresses) -> dict[str, Any]:
    """Return the leaderboard as plain values.

    Args:
        data: The report.
        groups: Its groups of comparable runs.
        at: Links as written on the leaderboard's page.

    Returns:
        ``groups``, ``methods``, ``texts`` and ``rows``; a row holds the numbers of its group and method, the numbers of
        its texts, and its values, in the order of the script's ``Row``.
    """
    verdicts, texts = verdicts_of(data.families), _Texts()
    features = {run.method: run.features for run in data.runs}
    methods = {name: index for index, name in enumerate(features)}
    rows = [
        _row(run, group=index, method=methods[run.method], texts=texts, verdict=verdicts.get(run.card))
        for index, group in enumerate(groups)
        for run in group.runs
    ]
    return {
        "groups": [_group(group, at) for group in groups],
        "methods": [{"name": name, "features": own, "href": at.method(name)} for name, own in features.items()],
        "texts": list(texts.known),
        "rows": rows,
    }


def choices_of(data: ReportData) -> Mapping[str, Sequence[tuple[str, str]]]:
    """Return what each filter of the leaderboard offers, as values with their labels."""
    fractions = sorted({run.fraction for run in data.runs})
    kinds = {run.kind for run in data.runs}
    return {
        "suite": [(name, name) for name in dict.fromkeys(run.suite for run in data.runs)],
        "task": [(name, name) for name in dict.fromkeys(run.task for run in data.runs)],
        "fraction": [(percent(fraction), percent(fraction)) for fraction in fractions],
        "features": [(name, name) for name in sorted({run.features for run in data.runs})],
        "kind": [(kind, kind) for kind in KINDS if kind in kinds],
        "problem": [(kind, kind) for kind in sorted({run.protocol.task_kind for run in data.runs})],
    }


def _group(group: Group, at: Addresses) -> dict[str, Any]:
    suite, task = group.task
    axis = interval_axis(group.runs, width=_BAR)
    return {
        "suite": suite,
        "task": task,
        "href": at.task(suite, task),
        "problem": group.protocol.task_kind,
        "metric": group.metric,
        "order": group.protocol.fraction,
        "fraction": percent(group.protocol.fraction),
        "text": f"{group.metric}, trained on {group.trained_on}, {group.evaluated}",
        "id": group.id,
        "low": _rounded(axis.low),
        "high": _rounded(axis.high),
        "neutral": axis.neutral,
        "ticks": [(tick, round_text(tick)) for tick in axis.ticks],
    }


def _row(run: RunReport, *, group: int, method: int, texts: _Texts, verdict: str | None) -> list[Any]:
    bounds = run.interval
    return [
        group,
        method,
        KINDS.index(run.kind),
        run.card,
        _rounded(run.mean),
        _rounded(bounds.low if bounds else None),
        _rounded(bounds.high if bounds else None),
        _rounded(run.sd_folds),
        _rounded(run.sd_seeds),
        run.n_units,
        run.n_events,
        *map(texts.number, (verdict, run.contamination, run.reproduced, run.errata, run.interval_why)),
    ]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, _DIGITS)
