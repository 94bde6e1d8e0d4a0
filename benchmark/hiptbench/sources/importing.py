"""Import labels, splits and the published region embeddings from checkouts into the data home."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from hiptbench import rooms
from hiptbench.errors import FeatureError, UnknownNameError
from hiptbench.features import FeatureCard, FeatureSet
from hiptbench.pack import StoredDtype
from hiptbench.packing import PackReport, pack
from hiptbench.schema import Strict, read_yaml
from hiptbench.sources.checkouts import Built, Checkouts, build_tasks, locate
from hiptbench.suites import load_suite
from hiptbench.task_spec import CheckoutFile
from hiptbench.task_store import load_spec, save_task

Progress = Callable[[int, int], None]

SUITES = ("hipt-2022", "hipt-2022-corrected", "hipt-2022-sites")  # whose tasks come from checkouts


class PublishedFeatures(Strict):
    """A feature set that is published as files, as ``tasks/features/<name>.yaml`` states it.

    Attributes:
        card: What the features are.
        files: Where they lie.
        dtype: What they are rounded to by definition.
        content_hashes: Task to the hash over its cohort's slides; see ``FeatureSet.content_hash``.
    """

    card: FeatureCard
    files: CheckoutFile
    dtype: StoredDtype
    content_hashes: dict[str, str]


@dataclass(frozen=True)
class ImportedFeatures:
    """The packed feature set, what packing did, and which slides of the tasks have no features."""

    features: FeatureSet
    report: PackReport
    missing: tuple[str, ...]


def load_published_features(name: str) -> PublishedFeatures:
    """Load the registry's entry of a published feature set.

    Raises:
        UnknownNameError: If there is none of that name.
    """
    paths = {path.stem: path for path in (rooms.TASKS / "features").glob("*.yaml")}
    if name not in paths:
        raise UnknownNameError("published feature set", name, paths)
    return read_yaml(paths[name], PublishedFeatures)


def import_tasks(suites: Sequence[str], checkouts: Checkouts, home: str | Path | None = None) -> list[Built]:
    """Build, check and save every task of some suites.

    Args:
        suites: Names of suites whose tasks come from checkouts.
        checkouts: "hipt" and "porpoise" to the folders of the checkouts.
        home: The data home.

    Returns:
        The tasks in the suites' order, with what their rules left out; nothing is saved unless all of them pass their
        checks.

    Raises:
        UnknownNameError: If there is no such suite.
        SourceError: If a checkout lacks a file.
        FormatError: If a label table or a split file cannot be read.
        TaskError: If labels and splits contradict each other or the registry.
        StoreError: If the home cannot be written.
    """
    names = dict.fromkeys(name for suite in suites for name in load_suite(suite).tasks)
    built = build_tasks([load_spec(name, home) for name in names], checkouts)
    for one in built:
        save_task(one.task, home)
    return built


def import_features(
    name: str,
    checkouts: Checkouts,
    built: list[Built],
    *,
    home: str | Path | None = None,
    verify: bool = False,
    on_file: Progress | None = None,
) -> ImportedFeatures:
    """Pack a published feature set into the home and check it against the registry's hash.

    Args:
        name: Name of the feature set.
        checkouts: The folders of the checkouts.
        built: The tasks of its suites.
        home: The data home.
        verify: Read every file again.
        on_file: Called with (files done, files in all).

    Raises:
        UnknownNameError: If no feature set of that name is published.
        SourceError: If the checkout lacks the files.
        FormatError: If a file cannot be read; what was imported before stays, as with the next error.
        FeatureError: If a file is broken, or a task has all its slides but their values are not the published ones.
        StoreError: If the home cannot be written.
    """
    entry = load_published_features(name)
    source = locate(checkouts, entry.files)
    target = rooms.home(home) / "features" / name
    slides = sorted({slide for one in built for slide in one.task.all_slides})

    def check(features: FeatureSet) -> None:
        for task in (one.task for one in built):
            if features.missing(task.all_slides):
                continue  # such a task is never ranked: nothing is published to compare a part with
            found, expected = features.content_hash(task.all_slides), entry.content_hashes[task.name]
            if found != expected:
                raise FeatureError(
                    f"The features of {task.name} in {source} hash to {found[:12]}, the registry says {expected[:12]}: "
                    f"they are not the published '{name}'. Fetch them again, or use them under another name with "
                    "--features DIR."
                )

    features, report = pack(
        source, target, card=entry.card, dtype=entry.dtype, verify=verify, check=check, on_file=on_file
    )
    return ImportedFeatures(features, report, features.missing(slides))


def default_checkouts(
    hipt: Path | None, porpoise: Path | None, embeddings: Path | None = None, home: str | Path | None = None
) -> tuple[Checkouts, Checkouts]:
    """Return the checkouts to take labels and splits from, and those to take embeddings from.

    Args:
        hipt: A checkout of HIPT; otherwise the one that ``data fetch`` made, if there is one.
        porpoise: A checkout of PORPOISE; likewise.
        embeddings: A checkout of HIPT at a commit that has the embeddings; otherwise ``hipt``, if that was given.
        home: The data home.
    """
    fetched = rooms.home(home) / "checkouts"
    hipt_or_fetched = hipt or fetched / "HIPT"
    found = {"hipt": hipt_or_fetched, "porpoise": porpoise or fetched / "PORPOISE"}
    holder = embeddings or (hipt if hipt else fetched / "HIPT-embeddings")
    existing = {name: path for name, path in found.items() if path.is_dir()}
    return existing, {"hipt": holder} if holder.is_dir() else {}
