"""``python -m tests.simulation``: run every arm, print the table, write result.json and result.md beside this file."""

import argparse
import json
import os
import sys
import time
from pathlib import Path

from .report import markdown, records
from .study import RUNS, SEED, simulate

FOLDER = Path(__file__).parent


def main() -> int:
    """Return the exit code: 1 if a required share lies outside of its limits."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--processes", type=int, default=os.cpu_count(), help="[default: one a core]")
    parser.add_argument("--share", type=float, default=1.0, help="share of the runs to do; below 1 nothing is written")
    asked = parser.parse_args()
    begin = time.monotonic()
    arms = simulate({arm: max(1, round(asked.share * runs)) for arm, runs in RUNS.items()}, asked.processes)
    print(markdown(arms))
    print(f"{time.monotonic() - begin:.0f} s on {asked.processes} processes", file=sys.stderr)
    if asked.share == 1:
        (FOLDER / "result.json").write_text(json.dumps(records(arms, SEED), indent=1) + "\n", encoding="utf-8")
        (FOLDER / "result.md").write_text(markdown(arms), encoding="utf-8")
    return int(any(line.required and not line.holds for arm in arms for line in arm.lines))


if __name__ == "__main__":
    sys.exit(main())
