"""Methods across the tasks of a family: bars of their mean ranks, and the critical-difference diagram."""

from collections.abc import Sequence

from markupsafe import Markup

from hiptbench.report.bars import Axis
from hiptbench.report.family_data import Family, Rank
from hiptbench.report.figure import Figure
from hiptbench.report.run_data import Bounds
from hiptbench.report.svg import Number, Scale, element, short
from hiptbench.report.wording import sentence
from hiptbench.results import ResultKind

_WIDTH, _MARGIN, _LINE, _TOP = 900, 270, 18, 40


def rank_axis(ranks: Sequence[Rank]) -> Axis:
    """Return the axis of a family's mean ranks."""
    ends = [end for rank in ranks for end in (rank.mean_rank, rank.low, rank.high) if end is not None]
    return Axis(min(1.0, *ends) - 0.2, max(*ends, 2.0) + 0.2)


def rank_bar(axis: Axis, rank: Rank, kind: ResultKind) -> Markup:
    """Return a mean rank with its interval where there is one."""
    known = rank.low is not None and rank.high is not None
    bounds = Bounds(low=rank.low or 0, high=rank.high or 0, draws=0, redrawn=0) if known else None
    return axis.interval(rank.mean_rank, bounds, kind)


def difference_diagram(family: Family) -> Figure | None:
    """Return the critical-difference diagram of a family; None where the difference is not known.

    Methods are joined by a bar if their mean ranks differ by less than the critical difference (Demsar, JMLR 2006).
    """
    ranks, reach = family.ranks, family.critical_difference
    if reach is None or len(ranks) < 2:
        return None
    scale = Scale(1, len(ranks), _MARGIN, _WIDTH - _MARGIN)
    groups = _groups([rank.mean_rank for rank in ranks], reach)
    first = _TOP + 8 * len(groups) + 14  # below the bars
    half = (len(ranks) + 1) // 2
    height = first + _LINE * half
    drawing = element(
        "svg",
        element("title", f"Critical-difference diagram of {len(ranks)} methods on {len(family.tasks)} tasks"),
        *_axis(scale, len(ranks)),
        *(_label(scale, rank, index, len(ranks), first) for index, rank in enumerate(ranks)),
        *(_bar(scale, ends, _TOP + 8 * (index + 1)) for index, ends in enumerate(groups)),
        viewBox=f"0 0 {_WIDTH} {height}",
        width=_WIDTH,
        height=height,
        role="img",
        class_="figure wide",
    )
    caption = (
        f"Mean ranks, the best on the left. Methods under one bar differ by less than the critical difference "
        f"({reach:.2f}, Nemenyi at .05). {sentence(family.caption)}"
    )
    return Figure(drawing, caption)


def _groups(ranks: Sequence[Number], reach: Number) -> list[tuple[Number, Number]]:
    """Return the ends of the largest runs of ranks that lie within the critical difference."""
    found: list[tuple[Number, Number]] = []
    for low in ranks:
        high = max(rank for rank in ranks if rank - low < reach)
        if high > low and (not found or high > found[-1][1]):
            found.append((low, high))
    return found


def _axis(scale: Scale, methods: int) -> list[Markup]:
    ticks = scale.ticks(min(methods, 12))
    line = f"M{short(scale(1))} {_TOP}H{short(scale(methods))}"
    marks = "".join(f"M{short(scale(tick))} {_TOP}v-5" for tick in ticks)
    texts = [element("text", f"{tick:g}", x=scale(tick), y=_TOP - 9, class_="tick") for tick in ticks]
    return [element("path", class_="axis", d=line + marks), *texts]


def _label(scale: Scale, rank: Rank, index: int, methods: int, first: int) -> Markup:
    """Return a method's name beside the axis, on the left for the better half, with a line to its rank."""
    left = index < (methods + 1) // 2
    y = first + _LINE * (index if left else methods - 1 - index)
    edge = _MARGIN - 14 if left else _WIDTH - _MARGIN + 14
    line = element("path", class_="axis", d=f"M{short(scale(rank.mean_rank))} {_TOP}V{y}H{edge}")
    side = "tick-y" if left else "tick-left"
    return Markup("").join([line, element("text", rank.method, x=edge + (-5 if left else 5), y=y + 4, class_=side)])


def _bar(scale: Scale, ends: tuple[Number, Number], y: int) -> Markup:
    low, high = map(scale, ends)
    return element("path", class_="group", d=f"M{short(low - 3)} {y}H{short(high + 3)}")
