"""Where folds run: in this process, in worker processes, or on a dask cluster, behind one interface."""

from hiptbench.executors.base import JobExecutor
from hiptbench.executors.by_name import EXECUTORS, make_executor
from hiptbench.executors.serial import SerialExecutor

__all__ = ["EXECUTORS", "JobExecutor", "SerialExecutor", "make_executor"]
