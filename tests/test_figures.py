"""Figures: what is drawn is what the leaderboard says, nothing that does not compare, and the same bytes every time."""

import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import matplotlib
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from hiptbench.cells import Cell
from hiptbench.claims import read_reproduction
from hiptbench.errors import StoreError, UnknownNameError
from hiptbench.export import Export
from hiptbench.figures import FORMATS, PLOTS, content_of, published_values, select, write_figure
from hiptbench.figures.board import FOLDS, PUBLISHED, SEEDS, draw_board
from hiptbench.figures.efficiency import OTHERS, draw_efficiency
from hiptbench.figures.looks import KINDS
from hiptbench.fractions import BY_PATIENTS
from hiptbench.metrics import definition_of
from hiptbench.published import PublishedFold
from hiptbench.published_rows import published_protocol, save_published
from hiptbench.results import FoldResult
from toys import make_row

FRACTIONS = (0.1, 0.25, 0.5, 1.0)


# One complete cell: kind to metric; mean, spreads, folds, seeds; units, evaluations, events; protocol, missing, variant
CELL = Cell("measured", "s", "a", "f", "knn", 1.0, None, "auc", 0.75, 0.0625, None, 2, 1, 20, 20, None, "p", 0, "v", "")


def cell(task: str = "a", baseline: str = "knn", mean: float = 0.75, fraction: float = 1.0, **changes: Any) -> Cell:
    stated = {"task": task, "baseline": baseline, "mean": mean, "fraction": fraction, "protocol": f"{task}-{fraction}"}
    return replace(CELL, **stated | changes)


BOARD = (
    cell("a", "knn", 0.75),
    cell("a", "mil", 0.875, sd_seeds=0.03125, n_seeds=5),
    cell("a", "knn", 0.5, 0.25),
    cell("b", "mil", 0.625, sd_folds=None),
    cell("b", "max", 0.9375),
    cell("c", "mil", 0.5625, metric="c_index", n_events=7),
    cell("c", "cox", 0.6875, metric="c_index", n_events=7),
)
"""Three tasks; ``mil`` is on all, first once, last twice."""

CURVES = tuple(
    cell("a", baseline, start + fraction / 4, fraction, sd_seeds=sd_seeds)
    for baseline, start, sd_seeds in (("mil", 0.5, 0.03125), ("knn", 0.25, None))
    for fraction in FRACTIONS
)


def rows_of(axes: Axes) -> dict[int, str]:
    """Which method's name stands at which height."""
    return dict(zip(axes.get_yticks(), (label.get_text() for label in axes.get_yticklabels()), strict=True))


def marks(axes: Axes, label: str, names: dict[int, str]) -> dict[str, list[float]]:
    """The x values of what has a label, by the method whose row it is in."""
    found: dict[str, list[float]] = {}
    for line in axes.lines:
        if line.get_label() == label:
            found.setdefault(names[round(line.get_ydata()[0])], []).extend(line.get_xdata())
    return found


def heights(axes: Axes, label: str) -> list[float]:
    return [line.get_ydata()[0] for line in axes.lines if line.get_label() == label]


def texts(figure: Figure) -> list[str]:
    legend = [text.get_text() for one in figure.legends for text in one.get_texts()]
    return [text.get_text() for text in figure.texts] + legend


# What is drawn


def test_every_dot_and_bar_is_a_cells() -> None:
    a, b, c = draw_board(content_of(BOARD)).axes
    names = rows_of(a)  # the names stand once, beside the first panel of a row
    assert marks(a, "100%", names) == {"knn": [0.75], "mil": [0.875]}
    assert marks(a, "25%", names) == {"knn": [0.5]}
    assert marks(a, FOLDS, names) == {"knn": [0.6875, 0.8125, 0.4375, 0.5625], "mil": [0.8125, 0.9375]}
    assert marks(a, SEEDS, names) == {"mil": [0.84375, 0.90625]}
    assert marks(b, "100%", names) == {"mil": [0.625], "max": [0.9375]}
    assert marks(b, FOLDS, names) == {"max": [0.875, 1.0]}  # one fold has no spread, and no bar
    assert marks(c, "100%", rows_of(c)) == {"mil": [0.5625], "cox": [0.6875]}
    assert not any(text.get_visible() and text.get_text() for text in b.get_yticklabels())


