"""Curves of one run: ROC, calibration, Kaplan-Meier of groups by predicted risk, and what training measured."""

from collections.abc import Iterator, Sequence

from markupsafe import Markup

from hiptbench.report.data import Curve, RunReport
from hiptbench.report.figure import LINES, Figure, Key
from hiptbench.report.svg import Frame, Point, element, path, roomy, steps
from hiptbench.report.wording import probability, sentence

_UNIT = (0.0, 1.0)
_SQUARE = 322
"""Height at which both axes of a figure are equally long."""


def line_of(points: Sequence[Point], style: int) -> Markup:
    """Return a line in a style of the style sheet."""
    return element("path", class_=f"line line-{style % LINES}", d=path(points))


def roc_figure(run: RunReport) -> Figure | None:
    """Return the ROC curves of a run, one a class, averaged over its folds; None if it has none."""
    if not run.roc:
        return None
    frame = Frame(_UNIT, _UNIT, "false-positive rate", "true-positive rate", height=_SQUARE)
    marks = [_diagonal(frame), *_lines(frame, run.roc)]
    caption = (
        f"ROC of {run.method}, averaged over {len(run.folds)} folds at equal false-positive rate.{_band(run.roc)} "
        f"{_size(run)}."
    )
    keys = tuple(Key(style % LINES, curve.label) for style, curve in enumerate(run.roc))
    return Figure(frame.draw(f"ROC curves of {run.method} on {run.task}", *marks), caption, keys)


def calibration_figure(run: RunReport) -> Figure | None:
    """Return the reliability curve of a run; None if it has none."""
    if not run.calibration:
        return None
    frame = Frame(_UNIT, _UNIT, "predicted probability", "observed share", height=_SQUARE)
    line = frame.points(run.calibration.x, run.calibration.y)
    dots = element("path", class_="dots", d="".join(f"M{x:.1f} {y:.1f}h0" for x, y in line))
    marks = [_diagonal(frame), *_lines(frame, [run.calibration]), dots]
    caption = (
        f"Calibration ({run.calibration.label}): on the diagonal, predicted probabilities come true. {_size(run)}."
    )
    return Figure(frame.draw(f"Calibration of {run.method} on {run.task}", *marks), caption)


def groups_figure(run: RunReport) -> Figure | None:
    """Return the Kaplan-Meier curves of a run's risk groups; None if it has none."""
    if not run.groups or not run.groups.curves:
        return None
    curves = run.groups.curves
    frame = Frame((0.0, max(curve.x[-1] for curve in curves)), _UNIT, "months", "survival")
    test = (
        f" Log-rank p {probability(run.groups.log_rank_p)}, descriptive only."
        if run.groups.log_rank_p is not None
        else ""
    )
    caption = f"Kaplan-Meier by predicted risk, {run.method}. Cut: {sentence(run.groups.cut)}{_band(curves)}{test}"
    marks = _lines(frame, curves, stepped=True)
    return Figure(frame.draw(f"Kaplan-Meier curves of {run.method} on {run.task}", *marks), caption, _keys(curves))


def training_figures(run: RunReport) -> Iterator[Figure]:
    """Yield what training measured in each epoch, one figure a measure."""
    measured = {name: values for name, values in run.training.items() if name != "epoch" and len(values) > 1}
    for name, values in measured.items():
        epochs = run.training.get("epoch") or tuple(range(1, len(values) + 1))
        frame = Frame((epochs[0], epochs[-1]), roomy(values), "epoch", name)
        marks = line_of(frame.points(epochs, values), 0)
        caption = f"Training: {name}, mean over {len(run.folds)} folds, {len(values)} epochs."
        yield Figure(frame.draw(f"{name} of {run.method} on {run.task} by epoch", marks), caption)


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


def _diagonal(frame: Frame) -> Markup:
    return element("path", class_="neutral", d=path(frame.points(_UNIT, _UNIT)))


def _keys(curves: Sequence[Curve]) -> tuple[Key, ...]:
    return tuple(Key(style % LINES, curve.label + _behind(curve)) for style, curve in enumerate(curves))


def _behind(curve: Curve) -> str:
    if curve.n is None:
        return ""
    return f" (n = {curve.n}" + ("" if curve.events is None else f", {curve.events} events") + ")"


def _band(curves: Sequence[Curve]) -> str:
    return "".join(f" Band: {sentence(text)}" for text in dict.fromkeys(curve.band for curve in curves) if text)


def _size(run: RunReport) -> str:
    events = "" if run.n_events is None else f", {run.n_events} events"
    return f"{run.n_units} {run.protocol.unit}s{events}"
