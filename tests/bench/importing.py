"""Importing the published data."""

from statistics import median

from .framework import Benchmark, Measurement, Skip
from .processes import hiptbench, seconds_of
from .workspace import VARIABLE, Workspace, checkouts

_RUNS = 3


def _import_pack(workspace: Workspace) -> Measurement:
    if workspace.real_data is None:
        raise Skip(f"needs {VARIABLE}")
    options = checkouts(workspace.real_data)
    runs = [seconds_of(hiptbench("data", "import", *options, "--home", workspace.fresh())) for _ in range(_RUNS)]
    return Measurement(median(runs), f"a fresh home, median of {_RUNS} whole processes")


BENCHMARKS = (
    Benchmark(
        id="data.import_pack_3457",
        name="`hiptbench data import`: nine tasks, 3,457 slides' region embeddings read, checked and packed",
        unit="s",
        better="lower",
        measure=_import_pack,
    ),
)
