"""Folds on a dask cluster: one of our own on this machine, or a running one behind an address.

The only module that imports dask.distributed, an optional extra; it is imported when such an executor is asked for.
"""

import asyncio
import json
import logging
import os
import signal
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor, Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any

from distributed import Client, KilledWorker, LocalCluster, Security, get_worker
from distributed.comm import connect as connect_to

from hiptbench.errors import RunError
from hiptbench.executors.base import JobExecutor
from hiptbench.messages import Message, OnMessage, deliver, listening

CONNECT_SECONDS = 10
"""How long a scheduler may take to answer."""

_one_at_a_time = threading.Lock()


class DaskExecutor(JobExecutor):
    """Runs calls on the workers of a dask cluster; one whose worker dies is run again on another.

    Args:
        client: A client of our own, which is closed in the end.
        cluster: The cluster that is to end with this executor, if any.
        on_message: Called with what jobs send, in the client's thread.
    """

    def __init__(
        self, client: Client, cluster: LocalCluster | None = None, on_message: OnMessage | None = None
    ) -> None:
        self._client, self._cluster = client, cluster
        self._pool = client.get_executor(pure=False)  # equal calls are not one call
        self._topic = f"hiptbench-{uuid.uuid4().hex}" if on_message else None
        if on_message:
            client.subscribe_topic(self._topic, lambda event: deliver(json.loads(event[1]), on_message))

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        """Send the call to the scheduler, which gives it to the next free worker."""
        outcome: Future[Any] = Future()
        task = self._pool.submit(_run_on_worker, self._topic, fn, args, kwargs)
        task.add_done_callback(lambda done: _pass_on(done, outcome))
        return outcome

    def stop(self) -> None:
        """Take back what is not finished; end a cluster of our own with what it runs, and leave one of others alone.

        A call that runs on a cluster of others cannot be ended: it goes on, and what it returns is dropped.
        """
        with _muted("distributed.client"):  # it would complain at length about a scheduler that is gone
            self._client.close()
        if self._cluster is not None:
            _end_workers(self._cluster)
            self._cluster.close()


def local_cluster(workers: int, on_message: OnMessage | None = None) -> DaskExecutor:
    """Start a cluster on this machine, without dashboard.

    Args:
        workers: How many worker processes, of one thread each.
        on_message: Called with what jobs send.
    """
    cluster = LocalCluster(
        n_workers=workers,
        threads_per_worker=1,
        dashboard_address=None,
        scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},  # a scheduler has a web server even so; on any port
        memory_limit=0,  # dask would count the features that a worker has mapped as its memory, and end it
        silence_logs=logging.CRITICAL,  # what becomes of a fold is for the runner to tell
    )
    return DaskExecutor(Client(cluster, set_as_default=False), cluster, on_message)


def connect(address: str, on_message: OnMessage | None = None) -> DaskExecutor:
    """Use the cluster of a running scheduler.

    Its scheduler and workers need the same packages as this process, and the same data home at the same path.

    Args:
        address: Where the scheduler listens, as "tcp://host:port" or "tls://host:port"; for TLS, dask's own
            configuration names the certificates.
        on_message: Called with what jobs send.

    Raises:
        RunError: If the scheduler does not answer.
    """
    try:
        with ThreadPoolExecutor(max_workers=1) as thread:  # there may be an event loop in this one
            thread.submit(asyncio.run, _greet(address)).result()
        client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except Exception as error:  # what answers there may be anything, and be misread in any way
        reason = str(error) or f"no answer in {CONNECT_SECONDS} s"
        raise RunError(
            f"There is no dask scheduler at {address}: {reason}. Start one with `dask scheduler`, and its workers with "
            f"`dask worker {address} --nthreads 1`, or run with --executor dask:local."
        ) from error
    return DaskExecutor(client, on_message=on_message)


async def _greet(address: str) -> None:
    """Say hello and hang up: a client itself would wait forever for one that listens and does not speak."""
    secrets = Security().get_connection_args("client")
    comm = await asyncio.wait_for(connect_to(address, **secrets), CONNECT_SECONDS)
    await comm.close()


def _run_on_worker(topic: str | None, fn: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """Run a call, on a worker, alone in its process: how many threads a library uses is a matter of the process."""
    worker = get_worker()

    def post(message: Message) -> None:
        worker.log_event(topic, json.dumps(dict(message)))  # as text: dask would add names of its own to a mapping

    with _one_at_a_time, listening(post if topic else None):
        return fn(*args, **kwargs)


def _pass_on(done: "Future[Any]", outcome: "Future[Any]") -> None:
    """Say in the words of ``concurrent.futures`` that a call was given up, which dask has its own errors for."""
    if done.cancelled():
        outcome.set_exception(BrokenExecutor("the dask scheduler dropped it or cannot be reached any more"))
    elif isinstance(error := done.exception(), KilledWorker):
        outcome.set_exception(
            BrokenExecutor("the workers that it was given to died, one after the other, from it or a neighbour")
        )
    elif error is not None:
        outcome.set_exception(error)
    else:
        outcome.set_result(done.result())


@contextmanager
def _muted(logger: str) -> Iterator[None]:
    found = logging.getLogger(logger)
    before, found.disabled = found.disabled, True
    try:
        yield
    finally:
        found.disabled = before


def _end_workers(cluster: LocalCluster) -> None:
    """End the worker processes with what they run; a cluster that is closed would wait for them."""
    for nanny in cluster.workers.values():
        nanny.close_gracefully()  # else it would start the worker again
        if nanny.pid is not None:
            with suppress(ProcessLookupError):
                os.kill(nanny.pid, signal.SIGTERM)
