"""Pack a folder of feature files into one memory-mapped file: done once, reused while the files do not change."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hiptbench.errors import FeatureError, StoreError
from hiptbench.features import CARD, FeatureCard, FeatureSet, Folder, read_card
from hiptbench.files import canonical_json, sha256_array, sha256_lines, write_text
from hiptbench.formats import feature_files
from hiptbench.pack import INDEX, Entry, Pack
from hiptbench.schema import dump_yaml

Progress = Callable[[int, int], None]
SlideArrays = tuple[str, np.ndarray, np.ndarray | None]


@dataclass(frozen=True)
class PackReport:
    """What packing did.

    Attributes:
        read: Files that were read.
        reused: Slides taken over from the earlier pack because their file had not changed.
        changed: Slides whose values differ from those of the earlier pack.
    """

    read: int
    reused: int
    changed: tuple[str, ...]


def pack(
    source: Path,
    target: Path,
    *,
    card: FeatureCard | None = None,
    dtype: str = "float32",
    verify: bool = False,
    on_file: Progress | None = None,
) -> tuple[FeatureSet, PackReport]:
    """Pack a folder of feature files, or bring an earlier pack of it up to date.

    Args:
        source: The folder of feature files.
        target: The folder of the pack.
        card: The card to put beside the pack; otherwise the source's own.
        dtype: What to store: "float32", or "float16" to round the values.
        verify: Read and hash every file again instead of trusting its size and modification time.
        on_file: Called with (files done, files in all).

    Returns:
        The packed feature set and what was done.

    Raises:
        FeatureError: If a file is broken or its dimension differs from the others'; an earlier pack stays as it was.
        StoreError: If the target cannot be written.
    """
    folder = Folder(source, feature_files(source))
    stamps = {slide: _stamp(path) for slide, path in folder.files.items()}
    old = Pack.load(target) if Pack.exists(target) else None
    if old and not verify and old.dtype == dtype and stamps == {s: e.stamp for s, e in old.entries.items()}:
        return FeatureSet.open(target), PackReport(0, len(stamps), ())
    reusable = _unchanged(old, stamps) if old and not verify and old.dtype == dtype else {}
    arrays = _read_all(folder, reusable, on_file)
    written = write_pack(arrays, target, card=card or read_card(source), dtype=dtype, stamps=stamps)
    before = old.entries if old else {}
    changed = tuple(s for s in written if s in before and before[s].sha256 != written.backend.sha256(s))
    return written, PackReport(len(stamps) - len(reusable), len(reusable), changed)


def write_pack(
    arrays: Iterator[SlideArrays],
    target: Path,
    *,
    card: FeatureCard,
    dtype: str,
    stamps: Mapping[str, tuple[int, int]] | None = None,
) -> FeatureSet:
    """Write slides into a new pack; the index is written last, so a pack exists whole or as it was before.

    Args:
        arrays: (slide id, features, coordinates or None), sorted by slide id.
        target: The folder of the pack.
        card: The card to put beside it; its ``dim`` is filled in.
        dtype: What to store: "float32" or "float16".
        stamps: Size and modification time of each slide's file, where there are files.

    Raises:
        FeatureError: If dimensions differ, or a value does not fit into ``dtype``.
        StoreError: If the target cannot be written.
    """
    part = target / ".features.part"
    try:
        target.mkdir(parents=True, exist_ok=True)
        entries, tail, coords = _append_all(arrays, part, dtype, stamps or {})
        digest = sha256_lines(entry.sha256 for entry in entries.values())[:12]
        data = f"features-{digest}-{dtype}.bin"
        part.replace(target / data)
        coords_name = _write_coords(target, digest, coords)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise StoreError(f"Cannot write the pack {target}: {error}. Free space or choose another home.") from error
    index = {
        "data": data,
        "dtype": dtype,
        "tail": list(tail),
        "coords": coords_name,
        "entries": {s: [e.offset, e.rows, e.sha256, *e.stamp] for s, e in entries.items()},
    }
    write_text(target / CARD, dump_yaml(card.model_copy(update={"dim": tail[-1]})))
    write_text(target / INDEX, canonical_json(index))
    _remove_others(target, {data, coords_name})
    return FeatureSet.open(target)


def _stamp(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns


def _unchanged(old: Pack, stamps: Mapping[str, tuple[int, int]]) -> dict[str, Pack]:
    return {s: old for s, entry in old.entries.items() if stamps.get(s) == entry.stamp}


def _read_all(folder: Folder, reusable: Mapping[str, Pack], on_file: Progress | None) -> Iterator[SlideArrays]:
    for done, slide in enumerate(folder.slides, start=1):
        yield (slide, *reusable.get(slide, folder).read(slide))
        if on_file:
            on_file(done, len(folder.slides))


def _append_all(
    arrays: Iterator[SlideArrays], path: Path, dtype: str, stamps: Mapping[str, tuple[int, int]]
) -> tuple[dict[str, Entry], tuple[int, ...], list[np.ndarray | None]]:
    entries: dict[str, Entry] = {}
    coords: list[np.ndarray | None] = []
    tail: tuple[int, ...] | None = None
    offset = 0
    with path.open("wb") as handle:
        for slide, features, positions in arrays:
            tail = tail or features.shape[1:]
            stored = _convert(slide, features, tail, dtype)
            handle.write(stored.tobytes())
            coords.append(positions)
            sha = sha256_array(slide, stored)
            entries[slide] = Entry(offset, len(stored), sha, stamps.get(slide, (0, 0)))
            offset += len(stored)
    return entries, tail or (), coords


def _convert(slide: str, features: np.ndarray, tail: tuple[int, ...], dtype: str) -> np.ndarray:
    if features.shape[1:] != tail:
        raise FeatureError(
            f"Slide {slide} has features of shape {features.shape}, the slides before it [n, "
            f"{', '.join(map(str, tail))}]. One feature set has one dimension: move the odd slides out."
        )
    with np.errstate(over="ignore"):
        stored = np.ascontiguousarray(features, dtype=np.dtype(dtype).newbyteorder("<"))
    if not np.isfinite(stored).all():
        raise FeatureError(f"Slide {slide} has values that do not fit into {dtype}; store it as float32.")
    return stored


def _write_coords(target: Path, digest: str, coords: list[np.ndarray | None]) -> str | None:
    present = [positions for positions in coords if positions is not None]
    if len(present) < len(coords) or not present:
        return None
    name = f"coords-{digest}.npy"
    np.save(target / name, np.concatenate(present).astype(np.int64))
    return name


def _remove_others(target: Path, keep: set[str | None]) -> None:
    for path in [*target.glob("features-*.bin"), *target.glob("coords-*.npy")]:
        if path.name not in keep:
            path.unlink()
