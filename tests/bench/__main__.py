"""``python -m tests.bench [--full] [ID...]``: measure, print a table, write ``.bench/latest.json``."""

import argparse
import os
import sys
import tempfile
from pathlib import Path

from . import extraction, importing, intervals, reporting, running, startup, training
from .framework import Benchmark, Outcome, commit_of, run, table, write_records
from .workspace import REPOSITORY, Workspace

LATEST = REPOSITORY / ".bench" / "latest.json"

BENCHMARKS: tuple[Benchmark, ...] = (
    *startup.BENCHMARKS,
    *importing.BENCHMARKS,
    *running.BENCHMARKS,
    *training.BENCHMARKS,
    *extraction.BENCHMARKS,
    *reporting.BENCHMARKS,
    *intervals.BENCHMARKS,
)


def main() -> int:
    """Return the exit code: 1 if a benchmark failed; a missed aim is shown, and is no failure."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--full", action="store_true", help="run the long benchmarks too")
    parser.add_argument("ids", nargs="*", metavar="ID", help="only these, or all whose id starts so [default: all]")
    asked = parser.parse_args()
    chosen = [b for b in BENCHMARKS if (asked.full or not b.full) and b.id.startswith(tuple(asked.ids) or "")]
    if not chosen:
        parser.error(f"no such benchmark; there are: {', '.join(b.id for b in BENCHMARKS)}")
    outcomes = _measure(chosen)
    commit = commit_of(REPOSITORY)
    write_records(outcomes, LATEST, commit)
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    print(f"{table(outcomes)}\ncommit {commit}; load average {load} on {os.cpu_count()} cores; written to {LATEST}")
    return int(any(outcome.failed for outcome in outcomes))


def _measure(chosen: list[Benchmark]) -> list[Outcome]:
    outcomes = []
    with tempfile.TemporaryDirectory(prefix="hiptbench-bench-") as folder:
        workspace = Workspace.here(Path(folder))
        for benchmark in chosen:
            print(f"{benchmark.id}: {benchmark.name} ...", file=sys.stderr, flush=True)
            outcomes.append(run(benchmark, workspace))
    return outcomes


if __name__ == "__main__":
    sys.exit(main())
