"""Run a plan: fold by fold on an executor, each committed to the store as soon as it is finished."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Future, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass

from hiptbench.errors import RunError
from hiptbench.executors import JobExecutor, SerialExecutor, make_executor
from hiptbench.jobs import Job, Outcome, run_job
from hiptbench.kept import NOTHING, Keep
from hiptbench.messages import OnMessage
from hiptbench.plans import Plan
from hiptbench.results import FoldResult
from hiptbench.store import Store

OnFold = Callable[[FoldResult], None]


@dataclass(frozen=True)
class RunReport:
    """What a run did.

    Attributes:
        finished: Rows committed by this run.
        done_before: How many folds the store had already.
    """

    finished: tuple[FoldResult, ...]
    done_before: int


def run(
    plan: Plan,
    store: Store,
    *,
    executor: str = "processes",
    keep: Keep = NOTHING,
    on_fold: OnFold | None = None,
    on_message: OnMessage | None = None,
) -> RunReport:
    """Run the folds that the store does not have yet.

    A fold is in the store, whole, as soon as it is finished; an interrupt or a crash loses at most those in flight.
    The numbers do not depend on the executor.

    Args:
        plan: What to run.
        store: Where finished folds go.
        executor: Where folds run: "serial", "processes[:N]", "dask:local[:N]" or "dask:tcp://HOST:PORT".
        keep: What to keep beside rows and predictions; a fold of which it is lacking runs again.
        on_fold: Called with each committed row.
        on_message: Called with what folds ``send`` while they run, maybe in another thread, and maybe late.

    Raises:
        UnknownNameError: If there is no such executor.
        RunError: If the executor cannot be had, or if a fold fails; those finished before it stay committed.
        StoreError: If the store cannot be written.
    """
    store.check_writable()
    to_do = plan.to_do(store, keep)
    finished: list[FoldResult] = []
    if to_do:
        with make_executor(executor, on_message=on_message) as pool:
            for outcome in _outcomes(pool, to_do, executor, keep):
                store.kept(outcome.row.fingerprint).write(outcome.attention, outcome.fitted)
                row = store.commit(outcome.row, outcome.predictions)
                finished.append(row)
                if on_fold:
                    on_fold(row)
    return RunReport(tuple(finished), len(plan.jobs) - len(to_do))


def _outcomes(pool: JobExecutor, jobs: Sequence[Job], executor: str, keep: Keep) -> Iterator[Outcome]:
    """Yield outcomes as they finish; a serial pool gets one job at a time, for it runs what it is given at once."""
    batches = [[job] for job in jobs] if isinstance(pool, SerialExecutor) else [jobs]
    for batch in batches:
        running = {pool.submit(run_job, job, executor=executor, keep=keep): job for job in batch}
        for future in as_completed(running):
            yield _outcome(future, running.pop(future))


def _outcome(future: "Future[Outcome]", job: Job) -> Outcome:
    try:
        return future.result()
    except BrokenProcessPool as error:
        raise RunError(
            f"A worker process died while {job.label} or its neighbour ran, perhaps for want of memory. Finished folds "
            "are kept: run the same command again, with --executor serial if it dies again."
        ) from error
    except BrokenExecutor as error:
        raise RunError(f"{job.label}: {error}. Finished folds are kept: run the same command again.") from error
    except Exception as error:
        if not isinstance(error, RunError):
            error.add_note(f"This was {job.label}. Finished folds are kept.")
        raise
