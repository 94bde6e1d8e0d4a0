"""Run a plan: fold by fold on an executor, each committed to the store as soon as it is finished."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass

from hiptbench.errors import RunError
from hiptbench.evaluate import Evaluation
from hiptbench.executors import make_executor, stop
from hiptbench.jobs import Job, run_job
from hiptbench.plans import Plan
from hiptbench.results import FoldResult
from hiptbench.store import Store

OnFold = Callable[[FoldResult], None]
Outcome = tuple[FoldResult, Evaluation]


@dataclass(frozen=True)
class RunReport:
    """What a run did.

    Attributes:
        finished: Rows committed by this run.
        done_before: How many folds the store had already.
    """

    finished: tuple[FoldResult, ...]
    done_before: int


def run(plan: Plan, store: Store, *, executor: str = "processes", on_fold: OnFold | None = None) -> RunReport:
    """Run the folds that the store does not have yet.

    A fold is in the store, whole, as soon as it is finished; an interrupt or a crash loses at most those in flight.
    The numbers do not depend on the executor.

    Args:
        plan: What to run.
        store: Where finished folds go.
        executor: "serial" or "processes[:n]".
        on_fold: Called with each committed row.

    Raises:
        RunError: If a fold fails; those finished before it stay committed.
        StoreError: If the store cannot be written.
    """
    store.check_writable()
    to_do = plan.to_do(store)
    finished: list[FoldResult] = []
    if to_do:
        pool = make_executor(_at_most(executor, len(to_do)))
        try:
            for result, evaluation in _outcomes(pool, to_do):
                row = store.commit(result, (evaluation.units, evaluation.target, evaluation.prediction))
                finished.append(row)
                if on_fold:
                    on_fold(row)
        finally:
            stop(pool)
    return RunReport(tuple(finished), len(plan.jobs) - len(to_do))


def _at_most(executor: str, jobs: int) -> str:
    """Do not start more processes than there are jobs: starting one costs seconds."""
    return "processes:1" if executor == "processes" and jobs == 1 else executor


def _outcomes(pool: Executor, jobs: Sequence[Job]) -> Iterator[Outcome]:
    """Yield outcomes as they finish, with few jobs submitted ahead, so that a serial pool is lazy too."""
    waiting = iter(jobs)
    running: dict[Future[Outcome], Job] = {}
    ahead = 2 * getattr(pool, "_max_workers", 1) if hasattr(pool, "_max_workers") else 1
    while True:
        for job in waiting:
            running[pool.submit(run_job, job)] = job
            if len(running) >= ahead:
                break
        if not running:
            return
        for future in wait(running, return_when=FIRST_COMPLETED).done:
            yield _outcome(future, running.pop(future))


def _outcome(future: "Future[Outcome]", job: Job) -> Outcome:
    try:
        return future.result()
    except BrokenProcessPool as error:
        raise RunError(
            f"A worker process died while {job.label} or its neighbour ran, perhaps for want of memory. Finished folds "
            "are kept: run the same command again, perhaps with --executor processes:1."
        ) from error
