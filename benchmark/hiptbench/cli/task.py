"""The verb ``task``: list, show and create tasks."""

import json
from pathlib import Path
from typing import Literal

import click

from hiptbench.cli.common import DIRECTORY, Verbs, format_option, home_option, say

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group(cls=Verbs)
def task() -> None:
    """List, show and create tasks.

    \b
    Examples:
      hiptbench task list
      hiptbench task create mine --labels labels.csv --slide-col slide --case-col patient --label-col grade
    """


@task.command("list")
@format_option("text", "json")
@home_option
def list_verb(form: str, home: Path | None) -> None:
    """List every task, and whether its labels and splits are at hand.

    \b
    Examples:
      hiptbench task list
      hiptbench task list --format json
    """
    from hiptbench.task_store import is_imported, known, load_spec

    specs = [load_spec(name, home) for name in sorted(known(home))]
    if form == "json":
        rows = [spec.model_dump(mode="json") | {"imported": is_imported(spec.name, home)} for spec in specs]
        click.echo(json.dumps(rows, indent=1))
        return
    width = max(len(spec.name) for spec in specs)
    for spec in specs:
        state = "ready" if is_imported(spec.name, home) else "no data yet"
        size = f"{spec.expected.units} {spec.unit}s"
        click.echo(f"{spec.name:{width}}  {spec.kind:14}  {size:>12}  {state:11}  {spec.title}")


@task.command("show")
@click.argument("name")
@home_option
def show_verb(name: str, home: Path | None) -> None:
    """Print what the registry says about a task.

    \b
    Example:
      hiptbench task show tcga_brca_subtype
    """
    from hiptbench.schema import dump_yaml
    from hiptbench.task_store import load_spec

    click.echo(dump_yaml(load_spec(name, home)), nl=False)


@task.command("schema")
def schema_verb() -> None:
    """Print the JSON schema of task.yaml, for editors.

    \b
    Example:
      hiptbench task schema > task.schema.json
    """
    from hiptbench.task_spec import TaskSpec

    click.echo(json.dumps(TaskSpec.model_json_schema(), indent=1))


@task.command("create")
@click.argument("name")
@click.option("--labels", type=_FILE, required=True, help="CSV, one row a slide.")
@click.option("--slide-col", required=True, help="Column of slide ids (with or without a suffix such as .svs).")
@click.option("--case-col", required=True, help="Column of patient ids; folds never split a patient.")
@click.option("--label-col", help="Column of class names: a classification task.")
@click.option("--time-col", help="Column of times: a survival task.")
@click.option("--event-col", help="Column that is 1 where the event was seen, 0 where the time is censored.")
@click.option("--time-unit", type=click.Choice(["days", "months", "years"]), default="months", show_default=True)
@click.option("--unit", type=click.Choice(["slide", "case"]), help="What one prediction is for.")
@click.option("--splits", type=DIRECTORY, help="Folder of CLAM's splits_<i>.csv, read as they are.")
@click.option("--folds", type=int, help="Folds to make where no --splits are given [default: 5].")
@click.option("--seed", type=int, default=1, show_default=True, help="Seed of the folds.")
@home_option
def create_verb(
    name: str,
    labels: Path,
    slide_col: str,
    case_col: str,
    label_col: str | None,
    time_col: str | None,
    event_col: str | None,
    time_unit: str,
    unit: Literal["slide", "case"] | None,
    splits: Path | None,
    folds: int | None,
    seed: int,
    home: Path | None,
) -> None:
    """Make a task from your own labels; every verb accepts it then.

    \b
    Examples:
      hiptbench task create grading --labels labels.csv --slide-col slide --case-col patient --label-col grade
      hiptbench task create outcome --labels labels.csv --slide-col slide --case-col patient
          --time-col days --event-col died --time-unit days --folds 5 --seed 1
      hiptbench run --task grading --features features/ --baseline mean_knn
    """
    from hiptbench.cli.wording import counts_of
    from hiptbench.sources.own import Columns, create_task
    from hiptbench.task_store import folder_of

    if splits and folds:
        raise click.UsageError("give --splits, which has its own folds, or --folds, not both")
    columns = Columns(
        slide=slide_col, case=case_col, label=label_col, time=time_col, event=event_col, time_unit=time_unit
    )
    made = create_task(name, labels, columns, splits=splits, folds=folds or 5, seed=seed, unit=unit, home=home)
    method = "mean_cox" if made.spec.kind == "survival" else "mean_knn"
    click.echo(f"{name}: {counts_of(made.spec)}")
    click.echo(f"{made.spec.folds.count} folds ({made.spec.folds.source}), evaluated on {made.spec.evaluate_on}")
    click.echo(f"written to {folder_of(name, home)}")
    say(f"Next: hiptbench run --task {name} --features DIR --baseline {method}")
