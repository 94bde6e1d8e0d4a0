"""How our results hold against the published ones, as text, Markdown or JSON."""

import json
from collections.abc import Sequence
from math import sqrt
from statistics import fmean, stdev

from hiptbench.claims import Reproduction
from hiptbench.equivalence import Comparison
from hiptbench.reproduction import Assessment, GroupReport

_COLUMNS = ("task", "train", "method", "published", "ours", "sd (seeds)", "allowed", "difference", "verdict")
_FOLD_COLUMNS = ("task", "train", "method", "mean", "sd", "ours minus theirs, fold by fold")
_COMPARED = "Our recipes beside each other, each fold's mean over the seeds"
_COMPARED_COLUMNS = ("task", "train", "metric", "mean difference")

Grid = list[tuple[str, ...]]


def to_text(stated: Reproduction, groups: Sequence[GroupReport], comparisons: Sequence[Comparison]) -> str:
    """Return the report for a terminal: aligned columns, one block a group."""
    blocks = [_rule(stated)]
    for group in groups:
        blocks += [_heading(group), _aligned(_cells_grid(group))]
        if folds := _folds_grid(group):
            blocks += [_aligned(folds)]
        blocks.append(_count(group))
    if comparisons:
        blocks += [_COMPARED, _aligned(_comparisons_grid(comparisons)), *map(_sentence, comparisons)]
    return "\n\n".join(blocks) + "\n"


def to_markdown(stated: Reproduction, groups: Sequence[GroupReport], comparisons: Sequence[Comparison]) -> str:
    """Return the report for a page: two tables a group."""
    blocks = [_rule(stated)]
    for group in groups:
        blocks += [f"### {_heading(group)}", _piped(_cells_grid(group))]
        if folds := _folds_grid(group):
            blocks += ["Paired differences of the folds:", _piped(folds)]
        blocks.append(_count(group))
    if comparisons:
        blocks += [f"### {_COMPARED}", _piped(_comparisons_grid(comparisons)), *map(_sentence, comparisons)]
    return "\n\n".join(blocks) + "\n"


def to_json(stated: Reproduction, groups: Sequence[GroupReport], comparisons: Sequence[Comparison]) -> str:
    """Return the report for machines, in full precision; null where there is no value."""
    content = {
        "seeds": stated.seeds,
        "groups": [
            {
                "name": group.group.name,
                "table": group.group.table,
                "cells": [_values(one) for one in group.assessments],
                "holding": group.holding,
                "required": group.group.required,
            }
            for group in groups
        ],
        "equivalences": [_comparison_values(one) for one in comparisons],
    }
    return json.dumps(content, indent=1) + "\n"


def _values(one: Assessment) -> dict[str, object]:
    differences = one.fold_differences
    return {
        **one.claim.model_dump(),
        "tolerance": one.tolerance,
        "published": one.reference.mean,
        "published_status": one.reference.status,
        "mean": one.mean,
        "sd_seeds": one.sd_seeds,
        "by_seed": one.by_seed,
        "allowed": one.allowed,
        "difference": one.difference,
        "verdict": one.verdict,
        "fold_differences": differences,
        "fold_differences_mean": fmean(differences.values()) if differences else None,
        "fold_differences_sd": stdev(differences.values()) if differences else None,
        "protocol": one.protocol,
        "variant": one.variant,
    }


def _comparison_values(one: Comparison) -> dict[str, object]:
    return {
        **one.stated.model_dump(),
        "seeds": one.seeds,
        "by_task": one.by_task,
        "mean": one.mean,
        "interval": one.interval,
        "verdict": one.verdict,
    }


def _rule(stated: Reproduction) -> str:
    count = len(stated.seeds)
    return (
        f"A cell holds if |mean over seeds - published| <= max(tolerance, {2 * sqrt(1 + 1 / count):.3f} x sd over "
        f"seeds).\nSeeds ({', '.join(map(str, stated.seeds))}), tolerances and published values were fixed in advance."
    )


def _heading(group: GroupReport) -> str:
    return f"{group.group.name}, against the published table {group.group.table}"


def _count(group: GroupReport) -> str:
    stated = group.group
    return f"{stated.name}: {group.holding} of {len(stated.claims)} cells hold (at least {stated.required} must)."


def _cells_grid(group: GroupReport) -> Grid:
    return [_COLUMNS, *(_cell_line(one) for one in group.assessments)]


def _cell_line(one: Assessment) -> tuple[str, ...]:
    status = "" if one.reference.status == "printed" else f" ({one.reference.status})"
    return (
        *_name(one),
        f"{_shown(one.reference.mean)}{status}".strip(),
        _shown(one.mean),
        _shown(one.sd_seeds),
        _shown(one.allowed),
        _signed(one.difference),
        one.verdict,
    )


def _folds_grid(group: GroupReport) -> Grid:
    lines = [_fold_line(one) for one in group.assessments if one.fold_differences]
    return [_FOLD_COLUMNS, *lines] if lines else []


def _fold_line(one: Assessment) -> tuple[str, ...]:
    values = list(one.fold_differences.values())
    return (*_name(one), _signed(fmean(values)), _shown(stdev(values)), " ".join(_signed(value) for value in values))


def _comparisons_grid(comparisons: Sequence[Comparison]) -> Grid:
    lines = [
        (task, f"{one.stated.fraction:.0%}", one.stated.metric, _signed(value))
        for one in comparisons
        for task, value in one.by_task.items()
    ]
    return [_COMPARED_COLUMNS, *lines]


def _sentence(one: Comparison) -> str:
    if one.mean is None or one.interval is None:
        return f"{one.stated.name}: {one.verdict}."
    low, high = map(_signed, one.interval)
    return (
        f"{one.stated.name}: mean difference {_signed(one.mean)}, 95 % interval {low} to {high} over "
        f"{sum(map(len, one.differences.values()))} folds, margin {one.stated.margin:g}: {one.verdict}."
    )


def _name(one: Assessment) -> tuple[str, str, str]:
    return one.claim.task, f"{one.claim.fraction:.0%}", f"{one.claim.features}/{one.claim.baseline}"


def _shown(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _signed(value: float | None) -> str:
    return "" if value is None else f"{value:+z.3f}"


def _aligned(grid: Grid) -> str:
    widths = [max(len(line[column]) for line in grid) for column in range(len(grid[0]))]
    lines = ("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)) for line in grid)
    return "\n".join(line.rstrip() for line in lines)


def _piped(grid: Grid) -> str:
    head, *lines = grid
    return "\n".join(f"| {' | '.join(line)} |" for line in (head, ("---",) * len(head), *lines))
