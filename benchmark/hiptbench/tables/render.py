"""A rebuilt table as CSV, Markdown, LaTeX or plain text."""

import csv
import io
from dataclasses import astuple

from hiptbench.tables.model import Row, Table, Value

_BEFORE_SAMPLED = ("task", "method", "fraction", "printed_mean", "printed_sd")
_AFTER_SAMPLED = (
    "printed_status",
    "recomputed_mean",
    "recomputed_sd",
    "ours_mean",
    "ours_sd",
    "difference",
    "erratum",
)
_LATEX = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "&": r"\&",
        "%": r"\%",
        "$": r"\$",
        "#": r"\#",
        "_": r"\_",
        "{": r"\{",
        "}": r"\}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "±": r"$\pm$",
    }
)


def to_csv(table: Table) -> str:
    """Return the table as CSV: printed values to three decimals, computed values in full precision."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(csv_columns(table))
    writer.writerows(_csv_row(table, row) for row in table.rows)
    return buffer.getvalue()


def csv_columns(table: Table) -> tuple[str, ...]:
    """Return the names of the columns of the table's CSV."""
    if table.sampled is None:
        return (*_BEFORE_SAMPLED, *_AFTER_SAMPLED)
    prefix = f"printed_{_percent(table.sampled)}pct"
    return (*_BEFORE_SAMPLED, f"{prefix}_mean", f"{prefix}_sd", *_AFTER_SAMPLED)


def _csv_row(table: Table, row: Row) -> tuple[object, ...]:
    return (
        *(row.task, row.method, row.fraction),
        *_rounded(row.printed),
        *(_rounded(row.sampled) if table.sampled else ()),
        row.status,
        *_exact(row.recomputed),
        *_exact(row.ours),
        row.difference,
        _marks(row),
    )


def _exact(value: Value | None) -> tuple[float | None, ...]:
    return astuple(value) if value else (None, None)


def _rounded(value: Value | None) -> tuple[str | None, ...]:
    return tuple(None if number is None else f"{number:.3f}" for number in _exact(value))


def to_markdown(table: Table) -> str:
    """Return the table as GitHub-flavoured Markdown, its errata and sources below it."""
    head, *rows = ([cell.replace("|", r"\|") for cell in line] for line in _grid(table))
    lines = [head, ["---"] * len(head), *rows]
    body = [f"| {' | '.join(line)} |" for line in lines]
    return "\n".join([f"### {table.title}", "", *body, "", *(f"- {note}" for note in _notes(table))]) + "\n"


def to_latex(table: Table) -> str:
    """Return the table as a LaTeX ``table`` environment; needs the package booktabs."""
    head, *rows = (" & ".join(cell.translate(_LATEX) for cell in line) + r" \\" for line in _grid(table))
    return "\n".join(
        [
            r"\begin{table}",
            rf"\caption{{{table.title.translate(_LATEX)}}}",
            rf"\begin{{tabular}}{{{'l' * len(_grid(table)[0])}}}",
            r"\toprule",
            head,
            r"\midrule",
            *rows,
            r"\bottomrule",
            r"\end{tabular}",
            *(rf"\par\footnotesize {note.translate(_LATEX)}" for note in _notes(table)),
            r"\end{table}",
            "",
        ]
    )


def to_text(table: Table) -> str:
    """Return the table in aligned columns for a terminal, its errata and sources below it."""
    head, *rows = _grid(table)
    widths = [max(len(line[column]) for line in (head, *rows)) for column in range(len(head))]
    lines = [head, ["-" * width for width in widths], *rows]
    body = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    return "\n".join([table.title, "", *body, "", *_notes(table)]) + "\n"


def _grid(table: Table) -> list[list[str]]:
    sampled = [f"printed ({_percent(table.sampled)} %)"] if table.sampled else []
    values = ["printed", *sampled, "recomputed", "ours", table.difference]
    head = ["task", "method", "fraction", *values, "errata"]
    return [head, *(_line(table, row) for row in table.rows)]


def _line(table: Table, row: Row) -> list[str]:
    sampled = [_shown(row.sampled)] if table.sampled else []
    difference = "" if row.difference is None else f"{row.difference:+z.3f}"
    values = [_printed(row), *sampled, _shown(row.recomputed), _shown(row.ours)]
    return [row.task, row.method, f"{_percent(row.fraction)} %", *values, difference, _marks(row)]


def _printed(row: Row) -> str:
    if row.status == "not established":
        return row.status
    return f"{_shown(row.printed)} (secondary)" if row.status == "secondary" else _shown(row.printed)


def _shown(value: Value | None) -> str:
    mean, sd = _rounded(value)
    return " ± ".join(number for number in (mean, sd) if number)


def _marks(row: Row) -> str:
    return " ".join(str(mark) for mark in row.marks)


def _percent(fraction: float) -> str:
    return f"{100 * fraction:g}"


def _notes(table: Table) -> list[str]:
    counts = table.summary
    presumed = any(mark.state == "presumed" for row in table.rows for mark in row.marks)
    return [
        f"{table.metric}: mean ± sample standard deviation (ddof = 1) over folds. "
        f"The difference shown is {table.difference}.",
        f"{counts.cells} cells: {counts.established} established as printed, {counts.recomputed} recomputed, "
        f"{counts.agreeing} agreeing to three decimals, {counts.witnesses} proving an erratum.",
        *(["A mark with '?' is presumed: there is no value here to check it by."] if presumed else []),
        *(f"{erratum.id}: {erratum.sentence}" for erratum in table.errata),
        *(f"Printed in: {source}." for source in table.sources),
    ]
