"""Families of comparisons as text and as JSON."""

import json
from collections.abc import Sequence

from hiptbench.comparisons import Family
from hiptbench.pairs import TaskComparison, short_names
from hiptbench.statistics.comparison import Comparison
from hiptbench.statistics.draws import ESTIMAND
from hiptbench.statistics.ranks import Ranks
from hiptbench.statistics.wording import effect_and_interval


def to_text(families: Sequence[Family], *, with_friedman: bool = False) -> str:
    """Return families as people read them: effect and interval first, p second.

    Args:
        families: The families.
        with_friedman: Whether to add Friedman's test and the critical difference.
    """
    return "\n\n".join("\n".join(_lines(family, with_friedman)) for family in families) + "\n"


def to_json(families: Sequence[Family]) -> str:
    """Return families as JSON, with every number in full."""
    return json.dumps([_plain(family) for family in families], indent=1) + "\n"


def _lines(family: Family, with_friedman: bool) -> list[str]:
    count = len(family.comparisons)
    adjusted = f"; {count} comparisons, adjusted together" if count > 1 else ""
    lines = [
        f"{family.suite}, {family.task_kind} at {family.fraction:.0%}, {family.kind}; "
        f"held against {family.reference}{adjusted}"
    ]
    for task in family.tasks:
        lines.append(f"  {task}")
        for one in (one for one in family.comparisons if one.task == task):
            lines += [f"    {one.sentence}", f"        {_models(one)}"]
    lines += _over_tasks(family)
    if with_friedman and family.friedman:
        lines.append(f"  {family.friedman.caption()}")
    tests = dict.fromkeys(f"  p of {one.task}: {one.test}." for one in family.comparisons)
    return [*lines, *tests, f"  An interval for new patients is about {ESTIMAND}."]


def _models(one: TaskComparison) -> str:
    if one.bootstrap is None:
        return f"no interval for new patients: {one.why}"
    return f"these models on new patients: {effect_and_interval(one.bootstrap)}"


def _over_tasks(family: Family) -> list[str]:
    lines = []
    for one in family.across:
        first, second = short_names((one.method, one.reference))
        lines.append(
            f"  mean of {len(family.tasks)} tasks: {first} - {second} = {effect_and_interval(one.difference)}; "
            f"{one.wins} won, {one.ties} tied, {one.losses} lost"
        )
    return [*lines, *(_ranks(family.ranks) if family.ranks and len(family.ranks.methods) > 2 else [])]


def _ranks(ranks: Ranks) -> list[str]:
    lines = [f"  mean ranks over {len(ranks.tasks)} tasks, 1 is the best (95 % for new patients):"]
    lines += [f"    {o.rank:.2f} ({o.interval.low:.2f} to {o.interval.high:.2f})  {o.method}" for o in ranks.methods]
    lines += [f"    not ranked, lacks {', '.join(tasks)}: {name}" for name, tasks in ranks.left_out.items()]
    shared = [f"{a} and {b} {count}" for (a, b), count in ranks.shared_patients.items()]
    return [*lines, *([f"    tasks share patients: {', '.join(shared)}"] if shared else [])]


def _plain(family: Family) -> dict[str, object]:
    return {
        "suite": family.suite,
        "fraction": family.fraction,
        "task_kind": family.task_kind,
        "kind": family.kind,
        "reference": family.reference,
        "tasks": family.tasks,
        "comparisons": [_comparison(one) for one in family.comparisons],
        "across": [
            {"method": one.method, "wins": one.wins, "ties": one.ties, "losses": one.losses, **_effect(one.difference)}
            for one in family.across
        ],
        "mean_ranks": [
            {"method": one.method, "rank": one.rank, "low": one.interval.low, "high": one.interval.high}
            for one in (family.ranks.methods if family.ranks else ())
        ],
        "friedman": vars(family.friedman) if family.friedman else None,
    }


def _comparison(one: TaskComparison) -> dict[str, object]:
    return {
        "task": one.task,
        "method": one.method,
        **_effect(one.result),
        "p_adjusted": one.adjusted,
        "test": one.test,
        "bootstrap": _effect(one.bootstrap) if one.bootstrap else None,
        "bootstrap_redrawn": one.bootstrap.interval.redrawn if one.bootstrap else None,
        "bootstrap_why_not": one.why,
        "sentence": one.sentence,
    }


def _effect(of: Comparison) -> dict[str, object]:
    return {"difference": of.effect, "low": of.low, "high": of.high, "p": of.p}