def test_the_whole_training_part_is_filled_and_stands_above() -> None:
    axes = draw_board(content_of(BOARD)).axes[0]
    faces = {
        str(line.get_label()): to_hex(line.get_markerfacecolor()) for line in axes.lines if line.get_marker() == "o"
    }
    assert faces == {"100%": KINDS["measured"].lower(), "25%": "#ffffff"}
    assert axes.yaxis.get_inverted()
    (row,) = (row for row, name in rows_of(axes).items() if name == "knn")
    assert min(heights(axes, "100%"), key=lambda y: abs(y - row)) < row < heights(axes, "25%")[0]


def test_methods_stand_by_mean_rank_in_one_order() -> None:
    content = content_of(BOARD)
    # max wins b alone and cox wins c alone; mil wins a, and is last in b and c; knn is last in a and alone at 25 %.
    assert [method.name for method in content.methods] == ["cox", "max", "mil", "knn"]
    a, _, c = draw_board(content).axes
    assert list(rows_of(a).values()) == ["max", "mil", "knn"]  # what has no number in a row of panels has no row
    assert list(rows_of(c).values()) == ["cox", "mil"]


def test_equal_methods_stand_by_name() -> None:
    assert [method.name for method in content_of([cell(baseline=b) for b in "cab"]).methods] == ["a", "b", "c"]


@given(st.permutations(BOARD))
def test_rows_do_not_depend_on_the_cells_order(cells: Sequence[Cell]) -> None:
    assert content_of(cells).methods == content_of(BOARD).methods


def test_panels_keep_the_boards_order_and_say_what_they_stand_on() -> None:
    shown = texts(draw_board(content_of([cell("my_task"), *BOARD])))
    assert shown[0] == "Leaderboard of s, features f"
    assert shown[1:8] == ["my task", "AUC, 20 units", *("a", "AUC, 20 units", "b", "AUC, 20 units"), "c"]
    assert shown[8] == "c-index, 20 units, 7 events"


def test_panels_of_a_metric_share_their_range_and_rows_hold_three() -> None:
    axes = draw_board(content_of([*BOARD, cell("d"), cell("e")])).axes
    auc = [one for one in axes if one.get_xlim() == axes[0].get_xlim()]
    assert (len(axes), len(auc)) == (5, 4)
    low, high = axes[0].get_xlim()
    assert low < 0.4375 < 1.0 < high
    assert [round(one.get_position().y0, 3) for one in axes].count(round(axes[0].get_position().y0, 3)) == 2


def test_the_legend_explains_what_is_there_and_no_more() -> None:
    assert texts(draw_board(content_of(BOARD)))[-4:] == ["100% of training part", "25% of training part", FOLDS, SEEDS]
    assert texts(draw_board(content_of([cell(sd_folds=None)])))[-1] == "100% of training part"


def test_several_fractions_have_a_tint_and_a_lane_each() -> None:
    axes = draw_board(content_of(CURVES)).axes[0]
    dots = [line for line in axes.lines if line.get_marker() == "o" and round(line.get_ydata()[0]) == 0]
    assert [line.get_label() for line in sorted(dots, key=lambda line: line.get_ydata()[0])] == [
        *("100%", "50%", "25%", "10%")
    ]
    assert len({line.get_markerfacecolor() for line in dots}) == 4


# Published values, kinds and features


def claimed(**changes: Any) -> Cell:
    """A cell of ours that is to reproduce the first claim's published value."""
    claim = read_reproduction().claims[0]
    protocol = published_protocol(claim.task, claim.fraction).id_for("auc", definition_of("auc"))
    stated = {"task": claim.task, "features": claim.features, "baseline": claim.baseline, "protocol": protocol}
    return cell(**stated | changes)


