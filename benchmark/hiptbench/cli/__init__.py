"""The command line: verbs only, no logic. Each group of verbs is imported when it is used, so that help is fast."""

import importlib
import sys

import click

from hiptbench.cli.common import Verbs, say
from hiptbench.errors import HiptbenchError

_VERBS = {
    "compare": ("hiptbench.cli.compare", "Say which differences between methods are real."),
    "data": ("hiptbench.cli.data", "Import, fetch, make, inspect and pack data."),
    "demo": ("hiptbench.cli.demo", "Run everything on embedded data, downloading nothing."),
    "extract": ("hiptbench.cli.extract", "Turn slides into features with an extractor."),
    "figure": ("hiptbench.cli.figure", "Draw the leaderboard, or label efficiency, into a file."),
    "heatmap": ("hiptbench.cli.heatmap", "Draw what HIPT and a trained head attend to on a slide."),
    "leaderboard": ("hiptbench.cli.board", "Show the leaderboard of a results store."),
    "lint": ("hiptbench.cli.lint", "Say what is wrong with splits and labels: leaks, normals, sites."),
    "report": ("hiptbench.cli.report", "Write the leaderboard as pages to look at."),
    "reproduced": ("hiptbench.cli.reproduced", "Say which published values our own training reproduces."),
    "results": ("hiptbench.cli.results", "Export, verify and import results."),
    "run": ("hiptbench.cli.run", "Run methods on tasks."),
    "sync": ("hiptbench.cli.run", "Send results to MLflow that a broken server missed."),
    "table": ("hiptbench.cli.board", "Print a table of the paper: as printed, recomputed, and ours."),
    "task": ("hiptbench.cli.task", "List, show and create tasks."),
    "tile": ("hiptbench.cli.extract", "Show what would be taken from slides: tissue and grid."),
}


class _LazyVerbs(Verbs):
    """A group that imports a verb's module only when the verb is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _VERBS:
            return None
        command = getattr(importlib.import_module(_VERBS[cmd_name][0]), cmd_name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Verbs"):
            formatter.write_dl([(name, help_text) for name, (_, help_text) in sorted(_VERBS.items())])


@click.group(cls=_LazyVerbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="hiptbench", prog_name="hiptbench")
def cli() -> None:
    """Benchmark slide-level pathology methods; every number can prove how it was made.

    \b
    With nothing downloaded:
      hiptbench demo
    HIPT's nine tasks:
      hiptbench data fetch && hiptbench data import
      hiptbench run --suite hipt-2022 --baseline mean_knn
    Your own slides:
      hiptbench extract SLIDES --extractor hipt --weights HIPT/HIPT_4K/Checkpoints --out features
      hiptbench task create mine --labels labels.csv --slide-col slide --case-col patient --label-col grade
      hiptbench run --task mine --features features --baseline mean_knn
    What came out:
      hiptbench leaderboard
      hiptbench compare abmil mean_knn
      hiptbench report --out report
    """


def main() -> None:
    """Run the command line: exit code 1 for errors a user can mend, 2 for a wrong call, 130 for an interrupt."""
    try:
        cli.main(prog_name="hiptbench", standalone_mode=False)
    except click.exceptions.Exit as error:
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        say("\nInterrupted. What was finished is kept: run the same command to go on.")
        sys.exit(130)
    except HiptbenchError as error:
        say(f"Error: {error}")
        sys.exit(1)
