"""Curves of one run: ROC, calibration, Kaplan-Meier of groups by predicted risk, and what training measured."""

from collections.abc import Iterable, Iterator, Sequence

from markupsafe import Markup

from hiptbench.report.figure import LINES, Figure, Key
from hiptbench.report.run_data import Curve, RunReport
from hiptbench.report.svg import PLOT, Frame, Point, element, path, roomy, short, steps
from hiptbench.report.wording import plural, probability, sentence

_UNIT = (0.0, 1.0)
_SQUARE = 322
"""Height at which both axes of a figure are equally long."""

_ROW, _APART = 15, 30
"""Pixels between two rows, and between two numbers of a row, of the numbers at risk."""


def line_of(points: Sequence[Point], style: int) -> Markup:
    """Return a line in a style of the style sheet."""
    return element("path", class_=f"line line-{style % LINES}", d=path(points))


def whiskers(spans: Iterable[tuple[Point, Point]], style: int) -> list[Markup]:
    """Return upright intervals as one mark in a style of the style sheet.

    Args:
        spans: The lower and the upper end of each interval, in pixels, one above the other.
        style: Number of the style.

    Returns:
        One mark; none for no interval.
    """
    drawn = "".join(f"M{short(x)} {short(low)}V{short(high)}" for (x, low), (_, high) in spans)
    return [element("path", class_=f"whisker line-{style % LINES}", d=drawn)] if drawn else []


def roc_figure(run: RunReport) -> Figure | None:
    """Return the ROC curves of a run, one a class, averaged over its folds; None if it has none."""
    if not run.roc:
        return None
    frame = Frame(_UNIT, _UNIT, "false-positive rate", "true-positive rate", height=_SQUARE)
    marks = [_diagonal(frame), *_lines(frame, run.roc)]
    caption = (
        f"ROC of {run.name}, averaged over {len(run.folds)} folds at equal false-positive rate.{_band(run.roc)} "
        f"{_size(run)}.{_repeat(run)}"
    )
    keys = tuple(Key(style % LINES, curve.label) for style, curve in enumerate(run.roc))
    return Figure(frame.draw(f"ROC curves of {run.name} on {run.task}", *marks), caption, keys)


def calibration_figure(run: RunReport) -> Figure | None:
    """Return what was predicted against what came true; None if a run has no calibration."""
    curve = run.calibration
    if not curve:
        return None
    timed = curve.events is not None
    words = ("predicted survival", "Kaplan-Meier survival") if timed else ("predicted probability", "observed share")
    frame = Frame(_UNIT, _UNIT, *words, height=_SQUARE)
    dots = element("path", class_="dots", d="".join(f"M{x:.1f} {y:.1f}h0" for x, y in frame.points(curve.x, curve.y)))
    marks = [_diagonal(frame), *_intervals(frame, curve), line_of(frame.points(curve.x, curve.y), 0), dots]
    caption = f"Calibration ({curve.label}): on the diagonal, predicted probabilities come true.{_pooled(run, curve)}"
    caption += f"{_bars(curve)}{_repeat(run)}"
    return Figure(frame.draw(f"Calibration of {run.name} on {run.task}", *marks), caption)


def groups_figure(run: RunReport) -> Figure | None:
    """Return the Kaplan-Meier curves of a run's risk groups; None if it has none."""
    if not run.groups or not run.groups.curves:
        return None
    curves = run.groups.curves
    last = max(curve.x[-1] for curve in curves) or 1.0  # all were followed for less than a month
    months = _months(curves, last)
    frame = Frame(
        (0.0, last),
        _UNIT,
        "months",
        "survival",
        tuple((month, str(month)) for month in months) or None,
        foot=_ROW * (len(curves) + 1) if months else 0,
    )
    test = (
        f" Log-rank p {probability(run.groups.log_rank_p)}, descriptive only."
        if run.groups.log_rank_p is not None
        else ""
    )
    cut = "" if run.groups.cut is None else f" Cut: {sentence(run.groups.cut)}"
    caption = f"Kaplan-Meier by predicted risk, {run.name}.{cut}{_band(curves)}{test}"
    caption += _repeat(run)
    marks = [*_lines(frame, curves, stepped=True), *_at_risk(frame, curves, months)]
    return Figure(frame.draw(f"Kaplan-Meier curves of {run.name} on {run.task}", *marks), caption, _keys(curves))


