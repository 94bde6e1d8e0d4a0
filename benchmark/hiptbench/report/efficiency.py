"""Label efficiency: how the mean of a method rises with the share of the training part that it sees."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

from markupsafe import Markup

from hiptbench.report.curves import line_of, whiskers
from hiptbench.report.figure import Figure, Key
from hiptbench.report.run_data import RunReport
from hiptbench.report.svg import Frame, roomy
from hiptbench.report.task_data import TaskReport
from hiptbench.report.wording import metric_name, percent

_MOST = 5


def efficiency_figures(
    task: TaskReport, runs: Sequence[RunReport], href: Callable[[RunReport], str | None]
) -> Iterator[Figure]:
    """Yield the curves of a task's best methods over fractions, a figure for each rule by which fractions are drawn.

    Args:
        task: The task.
        runs: Its runs.
        href: Where the card of a run is.
    """
    for rule in dict.fromkeys(run.protocol.fraction_rule for run in runs if run.fraction < 1):
        curves = _best([run for run in runs if run.fraction == 1 or run.protocol.fraction_rule == rule])
        if curves:
            yield _figure(task, curves, rule, href)


def _figure(
    task: TaskReport,
    curves: Sequence[Sequence[RunReport]],
    rule: str | None,
    href: Callable[[RunReport], str | None],
) -> Figure:
    drawn = [run for curve in curves for run in curve]
    fractions = sorted({run.fraction for run in drawn})
    ends = [
        end for run in drawn for end in (run.mean, *((run.interval.low, run.interval.high) if run.interval else ()))
    ]
    ticks = tuple((100 * fraction, percent(fraction)) for fraction in fractions)
    frame = Frame((0.0, 104.0), roomy(ends), f"share of the training {task.unit}s", metric_name(task.metric), ticks)
    middle = (len(curves) - 1) / 2
    marks = [mark for style, curve in enumerate(curves) for mark in _curve(frame, curve, style, 3 * (style - middle))]
    caption = (
        f"Mean {metric_name(task.metric)} of the {len(curves)} best methods by share of the training {task.unit}s"
        f"{f', drawn by {rule}' if rule else ''}; bars are 95% intervals for new patients, {drawn[0].n_units} "
        f"{task.unit}s. Each share is a protocol of its own: the curve shows what one method gains from more labels."
    )
    keys = tuple(Key(style, curve[0].name, href(curve[-1])) for style, curve in enumerate(curves))
    return Figure(frame.draw(f"Label efficiency on {task.name}", *marks), caption, keys)


def _best(runs: Sequence[RunReport]) -> list[list[RunReport]]:
    """Return the methods that ran at two fractions or more, the best at the largest first, each by rising fraction."""
    methods: dict[tuple[str, str], dict[float, RunReport]] = defaultdict(dict)
    for run in runs:
        methods[run.kind, run.method].setdefault(run.fraction, run)
    curves = [[found[fraction] for fraction in sorted(found)] for found in methods.values() if len(found) > 1]
    return sorted(curves, key=lambda curve: (-curve[-1].fraction, -curve[-1].mean))[:_MOST]


def _curve(frame: Frame, curve: Sequence[RunReport], style: int, aside: float) -> list[Markup]:
    """Return a method's line and its intervals, moved aside so that those of several methods stay apart."""
    points = [(frame.across(100 * run.fraction) + aside, frame.up(run.mean)) for run in curve]
    spans = (
        ((x, frame.up(run.interval.low)), (x, frame.up(run.interval.high)))
        for (x, _), run in zip(points, curve, strict=True)
        if run.interval
    )
    return [*whiskers(spans, style), line_of(points, style)]
