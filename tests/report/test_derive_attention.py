"""Kept attention is drawn where its instances lie, from the run to the page."""

from pathlib import Path

import h5py
import numpy as np
import pytest

from hiptbench.features import FeatureSet
from hiptbench.kept import BagAttention, Keep
from hiptbench.report.derive import derive
from hiptbench.report.derive_attention import cells_of
from hiptbench.runner import run
from hiptbench.store import Store
from toys import baseline_file, make_home, plan_of

STEP = 4096


def placed(coords: list[tuple[int, int]], slides: list[int]) -> BagAttention:
    return BagAttention("a", np.ones(len(coords), np.float32), np.array(coords), np.array(slides))


def test_instances_lie_on_the_grid_of_their_slide() -> None:
    assert cells_of(placed([(512, 0), (768, 256), (1024, 0)], [0, 0, 0])) == ((0, 0), (1, 1), (2, 0))


def test_slides_lie_side_by_side() -> None:
    assert cells_of(placed([(0, 0), (256, 0), (9000, 700), (9256, 956)], [0, 0, 1, 1])) == (
        *((0, 0), (1, 0)),
        *((3, 0), (4, 1)),
    )


def test_contours_a_few_pixels_off_the_grid_do_not_spread_it() -> None:
    first = [(x, y) for x in range(0, 1024, 256) for y in range(0, 1024, 256)]
    cells = cells_of(placed([*first, (2051, 3), (2307, 3)], [0] * 18))
    assert cells is not None
    assert cells[-2:] == ((8, 0), (9, 0))


def test_a_contour_half_a_step_off_keeps_its_columns() -> None:
    here = [(x, 0) for x in range(0, 2048, 256)]
    there = [(x + 4096 + 128, 256) for x in range(0, 2048, 256)]
    assert len(set(cells_of(placed([*here, *there], [0] * 16)) or ())) == 16


def test_doubled_instances_do_not_spread_the_grid() -> None:
    assert cells_of(placed([(0, 0), (0, 0), (50000, 0), (50000, 0)], [0] * 4)) == ((0, 0), (0, 0), (1, 0), (1, 0))


@pytest.mark.parametrize("coords", [[(5, 5)], [(5, 5), (5, 5)]])
def test_one_place_is_one_cell(coords: list[tuple[int, int]]) -> None:
    assert set(cells_of(placed(coords, [0] * len(coords))) or ()) == {(0, 0)}


def test_without_coordinates_there_are_no_cells() -> None:
    assert cells_of(BagAttention("a", np.ones(2, np.float32))) is None


def test_a_run_keeps_where_instances_lie(tmp_path: Path) -> None:
    task = make_home(tmp_path, folds=2)
    toy = FeatureSet.open(tmp_path / "toy")
    placed_features = tmp_path / "placed"
    placed_features.mkdir()
    for unit in task.units:
        bag = toy.bag(unit, task.slides(unit))
        with h5py.File(placed_features / f"{task.slides(unit)[0]}.h5", "w") as file:
            file["features"] = bag.features
            file["coords"] = np.stack([np.arange(len(bag)) * STEP, np.zeros(len(bag), np.int64)], axis=1)
    (tmp_path / "toy").rename(tmp_path / "unplaced")
    placed_features.rename(tmp_path / "toy")
    network = baseline_file(tmp_path, "network", "mil", model="abmil", overrides={"epochs": 1})
    store = Store(tmp_path / "store")
    run(plan_of(tmp_path, task.name, network), store, executor="serial", keep=Keep(attention=True))
    (one,) = derive(store, tmp_path, draws=100).runs
    assert one.attention
    for bag_shown in one.attention:
        assert bag_shown.cells == tuple((column, 0) for column in range(len(bag_shown.weights)))
