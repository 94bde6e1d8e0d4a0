"""Folds one after the other in this process."""

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from hiptbench.executors.base import JobExecutor
from hiptbench.messages import OnMessage, listening


class SerialExecutor(JobExecutor):
    """Runs each call at once, in the calling process.

    Args:
        on_message: Called with what jobs send, in the calling thread.
    """

    def __init__(self, on_message: OnMessage | None = None) -> None:
        self._on_message = on_message

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        """Run the call and return its finished future; an interrupt is not caught."""
        future: Future[Any] = Future()
        with listening(self._on_message):
            try:
                future.set_result(fn(*args, **kwargs))
            except Exception as error:  # noqa: BLE001 - a future carries whatever its call raised
                future.set_exception(error)
        return future

    def stop(self) -> None:
        """Do nothing: nothing runs between two calls."""
