"""The verbs ``leaderboard`` and ``table``."""

from pathlib import Path

import click
from click.core import ParameterSource

from hiptbench.cli.common import format_option, home_option, results_option, say


@click.command()
@results_option
@home_option
@format_option("table", "csv", "md", "json")
@click.option("--suite", help="Only this suite.")
@click.option("--kind", type=click.Choice(["measured", "published", "synthetic"]), help="Only rows of this kind.")
@click.option("--metric", "metrics", multiple=True, help="Metrics to show [default: what the tasks are ranked by].")
@click.option("--all-variants", is_flag=True, help="Show every provenance of a method, not only the newest.")
@click.option(
    "--into",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Put a table of methods by tasks between the leaderboard markers of a Markdown file, in place of --format.",
)
def leaderboard(
    store: Path | None,
    home: Path | None,
    form: str,
    suite: str | None,
    kind: str | None,
    metrics: tuple[str, ...],
    all_variants: bool,
    into: Path | None,
) -> None:
    """Show the leaderboard; numbers of different protocols never share a cell.

    \b
    Examples:
      hiptbench leaderboard
      hiptbench leaderboard --suite hipt-2022 --metric auc --metric balanced_accuracy
      hiptbench leaderboard --store results --format csv > leaderboard.csv
      hiptbench leaderboard --store results --suite hipt-2022 --into README.md
    """
    from hiptbench import rooms
    from hiptbench.boards import board_of, render
    from hiptbench.cli.stores import refuse_unknown
    from hiptbench.cli.terminal import board_text
    from hiptbench.export import open_results
    from hiptbench.summary import put_into, summary

    if into and click.get_current_context().get_parameter_source("form") is not ParameterSource.DEFAULT:
        raise click.UsageError("--into writes a Markdown table of its own: leave out --format.")
    results = open_results(rooms.store(store, home_path=home))
    board = board_of(results, suite=suite, kind=kind, metrics=metrics, all_variants=all_variants)
    filters = "" if board.cells else _filters(suite, kind, metrics)
    if filters:
        refuse_unknown(results, suite, metrics)
        say(f"There are no complete results to show with {filters}. Leave that out to see what there is.")
    for note in board.notes:
        say(note)
    if filters and (into or form == "table"):
        return
    if into:
        put_into(into, summary(board.cells))
    else:
        click.echo(board_text(board.cells) if form == "table" else render(board, form), nl=False)


def _filters(suite: str | None, kind: str | None, metrics: tuple[str, ...]) -> str:
    given = [("--suite", suite), ("--kind", kind), *(("--metric", metric) for metric in metrics)]
    return " ".join(f"{option} {value}" for option, value in given if value)


@click.command()
@click.argument("name")
@results_option
@home_option
@format_option("text", "csv", "md", "latex")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write to a file instead.")
def table(name: str, store: Path | None, home: Path | None, form: str, out: Path | None) -> None:
    """Print a table of the paper: as printed, recomputed from the authors' folds, and ours.

    NAME is subtyping (1), survival (2), knn, ablation (4) or issue25. The recomputed column needs
    `hiptbench results import-hipt DIR`; ours needs `hiptbench run`.

    \b
    Examples:
      hiptbench table survival
      hiptbench table 1 --format latex --out subtyping.tex
    """
    from hiptbench import rooms
    from hiptbench.boards import board_of
    from hiptbench.export import open_results
    from hiptbench.files import write_text
    from hiptbench.published_rows import load_published
    from hiptbench.tables import build_table, our_cells, to_csv, to_latex, to_markdown, to_text

    path = rooms.store(store, home_path=home)
    folds = load_published(path) or load_published(rooms.store(home_path=home))
    cells = board_of(open_results(path)).cells if path.is_dir() else ()
    built = build_table(name, folds, our_cells(cells))
    text = {"text": to_text, "csv": to_csv, "md": to_markdown, "latex": to_latex}[form](built)
    if not folds and built.difference.startswith("recomputed"):
        say("The recomputed column is empty: `hiptbench results import-hipt` fills it.")
    if out:
        write_text(out, text)
        say(f"written to {out}")
    else:
        click.echo(text, nl=not text.endswith("\n"))
