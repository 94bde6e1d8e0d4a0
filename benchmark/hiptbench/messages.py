"""Messages from a running job to the process that submitted it: dropped where nobody listens, never a failure."""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

Message = Mapping[str, float | int | str]
OnMessage = Callable[[Message], object]

_log = logging.getLogger(__name__)
_listener: ContextVar[OnMessage | None] = ContextVar("listener", default=None)


def send(message: Message) -> None:
    """Tell the process that submitted this job something, wherever the job runs.

    Call it in the thread that runs the job. Nothing is raised: a job does not depend on who listens.

    Args:
        message: Names to numbers or texts, nothing else, for it may go to another machine.
    """
    listener = _listener.get()
    if listener is not None:
        deliver(message, listener)


def deliver(message: Message, listener: OnMessage) -> None:
    """Hand a message over; if that fails, it is as good as lost."""
    try:
        listener(message)
    except Exception:  # noqa: BLE001 - whatever is wrong with a message or with who hears it, the job must go on
        _log.debug("a message was lost: %r", message, exc_info=True)


def listen(listener: OnMessage) -> None:
    """Hear what jobs send in this thread from now on."""
    _listener.set(listener)


@contextmanager
def listening(listener: OnMessage | None) -> Iterator[None]:
    """Hear what jobs send in this thread inside the block; None hears nothing."""
    before = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(before)
