"""Comparisons in words that a careful reader accepts: the effect and its interval first, p second."""

from typing import Literal

from hiptbench.errors import MetricError
from hiptbench.statistics.comparison import ALPHA, Comparison

Verdict = Literal["higher", "lower", "not distinguishable", "not tested"]


def verdict(comparison: Comparison, adjusted: float | None = None) -> Verdict:
    """Return whether the first method is higher or lower than the second, at .05.

    Args:
        comparison: The comparison.
        adjusted: Its p as adjusted within its family; None takes the raw one.
    """
    p = comparison.p if adjusted is None else adjusted
    if p is None:
        return "not tested"
    if p > ALPHA:
        return "not distinguishable"
    return "higher" if comparison.effect > 0 else "lower"


def sentence(first: str, second: str, comparison: Comparison, *, adjusted: float | None = None, family: int = 1) -> str:
    """Return a comparison as one sentence without its full stop.

    Args:
        first: Name of the first method.
        second: Name of the second.
        comparison: The comparison.
        adjusted: Its p as adjusted by Holm within its family; needed if the family has more than one comparison.
        family: Number of comparisons in the family.

    Returns:
        Such as "A - B = +.012 (95 %, not adjusted, .001 to .024); not distinguishable after Holm over 6 comparisons (p
        .041, adjusted .246)".

    Raises:
        MetricError: If a comparison of a larger family has a p and no adjusted one.
    """
    if family > 1 and comparison.p is not None and adjusted is None:
        raise MetricError(f"{first} - {second} is one of {family} comparisons: adjust its p within them (``holm``).")
    effect = effect_and_interval(comparison, unadjusted=family > 1 and adjusted is not None)
    said = f"{first} - {second} = {effect}; {_judged(first, comparison, adjusted, family)}"
    return f"{said}: {comparison.note}" if comparison.note else said


def effect_and_interval(comparison: Comparison, *, unadjusted: bool = False) -> str:
    """Return an effect with its sign, and its interval where there is one.

    Args:
        comparison: The comparison.
        unadjusted: Whether to say that the interval is not adjusted, as beside a verdict that is, which it may
            contradict.
    """
    effect = number(comparison.effect, signed=True)
    if comparison.low is None or comparison.high is None:
        return effect
    level = "95 %, not adjusted," if unadjusted else "95 %"
    return f"{effect} ({level} {number(comparison.low)} to {number(comparison.high)})"


def number(value: float, *, signed: bool = False) -> str:
    """Return a number to three decimals without the zero before the point; zero has no sign."""
    text = f"{abs(value):.3f}".removeprefix("0")
    if not float(text):
        return text
    sign = "-" if value < 0 else "+" if signed else ""
    return sign + text


def p_value(p: float) -> str:
    """Return p such as ".041" or "< .001", with as many decimals as keep it on its side of .05, at most six."""
    if p < 0.0005:
        return "< .001"
    for decimals in range(3, 7):
        if (round(p, decimals) > ALPHA) == (p > ALPHA):
            return f"{p:.{decimals}f}".removeprefix("0")
    return "> .05"


def _judged(first: str, comparison: Comparison, adjusted: float | None, family: int) -> str:
    judged = verdict(comparison, adjusted)
    if comparison.p is None:
        return judged
    words = judged if judged == "not distinguishable" else f"{first} is {judged}"
    if family == 1 or adjusted is None:
        return f"{words} (p {p_value(comparison.p)})"
    return f"{words} after Holm over {family} comparisons (p {p_value(comparison.p)}, adjusted {p_value(adjusted)})"
