"""What a person sees of an extraction while it runs: a bar in a terminal, and a line now and then elsewhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from hiptbench.cli.common import say
from hiptbench.cli.run_progress import clock_text
from hiptbench.extraction.run import Step

SECONDS_BETWEEN_LINES = 60.0


@dataclass
class Pace:
    """How far an extraction is and how fast, from the steps that it tells of.

    Attributes:
        clock: Tells seconds.
    """

    clock: Callable[[], float] = time.monotonic
    _begin: float = field(init=False)
    _first: int | None = None
    _tiles: int = 0
    _patches: int = 0
    _step: Step | None = None

    def __post_init__(self) -> None:
        self._begin = self.clock()

    def hear(self, step: Step) -> None:
        """Note a step."""
        self._step = step
        self._tiles += step.new_tiles
        self._patches += step.new_patches
        if step.new_tiles and self._first is None:
            self._first = step.slides_done  # what was skipped before cost no time

    @property
    def elapsed(self) -> float:
        """Seconds since the beginning."""
        return self.clock() - self._begin

    @property
    def position(self) -> float:
        """Slides done, and the part of the one being worked on."""
        step = self._step
        return 0.0 if step is None else step.slides_done + (step.tiles_done / step.tiles if step.tiles else 0.0)

    @property
    def remaining(self) -> float | None:
        """Seconds left if it goes on like this; None before anything is encoded."""
        if self._step is None or self._first is None or self.position <= self._first:
            return None
        return self.elapsed * (self._step.slides - self.position) / (self.position - self._first)

    @property
    def text(self) -> str:
        """How far, how fast, how long, in words."""
        step, seconds = self._step, max(self.elapsed, 1e-9)
        if step is None:
            return ""
        speed = f"{60 * self._tiles / seconds:.1f} tiles a minute, {self._patches / seconds:.1f} patches a second"
        now = f"; {step.slide}, tile {step.tiles_done} of {step.tiles}" if step.slide else ""
        return f"{step.slides_done} of {step.slides} slides, {speed}, about {clock_text(self.remaining)} to go{now}"


@contextmanager
def extract_display() -> Iterator[Callable[[Step], None]]:
    """Show an extraction on stderr inside the block, as suits what stderr is."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn
    from rich.table import Column

    pace, console = Pace(), Console(stderr=True)
    if not console.is_terminal:
        yield _lines(pace)
        return
    text = TextColumn("{task.fields[text]}", markup=False, table_column=Column(ratio=1, no_wrap=True))
    with Progress(BarColumn(bar_width=20), text, console=console, transient=True, expand=True) as bar:
        task = bar.add_task("", total=None, text="opening slides")

        def show(step: Step) -> None:
            pace.hear(step)
            bar.update(task, total=step.slides, completed=pace.position, text=pace.text)

        yield show


def _lines(pace: Pace) -> Callable[[Step], None]:
    said = 0.0

    def show(step: Step) -> None:
        nonlocal said
        pace.hear(step)
        if pace.elapsed - said >= SECONDS_BETWEEN_LINES:
            said = pace.elapsed
            say(f"    {pace.text}")

    return show
