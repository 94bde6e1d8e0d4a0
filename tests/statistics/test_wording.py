"""The words of a comparison: effect and interval first, p second, and no more than was found."""

from dataclasses import dataclass

import pytest

from hiptbench.errors import MetricError
from hiptbench.statistics.wording import number, p_value, sentence, verdict


@dataclass(frozen=True)
class Found:
    effect: float = 0.0124
    low: float | None = 0.001
    high: float | None = 0.0239
    p: float | None = 0.041
    note: str = ""


def test_effect_and_interval_come_first() -> None:
    assert sentence("A", "B", Found(), adjusted=0.246, family=6) == (
        "A - B = +.012 (95 %, not adjusted, .001 to .024); not distinguishable after Holm over 6 comparisons "
        "(p .041, adjusted .246)"
    )


def test_alone_there_is_nothing_to_adjust() -> None:
    assert sentence("A", "B", Found()) == "A - B = +.012 (95 % .001 to .024); A is higher (p .041)"
    lower = Found(effect=-0.2, low=-0.3, high=-0.1, p=0.0001)
    assert sentence("A", "B", lower) == "A - B = -.200 (95 % -.300 to -.100); A is lower (p < .001)"


def test_the_adjusted_p_decides() -> None:
    assert verdict(Found()) == "higher"
    assert verdict(Found(), adjusted=0.051) == "not distinguishable"
    assert verdict(Found(p=None)) == "not tested"
    said = sentence("A", "B", Found(p=0.0001), adjusted=0.0006, family=6)
    assert said.endswith("A is higher after Holm over 6 comparisons (p < .001, adjusted .001)")


def test_without_a_test_the_note_says_why() -> None:
    found = Found(low=None, high=None, p=None, note="one fold says nothing")
    assert sentence("A", "B", found, family=6) == "A - B = +.012; not tested: one fold says nothing"


def test_a_note_follows() -> None:
    same = Found(0.0, 0.0, 0.0, 1.0, "the two have the same value in every draw")
    assert sentence("A", "B", same) == (
        "A - B = .000 (95 % .000 to .000); not distinguishable (p 1.000): the two have the same value in every draw"
    )


def test_a_raw_p_of_a_family_is_not_told_alone() -> None:
    with pytest.raises(MetricError, match="A - B is one of 6 comparisons: adjust its p"):
        sentence("A", "B", Found(), family=6)


@pytest.mark.parametrize(
    ("value", "signed", "text"),
    [(0.0124, True, "+.012"), (-0.0124, False, "-.012"), (1.0, False, "1.000"), (-0.0001, True, ".000")],
)
def test_numbers(value: float, signed: bool, text: str) -> None:
    assert number(value, signed=signed) == text


@pytest.mark.parametrize(
    ("p", "text"),
    [
        (0.041, ".041"),
        (0.0004, "< .001"),
        (0.0502, ".0502"),
        (0.05004, ".05004"),
        (0.05 + 1e-9, "> .05"),
        (0.0498, ".050"),
        (0.05, ".050"),
        (1.0, "1.000"),
    ],
)
def test_p_is_never_rounded_over_the_level(p: float, text: str) -> None:
    assert p_value(p) == text
