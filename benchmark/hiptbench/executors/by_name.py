"""From the name that a user gives to an executor."""

import os

from hiptbench.errors import RunError, UnknownNameError
from hiptbench.executors.base import JobExecutor
from hiptbench.executors.processes import ProcessExecutor
from hiptbench.executors.serial import SerialExecutor
from hiptbench.messages import OnMessage

EXECUTORS = (
    "serial",
    "processes",
    "processes:N",
    "dask:local",
    "dask:local:N",
    "dask:tcp://HOST:PORT",
    "dask:tls://HOST:PORT",
)
"""What ``make_executor`` understands; N is a number of processes, by default one a core."""


def make_executor(name: str, *, on_message: OnMessage | None = None) -> JobExecutor:
    """Make an executor from its name.

    Args:
        name: One of ``EXECUTORS``.
        on_message: Called in this process with what jobs send, maybe in another thread.

    Raises:
        UnknownNameError: If there is no such executor.
        RunError: If N is not a positive number, if the scheduler at an address does not answer, or if dask.distributed
            is needed and not installed.
    """
    if name == "serial":
        return SerialExecutor(on_message)
    if name == "processes" or name.startswith("processes:"):
        return ProcessExecutor(_workers(name, "processes"), on_message)
    if name == "dask:local" or name.startswith(("dask:local:", "dask:tcp://", "dask:tls://")):
        return _on_dask(name, on_message)
    raise UnknownNameError("executor", name, EXECUTORS)


def _on_dask(name: str, on_message: OnMessage | None) -> JobExecutor:
    try:
        from hiptbench.executors.dask_cluster import connect, local_cluster
    except ImportError as error:
        raise RunError("The executor 'dask' needs dask.distributed: pip install 'hiptbench[dask]'.") from error
    if name.startswith("dask:local"):
        return local_cluster(_workers(name, "dask:local"), on_message)
    return connect(name.removeprefix("dask:"), on_message)


def _workers(name: str, kind: str) -> int:
    count = name.removeprefix(kind)
    if not count:
        return _cores()
    number = count.removeprefix(":")
    if not (number.isdecimal() and int(number) > 0):
        raise RunError(f"The executor '{name}' needs a positive number of processes, such as {kind}:2.")
    return int(number)


def _cores() -> int:
    """Return how many cores this process may use, which on a shared machine are not all."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
