"""Scales, paths and bars: what is drawn stands where its value says."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_data import RULE, made_data
from made_details import PREDICTIONS

from hiptbench.report import wording
from hiptbench.report.attention import attention_figure
from hiptbench.report.bars import Axis
from hiptbench.report.curves import calibration_figure, groups_figure, roc_figure, training_figures
from hiptbench.report.efficiency import efficiency_figures
from hiptbench.report.family_data import Family, Rank
from hiptbench.report.ranks import difference_diagram
from hiptbench.report.run_data import Attention, Bounds, Curve, Groups, RunReport
from hiptbench.report.svg import Frame, Scale, element, path, steps

LIMITS = st.tuples(st.floats(-1e4, 1e4), st.floats(1e-3, 1e4)).map(lambda pair: (pair[0], pair[0] + pair[1]))


@given(LIMITS, st.integers(2, 8))
def test_ticks_lie_inside_and_are_few(limits: tuple[float, float], most: int) -> None:
    scale = Scale(*limits, 0, 100)
    ticks = scale.ticks(most)
    assert len(ticks) <= most
    assert all(-0.01 <= scale(tick) <= 100.01 for tick in ticks)


def test_ticks_are_round() -> None:
    assert Scale(0, 1, 0, 100).ticks(6) == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1])
    assert Scale(0.512, 0.97, 0, 100).ticks(5) == pytest.approx([0.6, 0.7, 0.8, 0.9])


def test_what_is_not_markup_is_escaped() -> None:
    assert element("text", "<&>", x=1.25, class_='"', y=None) == '<text x="1.2" class="&#34;">&lt;&amp;&gt;</text>'


def test_straight_runs_need_their_ends_only() -> None:
    assert path([(0, 0), (1, 1), (2, 2), (3, 0)]) == "M0 0L2 2L3 0"
    assert path([(0, 0), (1, 1)], closed=True) == "M0 0L1 1Z"


@given(st.lists(st.tuples(st.floats(0, 300), st.floats(0, 200)), min_size=1, max_size=30))
def test_paths_keep_their_ends(points: list[tuple[float, float]]) -> None:
    numbers = [float(number) for number in re.findall(r"-?\d+\.?\d*", path(points))]
    assert numbers[:2] == pytest.approx(points[0], abs=0.06)
    assert numbers[-2:] == pytest.approx(points[-1], abs=0.06)


def test_steps_keep_a_value_until_the_next() -> None:
    assert steps([(0, 1.0), (2, 0.5)]) == [(0, 1.0), (2, 1.0), (2, 0.5)]


def test_bars_stand_where_their_values_say() -> None:
    axis = Axis(0, 1, neutral=0.5, width=112)
    bar = axis.interval(0.25, Bounds(low=0.1, high=0.4, draws=10, redrawn=0), "measured")
    assert 'd="M16 9H46"' in bar
    assert 'd="M31 9m' in bar
    assert 'd="M56 0v18"' in bar  # neutral
    assert "span" not in axis.interval(0.25, None, "published")


def test_kinds_have_marks_of_their_own() -> None:
    axis = Axis(0, 1)
    shapes = {
        re.sub(r'class="[^"]*"', "", axis.interval(0.5, None, kind)) for kind in ("measured", "published", "synthetic")
    }
    assert len(shapes) == 3


def test_figures_are_named_and_captioned_with_n() -> None:
    runs = made_data(methods=1, tasks=("tcga_kidney_subtype", "tcga_luad_survival"), suites=("hipt-2022",)).runs
    roc = roc_figure(runs[0])
    assert roc is not None
    assert "605 slides" in roc.caption
    assert "Band: one standard deviation over the folds." in roc.caption
    assert [key.text for key in roc.keys] == ["CCRCC", "PRCC", "CHRCC"]
    assert 'role="img"' in roc.drawing
    groups = groups_figure(next(run for run in runs if run.groups))
    assert groups is not None
    assert [key.text for key in groups.keys] == ["lower risk (n = 449, 51 events)", "higher risk (n = 449, 77 events)"]
    assert groups.drawing.count(">449</text>") == 2  # at risk from the first
    assert "number at risk" in groups.drawing
    survived = calibration_figure(next(run for run in runs if run.groups))
    assert survived is not None
    assert survived.drawing.count('class="whisker line-0"') == 1
    assert "whisker" not in calibration_figure(runs[0]).drawing  # type: ignore[union-attr]
    assert "Calibration (survival at 24 months)" in survived.caption
    assert "449 predictions of all folds together in groups of like ones, 61 events by then. Bars: 95 % interval" in (
        survived.caption
    )
    calibration = calibration_figure(runs[0])
    assert calibration is not None
    assert f"{PREDICTIONS} predictions of all folds together, a slide once a fold that tests it." in calibration.caption
    assert all(figure.caption.endswith("Of seed 1 (of 5).") for figure in (roc, groups, calibration))
    assert all("10 folds by 5 seeds" in figure.caption for figure in training_figures(runs[0]))
    published = next(run for run in runs if run.kind == "published")
    assert roc_figure(published) is groups_figure(published) is calibration_figure(published) is None


def survivors(*curves: Curve) -> RunReport:
    """Return a run with these curves of its risk groups."""
    run = next(run for run in made_data(methods=1, tasks=("tcga_luad_survival",), suites=("hipt-2022",)).runs)
    return run.model_copy(update={"groups": Groups(curves=curves, cut="at the median")})


def test_patients_who_were_followed_for_less_than_a_month_are_drawn() -> None:
    figure = groups_figure(survivors(Curve(label="lower risk", x=(0.0,), y=(1.0,), n=3, events=0, at_risk=((0, 3),))))
    assert figure is not None
    assert ">3</text>" in figure.drawing


def test_numbers_at_risk_keep_apart() -> None:
    months = tuple((month, 1000 - month) for month in range(241))
    drawing = groups_figure(survivors(Curve(label="all", x=(0.0, 240.0), y=(1.0, 0.2), n=1000, at_risk=months)))
    assert drawing is not None
    places = [float(x) for x in re.findall(r'<text x="([\d.]+)" y="274" class="tick">', drawing.drawing)]
    assert len(places) > 5
    assert all(after - before >= 30 for before, after in pairwise(places))


def test_two_rules_of_drawing_a_fraction_are_not_mixed() -> None:
    made = made_data(methods=2, tasks=("tcga_kidney_subtype",), suites=("hipt-2022",))
    other = [
        run.model_copy(update={"protocol": run.protocol.model_copy(update={"fraction_rule": "patients"}), "mean": 0.1})
        for run in made.runs
        if run.fraction < 1
    ]
    figures = list(efficiency_figures(made.tasks[0], [*made.runs, *other], lambda run: None))
    assert [re.search(r"drawn by ([^;]*)", figure.caption)[1] for figure in figures] == [RULE, "patients"]
    assert figures[0].drawing == next(efficiency_figures(made.tasks[0], made.runs, lambda run: None)).drawing


def test_frames_name_their_axes() -> None:
    drawing = Frame((0, 1), (0, 1), "months", "survival").draw("a title")
    assert "<title>a title</title>" in drawing
    assert ">months</text>" in drawing
    assert ">survival</text>" in drawing


def test_attention_shows_every_instance() -> None:
    figure = attention_figure(Attention(name="bag 1", weights=(0.6, 0.4, 0.0)))
    assert figure.drawing.count("h0") == 3
    assert figure.caption.startswith("Bag 1: 3 instances")
    assert "1.8 times the average" in figure.caption


def test_attention_lies_where_the_instances_do() -> None:
    figure = attention_figure(Attention(name="bag 1", weights=(0.6, 0.4), cells=((0, 0), (3, 1))))
    assert 'viewBox="0 0 4 2"' in figure.drawing
    assert 'd="M0.5 0.5h0"' in figure.drawing
    assert 'd="M3.5 1.5h0"' in figure.drawing
    assert "2 instances where they lie, slides side by side" in figure.caption


def test_attention_without_any_weight() -> None:
    assert "heat-0" in attention_figure(Attention(name="bag 1", weights=(0.0, 0.0))).drawing


def family(*ranks: float, reach: float | None) -> Family:
    made = tuple(
        Rank(
            method=f"m{i}", mean_rank=rank, low=None, high=None, mean_difference=None, wins=None, ties=None, losses=None
        )
        for i, rank in enumerate(ranks)
    )
    return Family(
        suite="s",
        fraction=1.0,
        kind="survival",
        reference="m0",
        chosen="beforehand",
        tasks=("a", "b"),
        comparisons=(),
        ranks=made,
        caption="N = 2",
        critical_difference=reach,
    )


def test_the_diagram_joins_what_lies_within_the_critical_difference() -> None:
    figure = difference_diagram(family(1.0, 1.5, 2.2, 4.0, reach=1.0))
    assert figure is not None
    assert figure.drawing.count('class="group"') == 2  # 1.0 with 1.5, and 1.5 with 2.2
    assert "N = 2." in figure.caption
    assert difference_diagram(family(1.0, 2.0, reach=None)) is None


def test_numbers_are_written_alike() -> None:
    assert wording.number(-0.0004) == "0.000"
    assert wording.number(-0.0204) == "\N{MINUS SIGN}0.020"
    assert wording.signed(0.02) == "+0.020"
    assert wording.signed(0.0) == "0.000"
    assert wording.number(None) == wording.NONE
    assert wording.number(0.8125) == "0.813"  # a tie, as the script rounds it
    assert wording.number(0.6795025) == "0.680"
    assert wording.probability(0.0004) == "< .001"
    assert wording.probability(0.0503) == ".0503" == wording.measure("log_rank", 0.0503)
    assert wording.share(0.25, "a rule") == "25%, drawn by a rule"
    assert [wording.plural(count, "number") for count in (1, 2)] == ["1 number", "2 numbers"]
    assert wording.percent(0.25) == "25%"
    assert wording.plus_minus((0.8, None)) == "0.800"
    assert [wording.duration(seconds) for seconds in (5.0, 90.0, 7200.0)] == ["5.0 s", "1.5 min", "2.0 h"]
    assert wording.sentence("one.") == wording.sentence("one") == "one."
