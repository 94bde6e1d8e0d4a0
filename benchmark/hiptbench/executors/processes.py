"""Folds in worker processes of this machine."""

import json
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnContext
from multiprocessing.synchronize import Lock
from typing import Any

from hiptbench.executors.base import JobExecutor
from hiptbench.messages import Message, OnMessage, deliver, listen

_Postbox = tuple[Connection, Lock]


class ProcessExecutor(JobExecutor):
    """Runs calls in processes, which begin anew: nothing of this one is copied into them.

    Args:
        workers: How many processes.
        on_message: Called with what jobs send, in a thread of its own.
    """

    def __init__(self, workers: int, on_message: OnMessage | None = None) -> None:
        # Spawned, not forked: a fork would copy the locks of threads that other libraries have running.
        context = multiprocessing.get_context("spawn")
        self._inbox = _Inbox(context, on_message) if on_message else None
        self._pool = ProcessPoolExecutor(
            max_workers=workers,
            mp_context=context,
            initializer=_begin_worker,
            initargs=(self._inbox.postbox if self._inbox else None,),
        )

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        """Queue the call for the next free process."""
        return self._pool.submit(fn, *args, **kwargs)

    def stop(self) -> None:
        """End all processes at once; what they had sent until then is still delivered."""
        workers = list((self._pool._processes or {}).values())
        self._pool.shutdown(wait=False, cancel_futures=True)
        for worker in workers:
            worker.terminate()
        for worker in workers:
            worker.join()
        if self._inbox:
            self._inbox.close()


class _Inbox:
    """A pipe that all workers write into, and a thread that hands on what arrives."""

    def __init__(self, context: SpawnContext, on_message: OnMessage) -> None:
        self._reader, writer = context.Pipe(duplex=False)
        self.postbox: _Postbox = writer, context.Lock()
        self._thread = threading.Thread(target=self._hand_on, args=(on_message,), name="messages", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Hand on what has arrived, once no worker is left: the pipe ends when its last writer closes it."""
        self.postbox[0].close()
        self._thread.join(timeout=5)  # a process that some head left behind may hold the pipe open

    def _hand_on(self, on_message: OnMessage) -> None:
        with self._reader, suppress(EOFError, OSError):
            while True:
                deliver(json.loads(self._reader.recv_bytes()), on_message)


def _begin_worker(postbox: _Postbox | None) -> None:
    """Leave interrupts to the parent, and end with it: a worker would wait forever for one that was killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if postbox:
        listen(_Post(*postbox))


class _Post:
    """Puts messages into the parent's inbox."""

    def __init__(self, pipe: Connection, lock: Lock) -> None:
        self._pipe, self._lock = pipe, lock

    def __call__(self, message: Message) -> None:
        written = json.dumps(dict(message)).encode()  # not pickled: a message is to carry nothing but its values
        with self._lock:
            self._pipe.send_bytes(written)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
