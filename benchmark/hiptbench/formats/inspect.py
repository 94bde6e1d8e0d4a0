"""What a feature file or folder holds, and which slides would break a run."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from hiptbench.errors import FormatError
from hiptbench.formats.arrays import FeatureFile, problems
from hiptbench.formats.folders import feature_files, slide_id
from hiptbench.formats.reading import FEATURE_SUFFIXES, read_features


@dataclass(frozen=True)
class Rows:
    """How many rows the files have: patches, regions, or 1 for slide vectors."""

    min: int
    median: float
    max: int


@dataclass(frozen=True)
class Inspection:
    """What was found; all counts but ``files`` are over the files that could be read.

    Attributes:
        path: The file or folder.
        files: Number of feature files, readable or not.
        layouts: Layout to number of files.
        dims: Shape of a row, as ``192`` or ``256 x 384``, to number of files.
        dtypes: Dtype on disk to number of files.
        with_coords: Number of files with level-0 coords.
        rows: Rows per file, None if no file could be read.
        problems: Slide id to what would break a run; sound slides are left out.
    """

    path: Path
    files: int
    layouts: dict[str, int]
    dims: dict[str, int]
    dtypes: dict[str, int]
    with_coords: int
    rows: Rows | None
    problems: dict[str, list[str]]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values that JSON can hold."""
        return asdict(self) | {"path": str(self.path)}


@dataclass(frozen=True)
class _Summary:
    """What is kept of a file, so that memory holds the arrays of one slide at a time."""

    layout: str
    dims: str
    dtype: str
    has_coords: bool
    rows: int


def inspect(path: Path, *, on_file: Callable[[int, int], None] | None = None) -> Inspection:
    """Read every feature file once and say what they hold; a broken file is reported and does not stop it.

    Args:
        path: A feature file, or a folder of them as ``feature_files`` takes it.
        on_file: Called after each file with (files done, files in all), for a progress bar.

    Returns:
        Layouts, dims, dtypes, rows, and the problems of each slide. A row shape other than that of most files
        counts as a problem.

    Raises:
        FeatureError: If the folder has no feature files, or two for one slide.
        FormatError: If the path does not exist or is a file of another kind.
    """
    files = _files(path)
    summaries: dict[str, _Summary] = {}
    found: dict[str, list[str]] = {}
    for done, (slide, file) in enumerate(files.items(), start=1):
        try:
            contents = read_features(file)
            summaries[slide], found[slide] = _summary(contents), problems(contents)
        except FormatError as error:
            found[slide] = [str(error)]
        if on_file:
            on_file(done, len(files))
    _add_odd_dims(summaries, found)
    return _inspection(path, len(files), summaries, found)


def _files(path: Path) -> dict[str, Path]:
    if path.is_dir():
        return feature_files(path)
    if not path.exists():
        raise FormatError(f"{path} does not exist. Check the path.")
    if path.suffix.lower() not in FEATURE_SUFFIXES:
        raise FormatError(
            f"{path} is not a feature file. Point to one ({', '.join(FEATURE_SUFFIXES)}) or a folder; "
            "tables and splits are not inspected."
        )
    return {slide_id(path.name): path}


def _summary(file: FeatureFile) -> _Summary:
    return _Summary(
        layout=file.layout,
        dims=" x ".join(map(str, file.features.shape[1:])),
        dtype=file.features.dtype.name,
        has_coords=file.coords is not None,
        rows=len(file.features),
    )


def _add_odd_dims(summaries: Mapping[str, _Summary], found: dict[str, list[str]]) -> None:
    dims = Counter(summary.dims for summary in summaries.values())
    for slide, summary in summaries.items():
        usual, count = dims.most_common(1)[0]
        if summary.dims != usual:
            found[slide].append(f"rows of {summary.dims} values, but {count} files have {usual}")


def _inspection(
    path: Path, files: int, summaries: Mapping[str, _Summary], found: Mapping[str, list[str]]
) -> Inspection:
    readable = summaries.values()
    rows = [summary.rows for summary in readable]
    return Inspection(
        path=path,
        files=files,
        layouts=dict(Counter(summary.layout for summary in readable)),
        dims=dict(Counter(summary.dims for summary in readable)),
        dtypes=dict(Counter(summary.dtype for summary in readable)),
        with_coords=sum(summary.has_coords for summary in readable),
        rows=Rows(min(rows), float(median(rows)), max(rows)) if rows else None,
        problems={slide: phrases for slide, phrases in found.items() if phrases},
    )
