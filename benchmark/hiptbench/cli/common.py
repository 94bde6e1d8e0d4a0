"""What several verbs share: groups, options and progress bars. All help passes here, so nothing heavy is imported."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from hiptbench.errors import UnknownNameError

Function = TypeVar("Function", bound=Callable[..., Any])

DIRECTORY = click.Path(exists=True, file_okay=False, path_type=Path)


class Verbs(click.Group):
    """A group of verbs; an unknown one is answered with the nearest and with all that exist."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the verb that the first argument names."""
        verbs = self.list_commands(ctx)
        if args[0] not in verbs:
            ctx.fail(str(UnknownNameError("verb", args[0], verbs)))
        return super().resolve_command(ctx, args)


def home_option(function: Function) -> Function:
    """Add --home."""
    text = "Data home [default: HIPTBENCH_HOME, else the platform's folder for user data]."
    return click.option("--home", type=click.Path(path_type=Path), help=text)(function)


def store_option(function: Function) -> Function:
    """Add --store, for a verb that writes results or sends them."""
    text = "Results store [default: 'store' inside the data home]."
    return click.option("--store", type=click.Path(path_type=Path), help=text)(function)


def results_option(function: Function) -> Function:
    """Add --store, for a verb that reads results."""
    text = "Results store, or an export of one [default: 'store' inside the data home]."
    return click.option("--store", type=click.Path(path_type=Path), help=text)(function)


def format_option(*formats: str) -> Callable[[Function], Function]:
    """Add --format with these choices; the first is the default."""
    return click.option("--format", "form", type=click.Choice(formats), default=formats[0], show_default=True)


@contextmanager
def progress(label: str) -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar on stderr, driven by calls with (done, in all); a file or pipe gets none."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda done, total: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(label, total=None, visible=False)
        yield lambda done, total: bar.update(task, completed=done, total=total, visible=True)


@contextmanager
def stages() -> Iterator[Callable[[str, float], None]]:
    """Show work of several stages on stderr, driven by calls with (what is done, which part of it): a bar, or lines."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        yield _lines_of_stages()
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=1.0)
        yield lambda stage, part: bar.update(task, description=stage, completed=part)


def _lines_of_stages() -> Callable[[str, float], None]:
    current = ""

    def show(stage: str, part: float) -> None:
        nonlocal current
        if stage != current:
            current = stage
            say(f"    {stage}")

    return show


def find_own_modules() -> None:
    """Let "module:Object" be found in the working folder; last, so that nothing there shadows a library."""
    sys.path.append(str(Path.cwd()))


def say(text: str) -> None:
    """Tell a person something that is not the verb's data: on stderr."""
    click.echo(text, err=True)