def test_a_published_value_stands_in_the_row_of_what_reproduces_it() -> None:
    figure = draw_board(content_of([claimed(), claimed(baseline="knn", mean=0.8125)], published_values(())))
    (axes,) = figure.axes
    assert marks(axes, PUBLISHED, rows_of(axes)) == {"hipt_gp_hipt2022": [0.879]}
    low, high = axes.get_xlim()
    assert low < 0.879 < high
    assert texts(figure)[-1] == PUBLISHED


@pytest.mark.parametrize("change", [{"protocol": "another"}, {"kind": "published"}, {"features": "f"}])
def test_what_does_not_compare_with_a_published_value_has_none(change: dict[str, Any]) -> None:
    axes = draw_board(content_of([claimed(**change)], published_values(()))).axes[0]
    assert heights(axes, PUBLISHED) == []


def test_values_never_printed_need_the_authors_folds() -> None:
    values = published_values(())
    assert len(values) == len(read_reproduction().claims)
    task = "tcga_kirp_survival"
    model = "HIPT_LGP[vit4k_xs_dino]_freeze_[None]"
    folds = [
        PublishedFold("results_2022_surv", f"x/{task}_s1", task, model, 1.0, fold, {"val_cindex": value}, {}, 1)
        for fold, value in enumerate((0.75, 0.625, 0.6875, 0.75, 0.625))
    ]
    more = {place: value for place, value in published_values(folds).items() if values[place] != value}
    assert list(more.values()) == [0.6875]


def test_kinds_differ_in_name_colour_and_legend() -> None:
    mixed = [cell(), cell(kind="synthetic", mean=0.5), cell(kind="published", mean=0.25)]
    figure = draw_board(content_of(mixed))
    names = rows_of(figure.axes[0])
    assert list(names.values()) == ["knn", "knn (synthetic)", "knn (published)"]
    colours = {
        line.get_xdata()[0]: line.get_markeredgecolor() for line in figure.axes[0].lines if line.get_marker() == "o"
    }
    assert colours == {0.75: KINDS["measured"], 0.5: KINDS["synthetic"], 0.25: KINDS["published"]}
    assert texts(figure)[-4:-1] == ["measured", "published", "synthetic"]


@pytest.mark.parametrize(
    ("kind", "heading"),
    [
        ("synthetic", "Leaderboard of s, simulated data, features f"),
        ("published", "Leaderboard of s, published results, features f"),
    ],
)
def test_a_figure_of_one_kind_says_so_in_its_heading(kind: str, heading: str) -> None:
    figure = draw_board(content_of([cell(kind=kind)]))
    assert texts(figure)[0] == heading
    assert list(rows_of(figure.axes[0]).values()) == ["knn"]


def test_methods_on_features_of_the_task_share_a_row_and_other_features_have_another() -> None:
    own = content_of([cell("a", features="of_a"), cell("b", features="of_b")])
    assert ([method.name for method in own.methods], own.subject) == (["knn"], "s")
    several = content_of([cell(features="f", mean=0.5), cell(features="g")])
    assert [method.name for method in several.methods] == ["g/knn", "f/knn"]


def test_several_suites_are_named_in_the_heading() -> None:
    cells = [cell(suite=f"own:{i}", task=f"t{i}") for i in range(4)]
    assert content_of(cells).subject == "own:0, own:1, own:2 and 1 more, features f"


# What is never drawn


def test_incomplete_cohorts_are_never_drawn() -> None:
    incomplete = cell("a", "mil", 0.9, missing_slides=1, protocol="p-incomplete")
    assert content_of([cell("a"), incomplete]) == content_of([cell("a")])
    for cells in ([], [incomplete]):
        with pytest.raises(StoreError, match=r"no complete results to draw\. `hiptbench run` makes some"):
            content_of(cells)


def test_two_numbers_in_one_place_are_refused() -> None:
    with pytest.raises(StoreError, match=r"Two numbers claim the place of f/knn on a at 100%.*other settings"):
        content_of([cell(), cell(variant="w")])


