"""Bring a simulated task, or the digits, into the data home: labels, splits and packed features.

``python -m hiptbench.sources.materialise [TASK...]`` prints the counts and hashes that belong into the registry.
"""

import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import yaml

from hiptbench import rooms
from hiptbench.errors import FeatureError, TaskError
from hiptbench.features import FeatureCard, FeatureSet
from hiptbench.pack import Pack
from hiptbench.packing import write_pack
from hiptbench.sources.cohort import Cohort
from hiptbench.sources.digits import digits
from hiptbench.sources.synthetic import simulate
from hiptbench.task_checks import measured
from hiptbench.task_spec import Expected, Hashes, TaskSpec
from hiptbench.task_store import is_imported, load_spec, registered, save_task
from hiptbench.tasks import Task


def materialise(name: str, home: str | Path | None = None) -> Path:
    """Make a task's data, check them against the registry and save them; nothing is done where they are there.

    Args:
        name: A task whose data are simulated, or digits.
        home: The data home; see ``hiptbench.rooms.home``.

    Returns:
        The folder of its packed features, inside the home.

    Raises:
        UnknownNameError: If no such task is registered.
        TaskError: If its data are not made but imported, or their counts or hashes are not the registry's.
        FeatureError: If the features are not those that the registry's hash covers.
        StoreError: If the home cannot be written.
    """
    spec = load_spec(name, home)
    folder = rooms.home(home) / "features" / feature_name(spec)
    if not _is_there(spec, folder, home):
        cohort = make(spec)
        save_task(cohort.task, home)
        if not _as_registered(cohort.task, write(cohort, folder)):
            shutil.rmtree(folder)
            raise FeatureError(
                f"The features made for {name} are not those that its registry entry has the hash of: this numpy "
                f"({np.__version__}) draws other numbers. Install the versions of constraints.txt."
            )
    return folder


def make(spec: TaskSpec) -> Cohort:
    """Simulate a task's cohort, or make its bags of digits.

    Raises:
        TaskError: If the task's data are neither simulated nor digits.
    """
    match spec.data.origin:
        case "synthetic":
            return simulate(spec)
        case "digits":
            return digits(spec)
        case origin:
            raise TaskError(
                f"The data of {spec.name} have the origin '{origin}': they are not made but brought in. "
                "Run `hiptbench data import` or `hiptbench task create`."
            )


def write(cohort: Cohort, folder: Path) -> FeatureSet:
    """Pack a cohort's features, as float16, with the card that says how they were made.

    Raises:
        StoreError: If the folder cannot be written.
    """
    arrays = ((slide, features, None) for slide, features in sorted(cohort.features.items()))
    return write_pack(arrays, folder, card=_card(cohort.task.spec), dtype="float16")


def feature_name(spec: TaskSpec) -> str:
    """Return the name of the features that are made for a task."""
    return spec.features or spec.name


def fingerprint(spec: TaskSpec) -> tuple[Expected, Hashes]:
    """Make a task's data and return their counts and hashes, whatever the registry says."""
    cohort = make(spec)
    with tempfile.TemporaryDirectory() as folder:
        features = write(cohort, Path(folder)).content_hash(cohort.task.all_slides)
    return measured(cohort.task), cohort.task.hashes.model_copy(update={"features": features})


def main(names: Sequence[str]) -> None:
    """Print counts and hashes as YAML, of the named tasks or of all that are simulated or digits."""
    made = [name for name in registered() if load_spec(name).data.origin in ("synthetic", "digits")]
    for name in names or made:
        expected, hashes = fingerprint(load_spec(name))
        entry = {"expected": expected.model_dump(exclude_none=True), "hashes": hashes.model_dump(exclude_none=True)}
        print(f"# {name}\n{yaml.safe_dump(entry, sort_keys=False)}", flush=True)


def _card(spec: TaskSpec) -> FeatureCard:
    if spec.synthetic:
        return FeatureCard(
            name=feature_name(spec),
            encoder="simulated",
            level="region",
            source="simulated by hiptbench.sources.synthetic",
            definition="rounded to float16; model in hiptbench.sources.laws, settings in the task's registry entry",
            synthetic=True,
        )
    return FeatureCard(
        name=feature_name(spec),
        encoder="pixels",
        level="patch",
        source="sklearn.datasets.load_digits",
        definition="one row an 8 x 8 image, grey level / 16",
    )


def _is_there(spec: TaskSpec, folder: Path, home: str | Path | None) -> bool:
    if not (is_imported(spec.name, home) and Pack.exists(folder)):
        return False
    try:
        return _as_registered(Task.load(spec.name, home), FeatureSet.open(folder))
    except (TaskError, FeatureError):
        return False  # left by another version of the registry, or damaged: made anew


def _as_registered(task: Task, features: FeatureSet) -> bool:
    if features.missing(task.all_slides):
        return False
    expected = task.spec.hashes and task.spec.hashes.features
    return expected is None or features.content_hash(task.all_slides) == expected


if __name__ == "__main__":
    main(sys.argv[1:])
