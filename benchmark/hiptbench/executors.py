"""Where folds run: in this process, or in worker processes, behind one ``concurrent.futures`` interface."""

import multiprocessing
import os
import signal
import threading
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
        max_workers=int(count) if colon else _cores(),
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_begin_worker,
    )


def stop(executor: Executor) -> None:
    """End an executor at once: what it has not begun is dropped, what is running is ended."""
    workers = list((getattr(executor, "_processes", None) or {}).values())
    executor.shutdown(wait=False, cancel_futures=True)
    for worker in workers:
        worker.terminate()
    for worker in workers:
        worker.join()


def _cores() -> int:
    """Return how many cores this process may use, which on a shared machine are not all."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _begin_worker() -> None:
    """Leave interrupts to the parent, and end with it: a worker would wait forever for one that was killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
