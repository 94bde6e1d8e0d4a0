"""Families of comparisons as text and as JSON."""

import json
from collections.abc import Mapping, Sequence

from hiptbench.families import Family
from hiptbench.pairs import NO_TEST, TaskComparison, short_names
from hiptbench.statistics.comparison import Comparison
from hiptbench.statistics.draws import ESTIMAND
from hiptbench.statistics.ranks import AcrossTasks, MeanRank
from hiptbench.statistics.wording import effect_and_interval, sentence, verdict

RANK_RANGE = "2.5 to 97.5 % of draws of new patients, no confidence interval"


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
    adjusted = f"; {family.size} comparisons, adjusted together" if family.size > 1 else ""
    lines = [
        f"{family.suite}, {family.task_kind} at {family.fraction:.0%}, {family.kind}; "
        f"held against {family.reference}{adjusted}"
    ]
    for task in family.tasks:
        lines.append(f"  {task}")
        for one in (one for one in family.comparisons if one.task == task):
            lines += [f"    {one.sentence}", f"        {_models(one)}"]
    lines += [*_over_tasks(family), *_ranks(family), *_overlaps(family)]
    if with_friedman and family.friedman:
        lines.append(f"  {family.friedman.caption()}")
    lines += [f"  left out: {note}" for note in family.left_out]
    return [*lines, *_tests(family), f"  An interval for new patients is about {ESTIMAND}."]


def _models(one: TaskComparison) -> str:
    if one.bootstrap is None:
        return f"no interval for new patients: {one.why}"
    return f"these models on new patients: {effect_and_interval(one.bootstrap)}"


def _over_tasks(family: Family) -> list[str]:
    if family.across_why:
        return [f"  no mean over tasks: {family.across_why}"]
    if not family.ranks or len(family.ranks.tasks) < 2:
        return []
    short = _short(family)
    return [
        f"  mean of {len(family.ranks.tasks)} tasks, new patients: "
        + sentence(
            short[one.method],
            short[one.reference],
            one.difference,
            adjusted=one.adjusted,
            family=len(family.across),
        )
        + f"; {one.wins} won, {one.ties} tied, {one.losses} lost"
        for one in family.across
    ]


def _short(family: Family) -> dict[str, str]:
    names = [family.reference, *dict.fromkeys(one.method for one in family.comparisons)]
    return dict(zip(names, short_names(names), strict=True))


def _ranks(family: Family) -> list[str]:
    ranks = family.ranks
    if not ranks or len(ranks.tasks) < 2:
        return []
    lines = []
    if len(ranks.methods) > 2:
        lines.append(f"  mean ranks over {len(ranks.tasks)} tasks, 1 is the best ({RANK_RANGE}):")
        lines += [
            f"    {o.rank:.2f} ({o.interval.low:.2f} to {o.interval.high:.2f})  {o.method}" for o in ranks.methods
        ]
    left = ranks.left_out.items()
    return [*lines, *(f"  not in what is said over tasks, lacks {', '.join(tasks)}: {name}" for name, tasks in left)]


def _overlaps(family: Family) -> list[str]:
    lines = [
        f"  {inner} does not count over tasks: all of its patients are those of {outer}"
        for inner, outer in family.nested.items()
    ]
    shared = family.ranks.shared_patients if family.ranks else {}
    pairs = [f"{a} and {b} {count}" for (a, b), count in shared.items()]
    if pairs:
        lines.append(f"  tasks share patients, which intervals over tasks do not account for: {', '.join(pairs)}")
    return lines


def _tests(family: Family) -> list[str]:
    """Return where each task's p come from; which methods', where a task has several tests."""
    short, lines = _short(family), []
    for task in family.tasks:
        by_test: dict[str, list[str]] = {}
        for one in family.comparisons:
            if one.task == task and one.test != NO_TEST:
                by_test.setdefault("; ".join(filter(None, (one.test, one.sensitivity))), []).append(short[one.method])
        several = len(by_test) > 1
        lines += [
            f"  p of {task}{' (' + ', '.join(methods) + ')' if several else ''}: {test}."
            for test, methods in by_test.items()
        ]
    return lines


def _plain(family: Family) -> dict[str, object]:
    ranks = family.ranks
    return {
        "suite": family.suite,
        "fraction": family.fraction,
        "fraction_rule": family.fraction_rule,
        "task_kind": family.task_kind,
        "kind": family.kind,
        "reference": family.reference,
        "tasks": family.tasks,
        "adjusted_together": family.size,
        "comparisons": [_comparison(one) for one in family.comparisons],
        "across": [_over(one) for one in family.across],
        "across_tasks": ranks.tasks if ranks else (),
        "across_why_not": family.across_why,
        "mean_ranks": [_rank(one) for one in ranks.methods] if ranks else [],
        "mean_ranks_range": RANK_RANGE,
        "lacking_tasks": dict(ranks.left_out) if ranks else {},
        "nested_tasks": dict(family.nested),
        "shared_patients": _shared(ranks.shared_patients) if ranks else [],
        "friedman": _friedman(family),
        "left_out": family.left_out,
    }


def _over(one: AcrossTasks) -> dict[str, object]:
    return {
        "method": one.method,
        "wins": one.wins,
        "ties": one.ties,
        "losses": one.losses,
        **_effect(one.difference),
        "p_adjusted": one.adjusted,
        "verdict": verdict(one.difference, one.adjusted),
    }


def _rank(one: MeanRank) -> dict[str, object]:
    return {"method": one.method, "rank": one.rank, "draws_low": one.interval.low, "draws_high": one.interval.high}


def _shared(counts: Mapping[tuple[str, str], int]) -> list[dict[str, object]]:
    return [{"tasks": pair, "patients": count} for pair, count in counts.items()]


def _friedman(family: Family) -> dict[str, object] | None:
    """Return Friedman's test, its mean ranks by the names of the methods."""
    if not family.friedman or not family.ranks:
        return None
    return vars(family.friedman) | {"mean_ranks": {one.method: one.rank for one in family.ranks.methods}}


def _comparison(one: TaskComparison) -> dict[str, object]:
    return {
        "task": one.task,
        "method": one.method,
        **_effect(one.result),
        "p_adjusted": one.adjusted,
        "verdict": verdict(one.result, one.adjusted),
        "test": one.test,
        "sensitivity": one.sensitivity,
        "bootstrap": _effect(one.bootstrap) if one.bootstrap else None,
        "bootstrap_redrawn": one.bootstrap.interval.redrawn if one.bootstrap else None,
        "bootstrap_why_not": one.why,
        "sentence": one.sentence,
    }


def _effect(of: Comparison) -> dict[str, object]:
    return {"difference": of.effect, "low": of.low, "high": of.high, "p": of.p}
