"""The one family of errors that a user can cause; everything else that escapes is a bug."""

import difflib
from collections.abc import Iterable, Sequence


class HiptbenchError(ValueError):
    """Something the user can mend: the message names the value, the place and the remedy."""


class UnknownNameError(HiptbenchError):
    """A name that is not registered; says what was asked for, the nearest name and what exists.

    Args:
        kind: What the name should have been, in the singular: "task", "baseline".
        got: The name as the user gave it.
        known: The names that exist.
    """

    def __init__(self, kind: str, got: str, known: Iterable[str]) -> None:
        names = sorted(known)
        nearest = difflib.get_close_matches(got, names, n=1, cutoff=0.4)
        hint = f" Did you mean '{nearest[0]}'?" if nearest else ""
        listing = ", ".join(names) or "none"
        super().__init__(f"There is no {kind} '{got}'.{hint} What exists: {listing}.")
        self._made_from = kind, got, names

    def __reduce__(self) -> tuple[type["UnknownNameError"], tuple[str, str, list[str]]]:
        """Let a worker process send the error to its parent: an exception is pickled by what it is made from."""
        return type(self), self._made_from


def name_some(names: Sequence[str], most: int = 5) -> str:
    """Return the first names joined by commas, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


class SchemaError(HiptbenchError):
    """A YAML or JSON file that does not follow its schema."""


class FormatError(HiptbenchError):
    """A file that cannot be read as what it claims to be."""


class FeatureError(HiptbenchError):
    """Features that are missing, broken, or do not fit what is asked of them."""


class TaskError(HiptbenchError):
    """A task, its labels or its splits contradict themselves or the registry."""


class SourceError(HiptbenchError):
    """A checkout or a download that is not what the registry expects."""


class MetricError(HiptbenchError):
    """A metric that is not defined on these predictions."""


class HeadError(HiptbenchError):
    """A head that cannot be fitted, applied, saved or loaded."""


class SlideError(HiptbenchError):
    """A slide that cannot be read, or whose physical size is not known."""


class ExtractorError(HiptbenchError):
    """An extractor that cannot be made, loaded or applied."""


class StoreError(HiptbenchError):
    """A results store that cannot be written or contradicts itself."""


class RunError(HiptbenchError):
    """A run that cannot start, or a fold of it that failed."""


class TrackingError(HiptbenchError):
    """An MLflow server that cannot be reached."""
