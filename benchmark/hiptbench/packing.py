"""Pack a folder of feature files into one memory-mapped file: done once, reused while the files do not change."""

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from hiptbench.errors import FeatureError, StoreError
from hiptbench.features import CARD, FeatureCard, FeatureSet, Folder, read_card
from hiptbench.files import sha256_array, sha256_lines, write_text
from hiptbench.formats import feature_files
from hiptbench.pack import Entry, Pack, Stamp, StoredDtype
from hiptbench.schema import dump_yaml

Progress = Callable[[int, int], None]
Check = Callable[[FeatureSet], None]
SlideArrays = tuple[str, np.ndarray, np.ndarray | None]

_ABANDONED_SECONDS = 3600
"""A temporary file that nobody has written to for so long is nobody's."""


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
    dtype: StoredDtype = "float32",
    verify: bool = False,
    check: Check | None = None,
    on_file: Progress | None = None,
) -> tuple[FeatureSet, PackReport]:
    """Pack a folder of feature files, or bring an earlier pack of it up to date.

    Args:
        source: The folder of feature files.
        target: The folder of the pack.
        card: The card to put beside the pack; otherwise the source's own.
        dtype: What to store: "float32", or "float16" to round the values.
        verify: Read and hash every file again instead of trusting its size and modification time.
        check: Called with the packed features before they replace an earlier pack; what it raises prevents that.
        on_file: Called with (files done, files in all).

    Returns:
        The packed feature set and what was done.

    Raises:
        FormatError: If a file cannot be read; an earlier pack stays as it was, as with the other errors.
        FeatureError: If a file's values or dimension would break a run, or the earlier pack is damaged.
        SchemaError: If the source's card breaks the schema.
        StoreError: If the target cannot be written.
    """
    folder = Folder(source, feature_files(source))
    stamps = {slide: _stamp(path) for slide, path in folder.files.items()}
    card = card or read_card(source)
    old = Pack.load(target) if Pack.exists(target) else None
    trusted = old if old and old.dtype == dtype and not verify else None
    if trusted and stamps == {slide: entry.stamp for slide, entry in trusted.entries.items()}:
        return _refreshed(trusted, card, check), PackReport(0, len(stamps), ())
    reusable = {s: trusted for s, e in trusted.entries.items() if stamps.get(s) == e.stamp} if trusted else {}
    arrays = _read_all(folder, reusable, on_file)
    written = write_pack(arrays, target, card=card, dtype=dtype, stamps=stamps, check=check)
    before = old.entries if old else {}
    changed = tuple(s for s in written if s in before and before[s].sha256 != written.backend.sha256(s))
    return written, PackReport(len(stamps) - len(reusable), len(reusable), changed)


def write_pack(
    arrays: Iterator[SlideArrays],
    target: Path,
    *,
    card: FeatureCard,
    dtype: StoredDtype,
    stamps: Mapping[str, Stamp] | None = None,
    check: Check | None = None,
) -> FeatureSet:
    """Write slides into a new pack; the index is written last, so a pack exists whole or as it was before.

    Args:
        arrays: (slide id, features, coordinates or None), at least one, sorted by slide id.
        target: The folder of the pack.
        card: The card to put beside it; its ``dim`` is filled in.
        dtype: What to store: "float32" or "float16".
        stamps: Size and modification time of each slide's file, where there are files.
        check: Called with the packed features before they replace an earlier pack; what it raises prevents that.

    Raises:
        FeatureError: If dimensions differ, or a value does not fit into ``dtype``.
        StoreError: If the target cannot be written.
    """
    parts = [target / f".{kind}.{os.getpid()}.part" for kind in ("features", "coords")]
    try:
        target.mkdir(parents=True, exist_ok=True)
        draft = _write_parts(arrays, parts[0], parts[1], dtype, card.dim, stamps or {})
        full_card = card.model_copy(update={"dim": draft.tail[-1]})
        if check:
            check(FeatureSet(full_card, draft))
        return _commit(draft, full_card)
    except OSError as error:
        raise StoreError(f"Cannot write the pack {target}: {error}. Free space or choose another home.") from error
    finally:
        for part in parts:
            with contextlib.suppress(OSError):  # they are gone where all went well
                part.unlink()


