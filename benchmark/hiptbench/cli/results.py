"""The verb ``results``: export, verify and import results."""

from pathlib import Path

import click

from hiptbench.cli.common import DIRECTORY, home_option, store_option


@click.group()
def results() -> None:
    """Export, verify and import results."""


@results.command("export")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The folder to write.")
@click.option("--suite", help="Only this suite.")
@store_option
@home_option
def export_verb(out: Path, suite: str | None, store: Path | None, home: Path | None) -> None:
    """Write rows and predictions, without ids or labels, into a folder that may be published.

    \b
    Example:
      hiptbench results export --suite hipt-2022 --out results
    """
    from hiptbench import rooms
    from hiptbench.boards import board_of, render
    from hiptbench.export import export
    from hiptbench.files import write_text
    from hiptbench.store import Store

    source = Store(rooms.store(store, home_path=home))
    rows = [row for row in source.rows() if suite in (None, row.protocol.suite)]
    written = export(source, rows, out)
    write_text(out / "leaderboard.csv", render(board_of(written), "csv"))
    click.echo(f"{len(rows)} folds written to {out}")


@results.command("verify")
@store_option
@home_option
def verify_verb(store: Path | None, home: Path | None) -> None:
    """Recompute every stored number from its predictions; exit 1 if one differs.

    \b
    Example:
      hiptbench results verify --store results
    """
    from hiptbench import rooms
    from hiptbench.export import open_results
    from hiptbench.verify import verify

    found = verify(open_results(rooms.store(store, home_path=home)), home)
    click.echo(f"{found.verified} folds verified, {len(found.wrong)} wrong")
    for task, rows in found.not_verifiable.items():
        click.echo(f"    {task}: {rows} folds not verifiable, its data are not imported")
    for problem in found.wrong:
        click.echo(f"    WRONG {problem}", err=True)
    if found.wrong or not found.verified:
        raise SystemExit(1)


@results.command("import-hipt")
@click.argument("checkout", type=DIRECTORY, required=False)
@store_option
@home_option
def import_verb(checkout: Path | None, store: Path | None, home: Path | None) -> None:
    """Read the authors' per-fold results from a checkout of mahmoodlab/HIPT [default: what `data fetch` got].

    \b
    Example:
      hiptbench results import-hipt ../HIPT && hiptbench table subtyping
    """
    from hiptbench import rooms
    from hiptbench.published import import_hipt
    from hiptbench.published_rows import save_published

    folds = import_hipt(checkout or rooms.home(home) / "checkouts" / "HIPT")
    path = rooms.store(store, home_path=home)
    save_published(path, folds)
    runs = len({fold.directory for fold in folds})
    click.echo(f"{len(folds)} published folds of {runs} runs, in {path}")
