"""Running whole processes: how long they take, and how much memory their tree holds at its peak."""

import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

PYTHON = (sys.executable, "-c", "pass")
_TIMEOUT = 300  # seconds; whatever takes longer has gone wrong
_INTERVAL = 0.05  # seconds between two samples of memory


def hiptbench(*arguments: object) -> tuple[str, ...]:
    """Return the command line of a verb."""
    return (sys.executable, "-m", "hiptbench.cli", *map(str, arguments))


def seconds_of(command: Sequence[str]) -> float:
    """Return how long a process takes, from its start to its end.

    Raises:
        subprocess.CalledProcessError: If it fails.
    """
    begin = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=_TIMEOUT)
    return time.perf_counter() - begin


def peak_pss(command: Sequence[str]) -> int:
    """Return the peak memory in bytes of a process and its descendants, without counting shared pages twice.

    The proportional set sizes of the tree are summed every 50 ms and the highest sum is taken; Linux only.

    Raises:
        subprocess.CalledProcessError: If it fails.
    """
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        root, peak = psutil.Process(process.pid), 0
        while process.poll() is None:
            peak = max(peak, _tree_pss(root))
            time.sleep(_INTERVAL)
        said = process.stderr.read() if process.stderr else ""
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command, stderr=said)
    return peak


def _tree_pss(root: psutil.Process) -> int:
    try:
        tree = [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0
    return sum(_pss(process.pid) for process in tree)


def _pss(pid: int) -> int:
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return 0  # it has ended meanwhile
    line = next((line for line in rollup.splitlines() if line.startswith("Pss:")), "Pss: 0 kB")
    return int(line.split()[1]) * 1024
