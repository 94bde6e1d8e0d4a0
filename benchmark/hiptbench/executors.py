"""Where folds run: in this process, or in worker processes, behind one ``concurrent.futures`` interface."""

import multiprocessing
import os
import signal
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from typing import Any

from hiptbench.errors import RunError, UnknownNameError


class SerialExecutor(Executor):
    """Runs each call at once, in the calling process."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        """Run the call and return its finished future; an interrupt is not caught."""
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - a future carries whatever its call raised
            future.set_exception(error)
        return future


def make_executor(name: str) -> Executor:
    """Make an executor from its name.

    Args:
        name: "serial", or "processes[:n]" for n worker processes (default: one a core).

    Raises:
        UnknownNameError: If there is no such executor.
        RunError: If n is not a positive number.
    """
    kind, colon, count = name.partition(":")
    if kind == "serial" and not colon:
        return SerialExecutor()
    if kind != "processes":
        raise UnknownNameError("executor", name, ["serial", "processes", "processes:N"])
    if colon and not (count.isdigit() and int(count) > 0):
        raise RunError(f"The executor '{name}' needs a positive number of processes, such as processes:2.")
    # Spawned, not forked: a fork would copy the locks of threads that other libraries have running.
    return ProcessPoolExecutor(
        max_workers=int(count) if colon else os.cpu_count(),
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_leave_interrupts_to_the_parent,
    )


def stop(executor: Executor) -> None:
    """End an executor without waiting for what it has not begun; running calls are ended too."""
    workers = list((getattr(executor, "_processes", None) or {}).values())
    executor.shutdown(wait=False, cancel_futures=True)
    for worker in workers:
        worker.terminate()


def _leave_interrupts_to_the_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
