"""What a person sees of a run while it runs: a bar in a terminal, and a line now and then in a file or pipe."""

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Column

from hiptbench.cli.common import say
from hiptbench.cli.run_progress import RunProgress, clock_text
from hiptbench.messages import Message

SECONDS_BETWEEN_LINES = 60.0


class RunDisplay(ABC):
    """Shows what it is told of a run; messages may come from any thread.

    Args:
        total: How many folds the run has.
        clock: Tells seconds.
    """

    def __init__(self, total: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._progress = RunProgress(total)
        self._clock, self._begin = clock, clock()
        self._lock = threading.Lock()

    def hear(self, message: Message) -> None:
        """Show what a running fold says."""
        with self._lock:
            self._progress.hear(message)
            self._show()

    def finish(self, job: str) -> None:
        """Show that the fold with this fingerprint is finished."""
        with self._lock:
            self._progress.finish(job)
            self._show()

    @property
    def _elapsed(self) -> float:
        return self._clock() - self._begin

    @abstractmethod
    def _show(self) -> None: ...


class RunLines(RunDisplay):
    """Says a line when something happens and the last one, or the beginning, is a minute ago."""

    _said = 0.0

    def _show(self) -> None:
        elapsed, progress = self._elapsed, self._progress
        if elapsed - self._said >= SECONDS_BETWEEN_LINES:
            self._said = elapsed
            times = f"{clock_text(elapsed)} gone, about {clock_text(progress.remaining(elapsed))} to go"
            say(f"    {progress.done} of {progress.total} folds done, {times}{progress.now and f'; {progress.now}'}")


class RunBar(RunDisplay):
    """Moves a bar of a terminal.

    Args:
        total: How many folds the run has.
        bar: Where to draw; it shows the fields "folds", "remaining" and "now".
    """

    def __init__(self, total: int, bar: Progress) -> None:
        super().__init__(total)
        self._bar, self._task = (
            bar,
            bar.add_task("", total=total, folds=f"0/{total}", remaining=clock_text(None), now=""),
        )

    def _show(self) -> None:
        progress = self._progress
        self._bar.update(
            self._task,
            completed=progress.position,
            folds=f"{progress.done}/{progress.total}",
            remaining=clock_text(progress.remaining(self._elapsed)),
            now=progress.now,
        )


@contextmanager
def run_display(total: int) -> Iterator[RunDisplay]:
    """Show a run on stderr inside the block, as suits what stderr is."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield RunLines(total)
        return
    columns = (
        BarColumn(bar_width=20),
        TextColumn("{task.fields[folds]} folds", markup=False),
        TimeElapsedColumn(),
        TextColumn("{task.fields[remaining]} to go", markup=False),
        TextColumn("{task.fields[now]}", markup=False, table_column=Column(ratio=1, no_wrap=True)),
    )
    with Progress(*columns, console=console, transient=True, expand=True) as bar:
        yield RunBar(total, bar)
