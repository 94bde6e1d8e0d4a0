"""The leaderboard's rows as the page's script takes them: groups of comparable runs, texts stored once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hiptbench.report.addresses import Addresses
from hiptbench.report.bars import HEIGHT, INSET, MARKS, interval_axis
from hiptbench.report.data import ReportData
from hiptbench.report.errata import Erratum
from hiptbench.report.groups import Group
from hiptbench.report.run_data import RunReport
from hiptbench.report.svg import round_text
from hiptbench.report.verdicts import verdicts_of
from hiptbench.report.wording import SIGNS, percent

KINDS = tuple(SIGNS)
_BAR = 110
"""Width of a bar in pixels."""


@dataclass
class _Texts:
    """Texts by number, each stored once."""

    known: dict[str, int] = field(default_factory=dict)

    def number(self, text: str | None) -> int | None:
        return None if text is None else self.known.setdefault(text, len(self.known))


def board_of(data: ReportData, groups: Sequence[Group], at: Addresses, errata: Mapping[str, Erratum]) -> dict[str, Any]:
    """Return the leaderboard as plain values.

    Args:
        data: The report.
        groups: Its groups of comparable runs.
        at: Links as written on the leaderboard's page.
        errata: Errata by id.

    Returns:
        ``groups``, ``methods``, ``texts``, ``errata``, what bars and kinds look like, and ``rows``; a row holds the
        numbers of its group and method, its values and the numbers of its texts, in the order of the script's ``Row``.
    """
    verdicts, texts = verdicts_of(data.families), _Texts()
    named = {(run.method, run.printed): run for run in data.runs}
    methods = {name: index for index, name in enumerate(named)}
    rows = [
        _row(run, group=index, method=methods[run.method, run.printed], texts=texts, verdict=verdicts.get(run.card))
        for index, group in enumerate(groups)
        for run in group.runs
    ]
    return {
        "groups": [_group(group, at) for group in groups],
        "methods": [_method(run, at) for run in named.values()],
        "texts": list(texts.known),
        "errata": {name: {"sentence": one.sentence, "href": at.up + one.place} for name, one in errata.items()},
        "kinds": [{"name": kind, "sign": SIGNS[kind], "mark": MARKS[kind]} for kind in KINDS],
        "bar": {"width": _BAR, "height": HEIGHT, "inset": INSET},
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


def _method(run: RunReport, at: Addresses) -> dict[str, str | None]:
    return {"name": run.name, "code": run.method, "features": run.features, "href": at.method(run.method)}


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
        "n": group.protocol.evaluated_units,
        "events": group.events,
        "id": group.id,
        "low": axis.low,
        "high": axis.high,
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
        run.mean,
        bounds.low if bounds else None,
        bounds.high if bounds else None,
        run.sd_folds,
        run.sd_seeds,
        *map(texts.number, (verdict, run.contamination, run.reproduced, run.errata, run.interval_why)),
    ]