def test_two_protocols_in_one_place_are_refused() -> None:
    with pytest.raises(StoreError, match=r"Numbers of 2 protocols stand on a at 25% and do not compare"):
        content_of([cell(), cell(fraction=0.25), cell(baseline="mil", fraction=0.25, protocol="another")])


def export_of(folder: Path, rows: Sequence[FoldResult]) -> Export:
    folder.mkdir()
    (folder / "rows.jsonl").write_text("".join(f"{row.model_dump_json()}\n" for row in rows))
    return Export(folder)


def folds(value: float, **settings: Any) -> list[FoldResult]:
    return [make_row(value, fold=fold, **settings) for fold in (0, 1)]


def test_fractions_of_one_rule_are_selected_and_the_rest_is_named(tmp_path: Path) -> None:
    own = {"suite": "hipt-2022", "task": "tcga_brca_subtype", "fraction": 0.25}
    rows = [
        *folds(0.75, protocol=own | {"fraction": 1.0}),
        *folds(0.5, protocol=own | {"fraction_rule": "pandas sample, random_state 1"}),
        *folds(0.625, protocol=own | {"fraction_rule": BY_PATIENTS.stated}),
        *folds(0.25, protocol=own | {"missing_slides": 1, "fraction": 1.0}),
    ]
    results = export_of(tmp_path / "export", rows)
    found = select(results)
    assert [one.mean for one in found.cells] == [0.75, 0.5]
    assert found.notes == (
        "2 folds at fractions drawn by another rule are not drawn (--fraction-rule).",
        "1 numbers of incomplete cohorts are not drawn.",
    )
    assert [one.mean for one in select(results, by_patients=True).cells] == [0.75, 0.625]
    assert select(results, suite="digits").cells == select(results, kind="synthetic").cells == ()


def test_tasks_of_ones_own_have_one_rule(tmp_path: Path) -> None:
    rows = folds(0.5, protocol={"fraction": 0.5, "fraction_rule": BY_PATIENTS.stated})
    results = export_of(tmp_path / "export", rows)
    assert select(results).cells == select(results, by_patients=True).cells != ()


def test_the_authors_rows_stand_beside_ours(tmp_path: Path) -> None:
    results = export_of(tmp_path / "export", folds(0.5))
    task = "tcga_brca_subtype"
    save_published(
        results.path,
        [PublishedFold("x", f"{task}_s1", task, "mil", 1.0, fold, {"test_auc": 0.5}, {}, 1) for fold in range(10)],
    )
    assert [one.kind for one in select(results).cells] == ["published", "measured"]
    assert [one.kind for one in select(results, kind="published").cells] == ["published"]


# Label efficiency


def test_lines_are_the_cells_over_fractions() -> None:
    figure = draw_efficiency(content_of([*CURVES, cell("b")]))
    (axes,) = figure.axes  # b has one fraction only
    lines = {line.get_label(): (list(line.get_xdata()), list(line.get_ydata())) for line in axes.lines}
    assert lines == {
        "f/mil": (list(FRACTIONS), [0.525, 0.5625, 0.625, 0.75]),
        "f/knn": (list(FRACTIONS), [0.275, 0.3125, 0.375, 0.5]),
    }
    assert axes.get_xscale() == "log"
    assert [label.get_text() for label in axes.get_xticklabels()] == ["10%", "25%", "50%", "100%"]
    assert texts(figure)[0] == "Label efficiency on s, features f"


def test_a_band_is_the_sd_over_seeds() -> None:
    (band,) = draw_efficiency(content_of(CURVES)).axes[0].collections  # mil has seeds, knn has not
    points = {(round(float(x), 9), round(float(y), 9)) for x, y in band.get_paths()[0].vertices}
    assert {(1.0, 0.75 - 0.03125), (1.0, 0.75 + 0.03125), (0.1, 0.525 - 0.03125), (0.1, 0.525 + 0.03125)} <= points


