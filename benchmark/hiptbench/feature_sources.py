"""Find the features a run asks for: a name in the data home, or a folder, which is packed once and reused."""

from collections.abc import Callable
from pathlib import Path

from hiptbench import rooms
from hiptbench.errors import FeatureError, UnknownNameError
from hiptbench.features import FeatureSet, read_card
from hiptbench.files import sha256_lines
from hiptbench.pack import Pack
from hiptbench.packing import PackReport, pack

Progress = Callable[[int, int], None]


def known_features(home: str | Path | None = None) -> tuple[str, ...]:
    """Return the names of the packed feature sets in the data home."""
    folder = rooms.home(home) / "features"
    return tuple(sorted(path.name for path in folder.glob("*") if Pack.exists(path)))


def pack_folder(name_or_folder: str | Path, home: str | Path | None = None) -> Path:
    """Return where the pack of a feature set is, or will be.

    Raises:
        UnknownNameError: If it is neither a name in the home nor a folder.
    """
    named = rooms.home(home) / "features" / str(name_or_folder)
    if Pack.exists(named):
        return named
    folder = Path(name_or_folder).expanduser()
    if not folder.is_dir():
        raise UnknownNameError("feature set or folder", str(name_or_folder), known_features(home))
    if Pack.exists(folder):
        return folder
    resolved = folder.resolve()
    return rooms.home(home) / "packs" / f"{resolved.name}-{sha256_lines([resolved.as_posix()])[:8]}"


def packed(
    name_or_folder: str | Path,
    home: str | Path | None = None,
    *,
    verify: bool = False,
    on_file: Progress | None = None,
) -> tuple[FeatureSet, Path, PackReport | None]:
    """Open a feature set, packing its folder first if it is new or has changed.

    Args:
        name_or_folder: A name in the data home, or a folder of feature files.
        home: The data home.
        verify: Read every file of a folder again; of a pack, hash its values again.
        on_file: Called with (files done, files in all) while packing.

    Returns:
        The feature set, the folder of its pack, and what packing did (None if it was a pack already).

    Raises:
        UnknownNameError: If it is neither a name in the home nor a folder.
        FeatureError: If a file is broken, a pack's values are not those of its index, or a folder takes the name of
            published features.
    """
    target = pack_folder(name_or_folder, home)
    folder = Path(name_or_folder).expanduser()
    if target == folder or target.parent == rooms.home(home) / "features":
        if verify:
            Pack.load(target).verify()
        _refuse_borrowed_name(target, home)
        return FeatureSet.open(target), target, None
    _refuse_borrowed_name(folder, home)
    features, report = pack(folder, target, verify=verify, on_file=on_file)
    return features, target, report


def _refuse_borrowed_name(folder: Path, home: str | Path | None) -> None:
    """Only features that `data import` checked may carry the name of published ones."""
    name = read_card(folder).name
    published = {path.stem for path in (rooms.TASKS / "features").glob("*.yaml")}
    if name in published and folder.absolute() != rooms.home(home) / "features" / name:
        raise FeatureError(
            f"{folder} calls itself '{name}', the name of published features. Rename the folder or the name in its "
            "card.yaml, or import the published ones with `hiptbench data import`."
        )
