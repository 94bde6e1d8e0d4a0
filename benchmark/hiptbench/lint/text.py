"""A lint report for a terminal: cohort and folds in a line each, a row a fold, findings with some of their names."""

from collections.abc import Iterator, Mapping

from hiptbench.errors import name_some
from hiptbench.lint.findings import Finding, FoldFacts, LintReport, OverallFacts

_NAMES_SHOWN = 3


def to_text(report: LintReport) -> str:
    """Return a report as text that ends with a line break; "?" stands for what the ids do not tell."""
    findings = "\n".join(map(_finding, report.findings)) or "Nothing was found."
    return "\n\n".join((f"{report.name}\n{_summary(report)}", _aligned(_grid(report)), findings)) + "\n"


def _summary(report: LintReport) -> str:
    overall = report.overall
    cohort = [f"{overall.units} {report.unit}s"]
    if report.unit != "slide":
        cohort.append(f"{_shown(overall.slides)} slides")
    cohort += [f"{_shown(overall.patients)} patients", f"{_shown(overall.sites)} sites"]
    if overall.institutions is not None:
        cohort.append(f"{overall.institutions} institutions")
    cohort += _answers(overall)
    folds = f"{len(report.folds)} folds ({overall.scheme})"
    return f"{', '.join(cohort)}\n{folds}, tested on {report.tested_part}; {_tested(overall)}"


def _tested(overall: OverallFacts) -> str:
    return (
        f"{_shown(overall.slides_ever_tested)} of {_shown(overall.slides)} slides are ever tested, "
        f"{_shown(overall.slides_tested_repeatedly)} repeatedly"
    )


def _answers(overall: OverallFacts) -> Iterator[str]:
    for name, count in (overall.classes or {}).items():
        yield f"{name} {count}"
    if overall.events is not None:
        yield f"{overall.events} events"


def _grid(report: LintReport) -> list[tuple[str, ...]]:
    rows = [_row(fold, report) for fold in report.folds]
    columns = list(dict.fromkeys(column for row in rows for column in row))
    above, below = ([column.rpartition("\n")[part] for column in columns] for part in (0, 2))
    return [tuple(above), tuple(below), *(tuple(row.get(column, "") for column in columns) for row in rows)]


def _row(fold: FoldFacts, report: LintReport) -> Mapping[str, str]:
    """Return a fold's numbers by column, whose name may have two lines: units, what is tested, what is shared."""
    row = {"fold": str(fold.fold)} | {part: str(facts.units) for part, facts in fold.parts.items()}
    row["tested\nslides"] = _shown(fold.test_slides)
    row["of a patient\nin train"] = _shown(fold.test_slides_patient_in_train)
    for pair, shared in fold.overlaps.items():
        row[f"patients\n{pair.replace('_', '+')}"] = _shown(None if shared.patients is None else len(shared.patients))
    pair = f"train_{report.tested_part}"
    if pair in fold.overlaps:
        sites = fold.overlaps[pair].sites
        row[f"sites\n{pair.replace('_', '+')}"] = _shown(None if sites is None else len(sites))
        institutions = fold.overlaps[pair].institutions
        if institutions is not None:
            row[f"institutions\n{pair.replace('_', '+')}"] = str(len(institutions))
    if tested := fold.parts.get(report.tested_part):
        row |= {f"tested\n{name}": str(count) for name, count in (tested.classes or {}).items()}
        row |= {} if tested.events is None else {"tested\nevents": str(tested.events)}
    return row


def _finding(finding: Finding) -> str:
    names = f"\n         {name_some(finding.names, most=_NAMES_SHOWN)}" if finding.names else ""
    return f"{finding.severity:7}  {finding.message} [{finding.code}]{names}"


def _shown(number: int | None) -> str:
    return "?" if number is None else str(number)


def _aligned(grid: list[tuple[str, ...]]) -> str:
    widths = [max(len(row[column]) for row in grid) for column in range(len(grid[0]))]
    lines = ("  ".join(text.rjust(width) for text, width in zip(row, widths, strict=True)) for row in grid)
    return "\n".join(line.rstrip() for line in lines)
