"""Real folds: the committed results' predictions beside the labels of the public checkouts."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest


class RealFold(NamedTuple):
    """What was fitted on, what was true and what was predicted; classes are Any because of late imports."""

    name: str
    train: object
    test: object
    prediction: object


@pytest.fixture(scope="session")
def real_folds(checkouts: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> list[RealFold]:
    """Every fold at full training size and seed 1 of two methods a kind."""
    # Not at the top: what conftest imports is loaded before the plugin that checks shapes.
    from hiptbench.export import Export
    from hiptbench.sources.importing import import_tasks

    built = import_tasks(["hipt-2022"], checkouts, tmp_path_factory.mktemp("assessed") / "home")
    tasks = {one.task.name: one.task for one in built}
    results = Export(Path(__file__).parents[2] / "results")

    def folds() -> Iterator[RealFold]:
        for row in results.rows():
            protocol = row.protocol
            chosen = (protocol.suite, protocol.fraction, row.seed) == ("hipt-2022", 1, 1)
            seen = row.features == "hipt_vit4k_region"  # the null rows look at no slide and may tie every unit
            if chosen and seen and row.baseline in ("mean_knn", "mil", "mean_cox"):
                task = tasks[protocol.task]
                split = task.splits[row.fold]
                tested = task.targets(task.evaluated(split))
                name = f"{protocol.task} {row.baseline} {row.fold}"
                yield RealFold(name, task.targets(split.train), tested, results.prediction(row))

    return list(folds())
