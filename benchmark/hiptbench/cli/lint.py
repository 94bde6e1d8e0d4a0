"""The verb ``lint``."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hiptbench.cli.common import format_option, home_option, progress

if TYPE_CHECKING:
    from hiptbench.features import FeatureSet

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("what", metavar="TASK|SUITE|DIR")
@click.option("--labels", type=_FILE, help="CSV, one row a slide, for a DIR; without it only the ids are checked.")
@click.option("--slide-col", help="Column of slide ids (with or without a suffix such as .svs).")
@click.option("--case-col", help="Column of patient ids.")
@click.option("--label-col", help="Column of class names.")
@click.option("--time-col", help="Column of survival times.")
@click.option("--event-col", help="Column that is 1 where the event was seen, 0 where the time is censored.")
@click.option("--features", help="Check these as well: name of imported features, or a folder.")
@click.option("--strict", is_flag=True, help="Exit with code 1 if anything found is an error.")
@format_option("text", "json")
@home_option
def lint(
    what: str,
    labels: Path | None,
    slide_col: str | None,
    case_col: str | None,
    label_col: str | None,
    time_col: str | None,
    event_col: str | None,
    features: str | None,
    strict: bool,
    form: str,
    home: Path | None,
) -> None:
    """Say what is wrong with splits and labels: leaks, what is never tested, what gives the answer away.

    TASK and SUITE are names of the registry or the data home. DIR holds split files as CLAM, HIPT, SurvPath, PANTHER,
    Patho-Bench, STAMP, eva or clemsgrs/hipt write them; without labels, TCGA barcodes still tell patients, sites and
    normal tissue. JSON is one object, or a list of them for a SUITE.

    \b
    Examples:
      hiptbench lint tcga_brca_subtype
      hiptbench lint hipt-2022 --format json
      hiptbench lint splits/ --labels labels.csv --slide-col slide --case-col patient --label-col grade --strict
    """
    from hiptbench.lint.linter import lint_folder, lint_labelled_folder, lint_task, tasks_named
    from hiptbench.lint.text import to_text
    from hiptbench.sources.own import Columns
    from hiptbench.tasks import Task

    columns = (slide_col, case_col, label_col, time_col, event_col)
    names = tasks_named(what, home)
    _check_usage(labels, columns, of_tasks=names is not None)
    held = _opened(features, home) if features else None
    if names is not None:
        reports = [lint_task(Task.load(name, home), held) for name in names]
    elif labels and slide_col and case_col:
        table = Columns(slide=slide_col, case=case_col, label=label_col, time=time_col, event=event_col)
        reports = [lint_labelled_folder(what, labels, table, held)]
    else:
        reports = [lint_folder(what, held)]
    if form == "json":
        found = [report.to_json() for report in reports]
        click.echo(json.dumps(found[0] if names in (None, (what,)) else found, indent=1))
    else:
        click.echo("\n".join(map(to_text, reports)), nl=False)
    if strict and any(report.has_errors for report in reports):
        sys.exit(1)


def _check_usage(labels: Path | None, columns: tuple[str | None, ...], *, of_tasks: bool) -> None:
    if of_tasks and (labels or any(columns)):
        raise click.UsageError("a task has its labels: --labels and its columns are for a DIR")
    if any(columns) and not labels:
        raise click.UsageError("columns are those of a label table: give --labels, too")
    if labels and not (columns[0] and columns[1]):
        raise click.UsageError("--labels needs --slide-col and --case-col")


def _opened(features: str, home: Path | None) -> "FeatureSet":
    from hiptbench.feature_sources import packed

    with progress("packing features") as on_file:
        return packed(features, home, on_file=on_file)[0]
