"""Options that several verbs share, and progress bars."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

Function = TypeVar("Function", bound=Callable[..., Any])

DIRECTORY = click.Path(exists=True, file_okay=False, path_type=Path)


def home_option(function: Function) -> Function:
    """Add --home."""
    text = "Data home [default: HIPTBENCH_HOME, else the platform's folder for user data]."
    return click.option("--home", type=click.Path(path_type=Path), help=text)(function)


def store_option(function: Function) -> Function:
    """Add --store."""
    text = "Results store, or an export of one [default: 'store' inside the data home]."
    return click.option("--store", type=click.Path(path_type=Path), help=text)(function)


def format_option(*formats: str) -> Callable[[Function], Function]:
    """Add --format with these choices; the first is the default."""
    return click.option("--format", "form", type=click.Choice(formats), default=formats[0], show_default=True)


@contextmanager
def progress(label: str) -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar on stderr, driven by calls with (done, in all); nothing shows until the first call."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=None, visible=False)
        yield lambda done, total: bar.update(task, completed=done, total=total, visible=True)


def some(names: tuple[str, ...], most: int = 3) -> str:
    """Return the first names and how many more there are."""
    from hiptbench.errors import name_some

    return name_some(names, most)
