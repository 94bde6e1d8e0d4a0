"""The verb ``results``: export, verify and import results."""

from pathlib import Path

import click

from hiptbench.cli.common import DIRECTORY, Verbs, home_option, progress, results_option, say, store_option
from hiptbench.errors import StoreError, UnknownNameError


@click.group(cls=Verbs)
def results() -> None:
    """Export, verify and import results.

    \b
    Examples:
      hiptbench results export --suite hipt-2022 --out results
      hiptbench results verify --store results
    """


@results.command("export")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The folder to write.")
@click.option("--suite", "suites", multiple=True, help="Only this suite; may be given several times.")
@store_option
@home_option
def export_verb(out: Path, suites: tuple[str, ...], store: Path | None, home: Path | None) -> None:
    """Write rows and predictions, without ids or labels, into a folder that may be published.

    Beside them lies what `hiptbench report` draws: intervals, comparisons and curves. These take the tasks' data.

    \b
    Example:
      hiptbench results export --suite hipt-2022 --out results
    """
    from hiptbench.boards import board_of, render
    from hiptbench.cli.stores import open_store
    from hiptbench.export import export
    from hiptbench.files import write_text
    from hiptbench.report.derive import derive
    from hiptbench.report.stored import write_data

    source = open_store(store, home)
    rows = source.rows()
    there = {row.protocol.suite for row in rows}
    for suite in suites:
        if there and suite not in there:
            raise UnknownNameError("suite in this store", suite, there)
    chosen = [row for row in rows if not suites or row.protocol.suite in suites]
    written = export(source, chosen, out)
    kept = written.rows()
    write_text(out / "leaderboard.csv", render(board_of(written, rows=kept), "csv"))
    with progress("panels") as step:
        write_data(out, derive(source, home, rows=kept, on_panel=step))
    click.echo(f"{len(kept)} folds written to {out}")


@results.command("verify")
@results_option
@home_option
def verify_verb(store: Path | None, home: Path | None) -> None:
    """Recompute every stored number from its predictions; exit 1 if one differs or none could be checked.

    Of an export, what `hiptbench report` draws is derived again, too: intervals, comparisons and curves.

    \b
    Example:
      hiptbench results verify --store results
    """
    from hiptbench import rooms
    from hiptbench.export import Export, open_results
    from hiptbench.report.stored import FILE
    from hiptbench.report.verify_derived import verify_derived
    from hiptbench.verify import verify

    opened = open_results(rooms.store(store, home_path=home))
    found = verify(opened, home)
    click.echo(f"{found.verified} folds verified, {len(found.wrong)} wrong")
    for task, rows in found.not_verifiable.items():
        say(f"    {task}: {rows} folds not verifiable: its data are not imported, or the rows lack slides")
    wrong = list(found.wrong)
    if isinstance(opened, Export) and found.verified and (opened.path / FILE).is_file():
        with progress("panels") as step:
            derived = verify_derived(opened, home, on_panel=step)
        click.echo(f"{derived.verified} derived numbers verified, {len(derived.wrong)} wrong")
        say(f"    {derived.elsewhere} stand on survival curves or the authors' folds, which an export does not hold")
        wrong += derived.wrong
    for problem in wrong:
        say(f"    WRONG {problem}")
    if wrong:
        raise StoreError(f"{len(wrong)} numbers are not what they were stored as: run or export them again.")
    if not found.verified:
        raise StoreError("Nothing could be verified. Import the tasks' data, or name another store with --store.")


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

    fetched = rooms.home(home) / "checkouts" / "HIPT"
    if not (checkout or fetched.is_dir()):
        raise click.UsageError("Name a checkout of mahmoodlab/HIPT, or get one with `hiptbench data fetch`.")
    folds = import_hipt(checkout or fetched)
    path = rooms.store(store, home_path=home)
    save_published(path, folds)
    runs = len({fold.directory for fold in folds})
    click.echo(f"{len(folds)} published folds of {runs} runs, in {path}")
