"""How far a run is: the arithmetic behind its progress bar, from the folds that end and what running ones say."""

from dataclasses import dataclass, field

from hiptbench.messages import Message


@dataclass
class RunProgress:
    """Counts folds, the running ones by the epochs that they have said to be through.

    Attributes:
        total: How many folds the run has.
        done: How many are finished.
    """

    total: int
    done: int = 0
    _parts: dict[str, float] = field(default_factory=dict)
    _texts: dict[str, str] = field(default_factory=dict)
    _finished: set[str] = field(default_factory=set)

    def hear(self, message: Message) -> None:
        """Note a message of a running fold; what names no fold, or comes after its end, is let go.

        Args:
            message: "job" is the fold's fingerprint, "label" what people call it; "epoch" of "epochs" are done, where
                it has epochs.
        """
        job = str(message.get("job", ""))
        if not job or job in self._finished:
            return
        epoch, epochs = int(message.get("epoch", 0)), int(message.get("epochs", 0))
        self._parts[job] = min(max(epoch / epochs, 0.0), 1.0) if epochs else 0.0
        self._texts.pop(job, None)  # the latest stands last
        self._texts[job] = str(message.get("label", job)) + _epoch_text(epoch, epochs)

    def finish(self, job: str) -> None:
        """Count a fold, by its fingerprint, as finished."""
        self.done += 1
        self._finished.add(job)
        self._parts.pop(job, None)
        self._texts.pop(job, None)

    @property
    def position(self) -> float:
        """Folds finished, and the parts of those that run."""
        return min(self.done + sum(self._parts.values(), 0.0), float(self.total))

    @property
    def now(self) -> str:
        """What runs: the fold heard last, and how many others have been heard; empty where nothing has."""
        if not self._texts:
            return ""
        others = len(self._texts) - 1
        return list(self._texts.values())[-1] + (f" (+{others} more)" if others else "")

    def remaining(self, elapsed: float) -> float | None:
        """Return how many seconds are left if the run goes on as it went for ``elapsed`` seconds; None at the start."""
        return elapsed * (self.total - self.position) / self.position if self.position else None


def _epoch_text(epoch: int, epochs: int) -> str:
    if epochs:
        return f", epoch {epoch}/{epochs}"
    return f", epoch {epoch}" if epoch else ""


def clock_text(seconds: float | None) -> str:
    """Return a duration as h:mm:ss; None, which is not known, as -:--:--."""
    if seconds is None:
        return "-:--:--"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"
