"""The verb ``compare``."""

from pathlib import Path

import click

from hiptbench.cli.common import format_option, home_option, progress, results_option


@click.command()
@click.argument("methods", nargs=-1, required=True, metavar="METHOD...")
@click.option("--reference", help="The method that the others are held against [default: the last one named].")
@click.option("--suite", help="Only this suite.")
@click.option(
    "--task",
    "tasks",
    multiple=True,
    help="Show only this task; may be given several times. The p stay adjusted over all.",
)
@click.option("--fraction", type=float, help="Only this training fraction.")
@click.option("--draws", default=2000, show_default=True, type=click.IntRange(40), help="Draws of patients.")
@click.option("--friedman", is_flag=True, help="Add Friedman's test and the critical difference of mean ranks.")
@results_option
@home_option
@format_option("text", "json")
def compare(
    methods: tuple[str, ...],
    reference: str | None,
    suite: str | None,
    tasks: tuple[str, ...],
    fraction: float | None,
    draws: int,
    friedman: bool,
    store: Path | None,
    home: Path | None,
    form: str,
) -> None:
    """Say which differences between methods are real: effect and interval first, p second.

    A METHOD is "features/baseline", or a baseline alone, which stands for that on its suite's own features; "all"
    stands for every method. Patients are drawn anew, alike for all methods and folds; the p come from Nadeau and
    Bengio's corrected t over folds (of one split from DeLong's test, or the bootstrap) and are adjusted by Holm within
    each family: the methods named, or all, on every task of one suite, one fraction and one kind. --task chooses what
    is shown and changes no p. Name methods and reference before you look at results.

    \b
    Examples:
      hiptbench compare abmil mean_cox --suite hipt-2022
      hiptbench compare all --reference mean_knn --fraction 1 --friedman
      hiptbench compare hipt_gp hipt_gp_hipt2022 --store results --format json
    """
    from hiptbench import rooms
    from hiptbench.comparisons import compare_methods
    from hiptbench.comparisons_text import to_json, to_text
    from hiptbench.export import open_results
    from hiptbench.joining import Joined

    joined = Joined(open_results(rooms.store(store, home_path=home)), home)
    with progress("panels") as step:
        families = compare_methods(
            methods,
            joined,
            reference=reference,
            suite=suite,
            tasks=tasks,
            fraction=fraction,
            draws=draws,
            on_panel=step,
        )
    click.echo(to_json(families) if form == "json" else to_text(families, with_friedman=friedman), nl=False)