def _stamp(path: Path) -> Stamp:
    status = path.stat()
    return status.st_size, status.st_mtime_ns


def _refreshed(current: Pack, card: FeatureCard, check: Check | None) -> FeatureSet:
    """Return a pack whose files have not changed, with its card brought up to date."""
    features = FeatureSet(card.model_copy(update={"dim": current.tail[-1]}), current)
    if check:
        check(features)
    if read_card(current.path) != features.card:
        write_text(current.path / CARD, dump_yaml(features.card))
    return features


def _read_all(folder: Folder, reusable: Mapping[str, Pack], on_file: Progress | None) -> Iterator[SlideArrays]:
    for done, slide in enumerate(folder.slides, start=1):
        yield (slide, *reusable.get(slide, folder).read(slide))
        if on_file:
            on_file(done, len(folder.slides))


def _write_parts(
    arrays: Iterator[SlideArrays],
    data: Path,
    coords: Path,
    dtype: StoredDtype,
    dim: int | None,
    stamps: Mapping[str, Stamp],
) -> Pack:
    """Write all rows and return the pack that they make under their temporary names."""
    entries: dict[str, Entry] = {}
    tail: tuple[int, ...] | None = None
    offset, all_have_coords = 0, True
    with data.open("wb") as values, coords.open("wb") as positions:
        for slide, features, xy in arrays:
            tail = tail or _first_tail(slide, features, dim)
            stored = _convert(slide, features, tail, dtype)
            values.write(stored.data)
            entries[slide] = Entry(offset, len(stored), sha256_array(slide, stored), stamps.get(slide, (0, 0)))
            offset += len(stored)
            all_have_coords = all_have_coords and xy is not None
            if xy is not None:
                positions.write(np.ascontiguousarray(xy, dtype="<i8").data)
        for handle in (values, positions):
            handle.flush()
            os.fsync(handle.fileno())
    return Pack(data.parent, data.name, dtype, tail or (), entries, coords.name if all_have_coords else None)


def _first_tail(slide: str, features: np.ndarray, dim: int | None) -> tuple[int, ...]:
    if dim not in (None, features.shape[-1]):
        raise FeatureError(
            f"Slide {slide} has features of dimension {features.shape[-1]}, but their card says {dim}. Mend {CARD} or "
            "move the odd slides out."
        )
    return features.shape[1:]


def _convert(slide: str, features: np.ndarray, tail: tuple[int, ...], dtype: StoredDtype) -> np.ndarray:
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


def _commit(draft: Pack, card: FeatureCard) -> FeatureSet:
    """Give the files of a draft their names, then write card and index."""
    digest = sha256_lines(entry.sha256 for entry in draft.entries.values())[:12]
    data, coords = f"features-{digest}-{draft.dtype}.bin", f"coords-{digest}.bin"
    (draft.path / draft.data).replace(draft.path / data)
    if draft.coords:
        (draft.path / draft.coords).replace(draft.path / coords)
    final = replace(draft, data=data, coords=coords if draft.coords else None)
    write_text(final.path / CARD, dump_yaml(card))
    final.save_index()
    _remove_leftovers(final)
    return FeatureSet(card, final)


def _remove_leftovers(current: Pack) -> None:
    """Remove the files of earlier packs, and of processes that were killed while they packed."""
    for path in [*current.path.glob("features-*.bin"), *current.path.glob("coords-*.bin")]:
        if path.name not in (current.data, current.coords):
            path.unlink(missing_ok=True)
    for part in current.path.glob(".*.part"):
        with contextlib.suppress(FileNotFoundError):  # another process may pack at this moment
            if time.time() - part.stat().st_mtime > _ABANDONED_SECONDS:
                part.unlink()
