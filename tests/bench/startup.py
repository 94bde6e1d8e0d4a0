"""Starting the command line."""

from statistics import median

from .framework import Benchmark, Measurement
from .processes import PYTHON, hiptbench, seconds_of
from .workspace import Workspace

_PAIRS = 15


def _help_over_python(_: Workspace) -> Measurement:
    shown = hiptbench("--help")
    seconds_of(shown)  # the first one compiles
    differences = [seconds_of(shown) - seconds_of(PYTHON) for _ in range(_PAIRS)]
    return Measurement(median(differences), f"python -c pass, median of {_PAIRS} paired differences")


BENCHMARKS = (
    Benchmark(
        id="cli.help_over_python",
        name="What `hiptbench --help` takes beyond starting Python",
        unit="s",
        better="lower",
        aim=0.4,
        measure=_help_over_python,
    ),
)