def training_figures(run: RunReport) -> Iterator[Figure]:
    """Yield what training measured in each epoch, one figure a measure."""
    measured = {name: values for name, values in run.training.items() if name != "epoch" and len(values) > 1}
    for name, values in measured.items():
        epochs = run.training.get("epoch") or tuple(range(1, len(values) + 1))
        frame = Frame((epochs[0], epochs[-1]), roomy(values), "epoch", name)
        marks = line_of(frame.points(epochs, values), 0)
        caption = f"Training: {name}, mean over {_trainings(run)}, the {len(values)} epochs that all of them had."
        yield Figure(frame.draw(f"{name} of {run.name} on {run.task} by epoch", marks), caption)


def _lines(frame: Frame, curves: Sequence[Curve], *, stepped: bool = False) -> list[Markup]:
    """Return the bands of some curves, then their lines above them."""
    trace = steps if stepped else list
    bands = []
    for style, curve in enumerate(curves):
        if curve.low and curve.high:
            edges = trace(frame.points(curve.x, curve.high)), trace(frame.points(curve.x, curve.low))
            outline = path([*edges[0], *reversed(edges[1])], closed=True)
            bands.append(element("path", class_=f"band band-{style % LINES}", d=outline))
    return [*bands, *(line_of(trace(frame.points(curve.x, curve.y)), style) for style, curve in enumerate(curves))]


def _months(curves: Sequence[Curve], last: float) -> list[int]:
    """Return the months at which the numbers at risk are known and have room."""
    known = sorted({month for curve in curves for month, _ in curve.at_risk if month <= last})
    least = _APART * last / PLOT
    kept: list[int] = []
    for month in known:
        if not kept or month - kept[-1] >= least:
            kept.append(month)
    return kept


def _at_risk(frame: Frame, curves: Sequence[Curve], months: Sequence[int]) -> list[Markup]:
    """Return the numbers at risk below the axis, a row a curve, after a piece of its line."""
    if not months:
        return []
    marks = [element("text", "number at risk", x=4, y=frame.height + 9, class_="tick-left")]
    for style, curve in enumerate(curves):
        y, known = frame.height + _ROW * (style + 1) + 9, dict(curve.at_risk)
        marks.append(line_of([(4, y - 4), (28, y - 4)], style))
        marks += [
            element("text", str(known[month]), x=frame.across(month), y=y, class_="tick")
            for month in months
            if month in known
        ]
    return marks


def _intervals(frame: Frame, curve: Curve) -> list[Markup]:
    """Return the interval of each point of a curve."""
    if not (curve.low and curve.high):
        return []
    return whiskers(zip(frame.points(curve.x, curve.low), frame.points(curve.x, curve.high), strict=True), 0)


def _pooled(run: RunReport, curve: Curve) -> str:
    """Return how many predictions a calibration curve is of."""
    if curve.n is None:
        return ""
    if curve.events is None:
        return f" {curve.n} predictions of all folds together{_again(run)}."
    return f" {curve.n} predictions of all folds together in groups of like ones, {curve.events} events by then."


def _again(run: RunReport) -> str:
    """Return that units count several times, where several folds test them."""
    repeated = run.n_evaluations is not None and run.n_evaluations > run.n_units
    return f", a {run.protocol.unit} once a fold that tests it" if repeated else ""


def _bars(curve: Curve) -> str:
    return f" Bars: {sentence(curve.band)}" if curve.band else ""


def _diagonal(frame: Frame) -> Markup:
    return element("path", class_="neutral", d=path(frame.points(_UNIT, _UNIT)))


def _keys(curves: Sequence[Curve]) -> tuple[Key, ...]:
    return tuple(Key(style % LINES, curve.label + _behind(curve)) for style, curve in enumerate(curves))


def _behind(curve: Curve) -> str:
    if curve.n is None:
        return ""
    return f" (n = {curve.n}" + ("" if curve.events is None else f", {curve.events} events") + ")"


def _repeat(run: RunReport) -> str:
    return f" Of {run.of_repeat}." if run.of_repeat else ""


def _trainings(run: RunReport) -> str:
    """Return in words what training was averaged over."""
    parts = [plural(len(run.folds), "fold")]
    parts += [plural(count, noun) for count, noun in ((run.n_seeds, "seed"), (run.n_draws, "draw")) if count > 1]
    return " by ".join(parts)


def _band(curves: Sequence[Curve]) -> str:
    return "".join(f" Band: {sentence(text)}" for text in dict.fromkeys(curve.band for curve in curves) if text)


def _size(run: RunReport) -> str:
    events = "" if run.n_events is None else f", {run.n_events} events"
    return f"{run.n_units} {run.protocol.unit}s{events}"
