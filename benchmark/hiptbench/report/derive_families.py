"""Comparisons for the page: our methods against a reference named in advance, HIPT against its baselines in print."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean

from hiptbench.cells import registered_suites
from hiptbench.families import Family as Compared
from hiptbench.families import by_family, compare_with
from hiptbench.joining import Joined
from hiptbench.pairs import Drawn, TaskComparison
from hiptbench.panels import Panel, PanelKey
from hiptbench.published_comparisons import CHOSEN, HIPT, PublishedFamily, published_families
from hiptbench.report.derive_runs import bounds
from hiptbench.report.family_data import Comparison, Family, Rank
from hiptbench.statistics.wording import p_value, verdict
from hiptbench.task_spec import Kind

REFERENCES: Mapping[Kind, str] = {"classification": "mean_logreg", "survival": "mean_cox"}
"""The simplest probe, one for each kind of task: what a method on the same features has to beat."""

_PROBE = "the simplest probe of the suite's features, by one rule for all suites"
_BEST = "the method with the best mean over the tasks, chosen after the fact, which favours it: the probe was not run"
_WHOLE = "with all units of the training lists counted as trained on, p would be {}"


def families(panels: Iterable[Panel], drawn: Mapping[PanelKey, Drawn], joined: Joined) -> tuple[Family, ...]:
    """Return every family of comparisons.

    Args:
        panels: Panels of every kind.
        drawn: The draws of each panel, by its key.
        joined: Results beside the tasks.
    """
    found = list(panels)
    own = [_ours(group, drawn, joined) for group in by_family(found).values() if group[0].kind != "published"]
    return (*(family for family in own if family.comparisons), *map(_published, published_families(found, joined)))


def _ours(group: Sequence[Panel], drawn: Mapping[PanelKey, Drawn], joined: Joined) -> Family:
    probe = _probe(group)
    reference = probe or _best(group)
    compared = compare_with(reference, group, drawn, joined)
    return Family(
        suite=compared.suite,
        fraction=compared.fraction,
        fraction_rule=group[0].protocol.fraction_rule,
        kind=compared.task_kind,
        results=compared.kind,
        reference=reference,
        chosen=_PROBE if probe else _BEST,
        tasks=compared.tasks,
        comparisons=tuple(_comparison(one, one.method) for one in compared.comparisons),
        ranks=_ranks(compared),
        caption=_caption(compared),
        friedman_p=compared.friedman.p if compared.friedman else None,
        critical_difference=compared.friedman.critical_difference if compared.friedman else None,
    )


def _probe(group: Sequence[Panel]) -> str | None:
    """Return the probe of the suite's own features, or of the one set of features that has it."""
    protocol = group[0].protocol
    wanted = REFERENCES[protocol.task_kind]
    holding = {
        run.name: run.rows[0].features for panel in group for run in panel.runs if run.rows[0].baseline == wanted
    }
    suite = registered_suites().get(protocol.suite)
    own = [name for name, features in holding.items() if suite and features == suite.features]
    return own[0] if own else next(iter(holding)) if len(holding) == 1 else None


def _best(group: Sequence[Panel]) -> str:
    """Return the method with the best mean over the tasks, of those that stand on most of them."""
    means: dict[str, list[float]] = defaultdict(list)
    for panel in group:
        for run in panel.runs:
            means[run.name].append(panel.mean(run))
    return max(means, key=lambda name: (len(means[name]), fmean(means[name]), name))


def _published(family: PublishedFamily) -> Family:
    comparisons = []
    for one in family.comparisons:
        whole = family.if_whole.get(one.task)
        said = whole.p if whole else None
        comparisons.append(_comparison(one, f"{HIPT} against {one.reference}", if_whole=said))
    return Family(
        suite="hipt-2022",
        fraction=family.fraction,
        kind=family.task_kind,
        results="published",
        reference="the best baseline of each task",
        chosen=CHOSEN,
        tasks=tuple(one.task for one in family.comparisons),
        comparisons=tuple(comparisons),
        ranks=(),
        caption="From the authors' per-fold results, HIPT less the best of its baselines.",
    )


def _comparison(one: TaskComparison, method: str, *, if_whole: float | None = None) -> Comparison:
    ours, theirs = one.runs
    return Comparison(
        task=one.task,
        method=method,
        card=ours.card,
        reference_card=theirs.card,
        difference=one.result.effect,
        interval=bounds(one.bootstrap.interval) if one.bootstrap else None,
        interval_why=one.why,
        p=one.result.p,
        p_adjusted=one.adjusted,
        test=one.test,
        verdict=verdict(one.result, one.adjusted),
        sensitivity=one.sensitivity if if_whole is None else _WHOLE.format(p_value(if_whole)),
    )


def _ranks(compared: Compared) -> tuple[Rank, ...]:
    against = {one.method: one for one in compared.across}
    return tuple(
        Rank(
            method=one.method,
            mean_rank=one.rank,
            low=one.interval.low,
            high=one.interval.high,
            mean_difference=other.difference.effect if other else None,
            interval=bounds(other.difference.interval) if other else None,
            wins=other.wins if other else None,
            ties=other.ties if other else None,
            losses=other.losses if other else None,
        )
        for one in (compared.ranks.methods if compared.ranks else ())
        for other in (against.get(one.method),)
    )


def _caption(compared: Compared) -> str:
    if compared.ranks is None:
        why = compared.across_why or "there is one task"
        return f"N = {len(compared.tasks)}; nothing is said over tasks, since {why}."
    said = [compared.friedman.caption()] if compared.friedman else [f"N = {len(compared.tasks)} tasks."]
    said += [
        f"{task} does not count: all its patients are those of {other}." for task, other in compared.nested.items()
    ]
    if compared.ranks.left_out:
        said.append(f"Not ranked, as they lack a task: {', '.join(compared.ranks.left_out)}.")
    if compared.ranks.shared_patients:
        pairs = (f"{a} and {b} ({count})" for (a, b), count in compared.ranks.shared_patients.items())
        said.append(f"Tasks that share patients: {', '.join(pairs)}.")
    return " ".join(said)
