"""FeatureSet: a lazy mapping from slide id to instance features, with the card that says what they are."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Int

from hiptbench.bags import Bag
from hiptbench.errors import FeatureError, StoreError, name_some
from hiptbench.files import sha256_array, sha256_bytes, sha256_lines, write_text
from hiptbench.formats import FeatureFile, feature_files, problems, read_features
from hiptbench.pack import Pack
from hiptbench.schema import Strict, dump_yaml, read_yaml

CARD = "card.yaml"


class FeatureCard(Strict):
    """What a feature set is and where it came from; lies beside the features as ``card.yaml``.

    Attributes:
        name: The name shown on leaderboards.
        encoder: The network that made the features.
        level: What one row stands for.
        dim: Length of one feature vector.
        pixel_size_um: Physical size of one input pixel in micrometres, where known.
        pretrained_on: Data sets that the encoder was trained on; needed to flag contamination.
        weights_sha256: SHA-256 of the encoder's weights file, where known.
        source: Where the features came from.
        definition: Anything about the values that a second maker must do alike.
        synthetic: Whether the features were simulated; such results never mix with measured ones.
    """

    name: str
    encoder: str = "unknown"
    level: Literal["patch", "region", "slide", "unknown"] = "unknown"
    dim: int | None = None
    pixel_size_um: float | None = None
    pretrained_on: tuple[str, ...] = ()
    weights_sha256: str | None = None
    source: str = "unknown"
    definition: str | None = None
    synthetic: bool = False


@runtime_checkable
class Backend(Protocol):
    """Where a feature set's arrays come from: a folder of files, or a pack."""

    @property
    def slides(self) -> tuple[str, ...]:
        """The slide ids, sorted."""

    @property
    def entries(self) -> Mapping[str, object]:
        """Slide id to whatever the backend keeps about it."""

    def read(self, slide: str) -> tuple[Float[np.ndarray, "n *tail"], Int[np.ndarray, "n 2"] | None]:
        """Return one slide's features (any float dtype) and coordinates."""

    def sha256(self, slide: str) -> str:
        """Return the hash of one slide's id, shape and values."""


@dataclass(frozen=True)
class Folder:
    """A folder with one feature file per slide, read when asked for."""

    path: Path
    files: Mapping[str, Path]

    @property
    def slides(self) -> tuple[str, ...]:
        """The slide ids, sorted."""
        return tuple(self.files)

    @property
    def entries(self) -> Mapping[str, Path]:
        """Slide id to file."""
        return self.files

    def read(self, slide: str) -> tuple[Float[np.ndarray, "n *tail"], Int[np.ndarray, "n 2"] | None]:
        """Read one slide's file and refuse it if it would break a run."""
        file = read_checked(self.files[slide])
        return file.features, file.coords

    def sha256(self, slide: str) -> str:
        """Return the hash of one slide's id, shape and values, read anew."""
        return sha256_array(slide, self.read(slide)[0])


def read_checked(path: Path) -> FeatureFile:
    """Read a feature file and refuse what would break a run: NaN, Inf, no rows, broken coordinates.

    Raises:
        FormatError: If the file cannot be read.
        FeatureError: Naming the file and every problem found.
    """
    file = read_features(path)
    found = problems(file)
    if found:
        raise FeatureError(f"{path}: {'; '.join(found)}. Extract this slide again or take the file away.")
    return file


