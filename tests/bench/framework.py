"""What a benchmark is, running it, and how its outcome is shown and stored."""

import json
import subprocess
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from .workspace import Workspace


class Skip(Exception):  # noqa: N818 - not an error
    """A benchmark cannot run here; the message says what it needs."""


@dataclass(frozen=True)
class Measurement:
    """A value and what it was measured against or on."""

    value: float
    compared_with: str


@dataclass(frozen=True, kw_only=True)
class Benchmark:
    """One figure of the program.

    Attributes:
        id: ``group.name``, never changed once published.
        name: What is measured, in words.
        unit: Unit of the value.
        better: Which direction is better.
        aim: The value to reach; None where there is only a trend to watch.
        measure: Measures it; raises ``Skip`` where something is missing.
        full: Whether it is too long for every day and runs with ``--full`` only.
    """

    id: str
    name: str
    unit: str
    better: Literal["higher", "lower"]
    measure: Callable[[Workspace], Measurement]
    aim: float | None = None
    full: bool = False

    def meets_aim(self, value: float) -> bool:
        """Whether a value is at least as good as the aim; always, where there is none."""
        if self.aim is None:
            return True
        return value >= self.aim if self.better == "higher" else value <= self.aim


@dataclass(frozen=True)
class Outcome:
    """What came of a benchmark: a measurement, or why there is none.

    Attributes:
        benchmark: The benchmark.
        measured: The measurement, if there is one.
        problem: Why there is none.
        failed: Whether the program failed, rather than that something was missing.
        seconds: How long measuring took.
    """

    benchmark: Benchmark
    measured: Measurement | None
    problem: str = ""
    failed: bool = False
    seconds: float = 0.0


def run(benchmark: Benchmark, workspace: Workspace) -> Outcome:
    """Measure one benchmark; a program that fails does not keep the next benchmarks from running."""
    begin = time.perf_counter()
    try:
        measured = benchmark.measure(workspace)
    except Skip as reason:
        return Outcome(benchmark, None, f"skipped: {reason}")
    except subprocess.CalledProcessError as error:
        said = (error.stderr or "").strip().splitlines()[-1:] or ["it said nothing"]
        return Outcome(benchmark, None, f"FAILED with exit code {error.returncode}: {said[0]}", failed=True)
    except subprocess.TimeoutExpired as error:
        return Outcome(benchmark, None, f"FAILED: took more than {error.timeout:g} s", failed=True)
    return Outcome(benchmark, measured, seconds=time.perf_counter() - begin)


def table(outcomes: Iterable[Outcome]) -> str:
    """Return the outcomes as aligned text, one line a benchmark."""
    lines = [("id", "value", "unit", "aim", "", "compared with")]
    for outcome in outcomes:
        benchmark, measured = outcome.benchmark, outcome.measured
        sign = "<=" if benchmark.better == "lower" else ">="
        aim = "" if benchmark.aim is None else f"{sign} {benchmark.aim:g}"
        if measured is None:
            lines.append((benchmark.id, "-", benchmark.unit, aim, "", outcome.problem))
        else:
            verdict = "ok" if benchmark.meets_aim(measured.value) else "MISSED"
            shown = (f"{measured.value:.3f}", benchmark.unit, aim, verdict if aim else "")
            lines.append((benchmark.id, *shown, measured.compared_with))
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    rows = ("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines)
    return "\n".join(row.rstrip() for row in rows)


def as_records(outcomes: Iterable[Outcome], commit: str) -> list[dict[str, Any]]:
    """Return what was measured as plain values; what was skipped or failed is left out."""
    return [
        {
            "id": outcome.benchmark.id,
            "name": outcome.benchmark.name,
            "value": outcome.measured.value,
            "unit": outcome.benchmark.unit,
            "aim": outcome.benchmark.aim,
            "better": outcome.benchmark.better,
            "compared_with": outcome.measured.compared_with,
            "commit": commit,
        }
        for outcome in outcomes
        if outcome.measured
    ]


def write_records(outcomes: Sequence[Outcome], path: Path, commit: str) -> None:
    """Write the records as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(as_records(outcomes, commit), indent=1) + "\n", encoding="utf-8")


def commit_of(repository: Path) -> str:
    """Return the short hash of the commit, with "-dirty" if files differ from it; "unknown" outside of git."""
    command = ["git", "-C", str(repository), "describe", "--always", "--dirty", "--exclude=*"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"
