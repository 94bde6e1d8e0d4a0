"""Which slide each file of a feature folder belongs to, and the one rule for slide ids."""

from collections.abc import Iterable
from pathlib import Path

from hiptbench.errors import FeatureError
from hiptbench.formats.reading import FEATURE_SUFFIXES

# The compound suffixes come first; TRIDENT removes them whole (trident/IO.py, COMPOUND_EXTENSIONS).
_SLIDE_SUFFIXES = (".ome.tif", ".ome.tiff", ".svs", ".tif", ".tiff", ".ndpi", ".mrxs")
_CLAM_WITH_COORDS = "h5_files"
_CLAM_WITHOUT_COORDS = "pt_files"


def slide_id(name: str) -> str:
    """Return the id of a slide, given its own file name, its feature file's name, or an entry of a table.

    Suffixes of features and slides are removed, whatever their case, until none is left; everything else is
    kept: TCGA ids contain dots and upper- and lower-case UUIDs.

    Args:
        name: A file name without its folder, such as ``TCGA-A2-A0T1-01Z-00-DX1.<uuid>.svs``.
    """
    for suffix in (*FEATURE_SUFFIXES, *_SLIDE_SUFFIXES):
        stem = name[: -len(suffix)]
        if stem and name.lower().endswith(suffix):
            return slide_id(stem)
    return name


def feature_files(folder: Path) -> dict[str, Path]:
    """List the feature files of a folder: flat, or CLAM's ``h5_files/`` and ``pt_files/``.

    Args:
        folder: The folder. A slide in both of CLAM's folders is taken from ``h5_files/``, which has coords.

    Returns:
        Slide id to file, sorted by id. Hidden files and files with other suffixes are left out.

    Raises:
        FeatureError: If the folder does not exist, has no feature files, or has two for one slide.
    """
    if not folder.is_dir():
        raise FeatureError(f"{folder} is not a folder. Point to the folder that holds the feature files.")
    preferred = _by_slide([*_feature_files_in(folder), *_feature_files_in(folder / _CLAM_WITH_COORDS)])
    files = _by_slide(_feature_files_in(folder / _CLAM_WITHOUT_COORDS)) | preferred
    if not files:
        raise FeatureError(_nothing_found(folder))
    return dict(sorted(files.items()))


def _feature_files_in(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return [
        path
        for path in folder.iterdir()
        if path.suffix.lower() in FEATURE_SUFFIXES and not path.name.startswith(".") and not path.is_dir()
    ]


def _by_slide(paths: Iterable[Path]) -> dict[str, Path]:
    files: dict[str, Path] = {}
    for path in sorted(paths):
        other = files.setdefault(slide_id(path.name), path)
        if other != path:
            raise FeatureError(
                f"Two files hold features of slide '{slide_id(path.name)}': {other} and {path}. Remove one."
            )
    return files


def _nothing_found(folder: Path) -> str:
    inside = sorted(path.name for path in folder.iterdir() if _feature_files_in(path))
    hint = f" These folders inside it have some: {', '.join(inside)}." if inside else ""
    return (
        f"{folder} has no feature files. Expected one file per slide ({', '.join(FEATURE_SUFFIXES)}), "
        f"or CLAM's {_CLAM_WITH_COORDS}/ and {_CLAM_WITHOUT_COORDS}/.{hint}"
    )