@dataclass(frozen=True)
class FeatureSet(Mapping[str, Float[np.ndarray, "n *tail"]]):
    """Instance features of many slides, read only when asked for.

    Attributes:
        card: What the features are.
        backend: Where the arrays come from.
    """

    card: FeatureCard
    backend: Backend

    @classmethod
    def open(cls, folder: str | Path) -> "FeatureSet":
        """Open a folder of feature files or a packed feature set, without reading any features.

        Args:
            folder: A folder in one of the layouts of ``hiptbench.formats``, or one made by ``pack``.

        Returns:
            The feature set; its card is ``card.yaml`` if the folder has one.

        Raises:
            FeatureError: If the folder is missing or holds no feature files.
        """
        path = Path(folder).expanduser()
        if not path.is_dir():
            raise FeatureError(f"{path} is not a folder of feature files.")
        if Pack.exists(path):
            return cls(read_card(path), Pack.load(path))
        return cls(read_card(path), Folder(path, feature_files(path)))

    def __getitem__(self, slide: str) -> Float[np.ndarray, "n *tail"]:
        self._check([slide])
        return self.backend.read(slide)[0]

    def __contains__(self, slide: object) -> bool:
        return slide in self.backend.entries

    def __iter__(self) -> Iterator[str]:
        return iter(self.backend.slides)

    def __len__(self) -> int:
        return len(self.backend.slides)

    def _check(self, slides: Sequence[str]) -> None:
        missing = self.missing(slides)
        if missing:
            raise FeatureError(
                f"The features '{self.card.name}' lack {len(missing)} of {len(slides)} slides: {name_some(missing)}."
            )

    def missing(self, slides: Sequence[str]) -> tuple[str, ...]:
        """Return those of ``slides`` that have no features, in the given order."""
        return tuple(slide for slide in slides if slide not in self.backend.entries)

    def bag(self, unit: str, slides: Sequence[str]) -> Bag:
        """Return one unit's bag: the instances of all its slides, in order.

        Args:
            unit: The unit's id.
            slides: Its slides, in the task's order.

        Returns:
            The bag; features are float32. Coordinates are kept only if every slide has them.

        Raises:
            FeatureError: If a slide has no features, or the slides' features differ in dimension.
        """
        self._check(slides)
        parts = [self.backend.read(slide) for slide in slides]
        tails = {part.shape[1:] for part, _ in parts}
        if len(tails) != 1:
            raise FeatureError(
                f"The slides of {unit} have features of different shapes {sorted(tails)}; "
                f"take the odd ones out of '{self.card.name}'."
            )
        features = np.concatenate([np.asarray(part, dtype=np.float32) for part, _ in parts])
        positions = [coords for _, coords in parts if coords is not None]
        coords = np.concatenate(positions).astype(np.int64) if len(positions) == len(parts) else None
        index = np.repeat(np.arange(len(parts)), [len(part) for part, _ in parts])
        return Bag(unit, features, coords, index)

    def content_hash(self, slides: Sequence[str]) -> str:
        """Return the hash of these slides' ids, shapes and values, whatever the files they lie in.

        Args:
            slides: The slides to hash, in any order; usually a task's whole cohort.

        Raises:
            FeatureError: If a slide has no features.
        """
        self._check(slides)
        return sha256_lines(f"{slide} {self.backend.sha256(slide)}" for slide in sorted(set(slides)))

    def coords_hash(self, slides: Sequence[str]) -> str | None:
        """Return the hash of these slides' coordinates, in order of slide id; None if no slide has any."""
        coords = {slide: self.backend.read(slide)[1] for slide in sorted(set(slides))}
        found = [
            f"{slide} {sha256_bytes(xy.astype('<i8').tobytes())}" for slide, xy in coords.items() if xy is not None
        ]
        return sha256_lines(found) if found else None


def read_card(folder: Path) -> FeatureCard:
    """Read a folder's ``card.yaml``; a folder without one gets a card that knows only its name."""
    path = folder / CARD
    return read_yaml(path, FeatureCard) if path.exists() else FeatureCard(name=folder.name)


def write_features(folder: Path, card: FeatureCard, slides: Mapping[str, Float[np.ndarray, "n *tail"]]) -> None:
    """Write arrays as a folder of ``.npy`` feature files with a card: the shortest way to a feature set.

    Args:
        folder: The folder to make or add to.
        card: What the features are.
        slides: Slide id to features.

    Raises:
        StoreError: If the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for slide, features in slides.items():
            np.save(folder / f"{slide}.npy", features, allow_pickle=False)
    except OSError as error:
        raise StoreError(f"Cannot write {folder}: {error}. Free space or choose another folder.") from error
    write_text(folder / CARD, dump_yaml(card))