def test_only_the_best_lines_have_colours() -> None:
    cells = [cell("a", f"m{i:02}", 0.9 - i / 50, fraction) for i in range(9) for fraction in FRACTIONS]
    figure = draw_efficiency(content_of(cells))
    assert texts(figure)[-8:] == [*(f"m{i:02}" for i in range(7)), OTHERS]
    assert len({line.get_color() for line in figure.axes[0].lines}) == 8


def test_lines_need_three_fractions() -> None:
    with pytest.raises(StoreError, match=r"needs a method at 3 training fractions of a task; .* at 25%, 100%"):
        draw_efficiency(content_of(BOARD))


# The file


@pytest.mark.parametrize("name", ["board.jpg", "board", "board.svgz"])
def test_other_formats_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnknownNameError, match=r"no figure format '.*What exists: pdf, png, svg"):
        write_figure(content_of(BOARD), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("plot", PLOTS)
@pytest.mark.parametrize("form", FORMATS)
def test_the_same_numbers_give_the_same_bytes(tmp_path: Path, form: str, plot: Any) -> None:
    cells = [*BOARD[3:], *CURVES]
    write_figure(content_of(cells), first := tmp_path / f"first.{form}", plot)
    with matplotlib.rc_context(
        {"font.size": 20, "lines.linewidth": 5, "svg.hashsalt": "mine"}
    ):  # a user's own settings
        write_figure(content_of(cells), second := tmp_path / f"second.{form.upper()}", plot)
    assert first.read_bytes() == second.read_bytes()
    write_figure(content_of([*cells[:-1], replace(cells[-1], mean=0.875)]), second, plot)
    assert first.read_bytes() != second.read_bytes()


def test_svg_keeps_text_as_text_of_a_readable_size(tmp_path: Path) -> None:
    write_figure(content_of([*BOARD, cell("a", "a$x$_b<")]), path := tmp_path / "board.svg")
    svg = path.read_text()
    assert {*re.findall(r"font-size: (\d+)px", svg), *re.findall(r"font: (\d+)px", svg)} == {"7", "8", "9"}
    assert ">a$x$_b&lt;</text>" in svg
    assert not re.search(r"<dc:date>|20\d\d-|Matplotlib", svg)


def test_pdf_and_png_name_no_date_and_no_version(tmp_path: Path) -> None:
    for form in ("pdf", "png"):
        write_figure(content_of(BOARD), path := tmp_path / f"board.{form}")
        assert not re.search(rb"CreationDate|Producer|[Mm]atplotlib", path.read_bytes())


LONG = tuple(
    cell(f"a_task_with_a_rather_long_name_{i}", f"package.module:Method{i % 2}", 0.75, features=f"features_of_{i % 2}")
    for i in range(4)
) + tuple(cell(f"a_task_with_a_rather_long_name_{i}", "knn", 0.5, sd_seeds=0.1) for i in range(4))


@pytest.mark.parametrize("cells", [BOARD, BOARD[:1], LONG, CURVES], ids=["board", "one", "long", "curves"])
def test_texts_stay_on_the_page_and_apart(cells: Sequence[Cell]) -> None:
    with matplotlib.rc_context({"font.sans-serif": ["DejaVu Sans"]}):
        figure = draw_board(content_of(cells))
        figure.draw_without_rendering()
        names = [name for axes in figure.axes for name in axes.get_yticklabels() if name.get_visible()]
        legend = [text for one in figure.legends for text in one.get_texts()]
        boxes = [text.get_window_extent().padded(-0.5) for text in (*figure.texts, *legend, *names)]
        page, used = figure.bbox_inches, figure.get_tightbbox()
    assert page.x0 <= used.x0 < used.x1 <= page.x1
    assert page.y0 <= used.y0 < used.y1 <= page.y1
    assert not any(one.overlaps(two) for i, one in enumerate(boxes) for two in boxes[:i])


def test_nothing_is_drawn_by_importing() -> None:
    code = "import sys, hiptbench.figures; print('matplotlib' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
