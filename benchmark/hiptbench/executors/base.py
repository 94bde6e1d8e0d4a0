"""What the runner asks of an executor beyond ``concurrent.futures``: to be ended at once."""

from abc import abstractmethod
from concurrent.futures import Executor
from types import TracebackType


class JobExecutor(Executor):
    """Runs jobs somewhere; what they ``send`` comes to the handler that it was made with.

    As a context manager it stops at the end of the block, whatever still runs then. A job whose worker is lost for good
    ends with ``concurrent.futures.BrokenExecutor``, which says why.
    """

    @abstractmethod
    def stop(self) -> None:
        """End at once: what has not begun is dropped, what is running here is ended, workers of our own are gone."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
