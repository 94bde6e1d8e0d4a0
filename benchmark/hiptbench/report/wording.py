"""How numbers are written on the page: the same number looks the same everywhere."""

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal

from hiptbench.report.run_data import Bounds
from hiptbench.results import ResultKind
from hiptbench.statistics.wording import p_value

NONE = "\N{EN DASH}"
"""What stands where there is no number."""

_MINUS = "\N{MINUS SIGN}"
_METRICS = {
    "auc": "AUC",
    "c_index": "c-index",
    "c_index_ipcw": "c-index (Uno, IPCW)",
    "td_auc": "time-dependent AUC",
    "auprc": "AUPRC",
    "ece": "expected calibration error (ECE)",
    "qwk": "quadratic weighted kappa",
    "brier": "Brier score",
    "integrated_brier": "integrated Brier score",
    "d_calibration": "D-calibration, p",
    "log_rank": "log-rank, p (descriptive)",
}
_CHANCE = {"auc": 0.5, "c_index": 0.5}
_ARE_P = {"d_calibration", "log_rank"}
_THOUSANDTH = Decimal("0.001")

SIGNS: Mapping[ResultKind, str] = {"measured": "●", "published": "◇", "synthetic": "△"}
"""What tells kinds of results apart beside their names."""


def number(value: float | None) -> str:
    """Return a value with three decimals and a true minus sign."""
    if value is None:
        return NONE
    text = str(Decimal(value).quantize(_THOUSANDTH, ROUND_HALF_UP))  # a tie goes the way of the script's toFixed
    return _MINUS + text[1:] if text.startswith("-") and float(text) else text.lstrip("-")


def signed(value: float | None) -> str:
    """Return a difference with its sign."""
    text = number(value)
    return f"+{text}" if value is not None and value > 0 and text != "0.000" else text


def count(value: int | None) -> str:
    """Return a count."""
    return NONE if value is None else str(value)


def interval(bounds: Bounds | None) -> str:
    """Return the ends of an interval."""
    return NONE if bounds is None else f"{number(bounds.low)} to {number(bounds.high)}"


def plus_minus(value: tuple[float, float | None] | None) -> str:
    """Return a mean with its standard deviation, as papers print them."""
    if value is None:
        return NONE
    mean, sd = value
    return number(mean) if sd is None else f"{number(mean)} ± {number(sd)}"


def probability(value: float | None) -> str:
    """Return a p-value."""
    return NONE if value is None else p_value(value)


def measure(name: str, value: float | None) -> str:
    """Return the value of a measure, some of which are p-values."""
    return probability(value) if name in _ARE_P else number(value)


def percent(fraction: float) -> str:
    """Return a fraction as people read it."""
    return f"{100 * fraction:g}%"


def share(fraction: float, rule: str | None) -> str:
    """Return a fraction with how it was drawn."""
    return f"{percent(fraction)}, drawn by {rule}" if rule else percent(fraction)


def plural(number: int, noun: str) -> str:
    """Return how many there are of something."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def duration(seconds: float) -> str:
    """Return a time in the unit that suits it."""
    for size, unit in ((3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.1f} s"


def metric_name(metric: str) -> str:
    """Return a metric as people call it."""
    return _METRICS.get(metric, metric.replace("_", " "))


def chance(metric: str) -> float | None:
    """Return what guessing amounts to in a metric; None where that depends on the data."""
    return _CHANCE.get(metric)


def listed(counts: Mapping[str, int]) -> str:
    """Return counts by name in one line, the parts joined by commas."""
    return ", ".join(f"{name} {number}" for name, number in counts.items())


def sentence(text: str) -> str:
    """Return a text with a full stop at its end."""
    return text if text.endswith((".", "!", "?")) else f"{text}."
