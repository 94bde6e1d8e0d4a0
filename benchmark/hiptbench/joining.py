"""Predictions joined with what was true, and rows with the units that they were trained on."""

from functools import lru_cache
from pathlib import Path

from hiptbench.errors import StoreError
from hiptbench.export import Export
from hiptbench.fractions import BY_PATIENTS, FractionRule, hold_out, take
from hiptbench.predictions import Predictions
from hiptbench.results import FoldResult
from hiptbench.store import Store
from hiptbench.suites import load_suite, suite_names
from hiptbench.task_store import is_imported, load_spec
from hiptbench.tasks import Task


class Joined:
    """Results beside the tasks of a data home, each loaded once.

    Attributes:
        results: The store or export.
        home: The data home.
        load: Return a task by its name, which need not be what a row was made on: see ``task`` for that.
        spec: Return what ``task.yaml`` says of a task, by its name; its data need not be in the home.
    """

    def __init__(self, results: Store | Export, home: Path | None = None) -> None:
        """Join results with a home.

        Args:
            results: A store, which holds the truth beside each prediction, or an export, which does not.
            home: The data home with the tasks' labels.
        """
        self.results, self.home = results, home
        self.load = lru_cache(maxsize=64)(lambda name: Task.load(name, home))
        self.spec = lru_cache(maxsize=64)(lambda name: load_spec(name, home))

    def has_task(self, row: FoldResult) -> bool:
        """Whether the task of a row is at hand; the cohort of a row that lacks slides is known to its maker only."""
        return is_imported(row.protocol.task, self.home) and not row.protocol.missing_slides

    def task(self, row: FoldResult) -> Task:
        """Return the task that a row was made on.

        Raises:
            TaskError: If its data are not in the home.
            StoreError: If they are not those that the row was made with.
        """
        task, stored = self.load(row.protocol.task), row.protocol
        mine = task.hashes
        if (mine.cohort, mine.labels, mine.splits) != (stored.cohort, stored.labels, stored.splits):
            raise StoreError(
                f"The cohort, labels or splits of {task.name} are not those that the row was made with. "
                "Import it again."
            )
        return task

    def cases(self, row: FoldResult) -> dict[str, str]:
        """Return the case (patient) of every unit of a row's task; raises as ``task`` does."""
        task = self.task(row)
        return dict(zip(task.units, task.cases, strict=True))

    def evaluated(self, row: FoldResult) -> tuple[str, ...]:
        """Return the units that a row was evaluated on; raises as ``task`` does."""
        task = self.task(row)
        return task.evaluated(task.split(row.fold))

    def predictions(self, row: FoldResult) -> Predictions:
        """Return (units, truth, prediction) of a row.

        Raises:
            TaskError: If the task's data are needed and not in the home.
            StoreError: If predictions are missing, or the data are not those that the row was made with.
        """
        if isinstance(self.results, Store):
            return self.results.predictions(row)
        units = self.evaluated(row)
        return units, self.task(row).targets(units), self.results.prediction(row)

    def trained_on(self, row: FoldResult) -> tuple[str, ...]:
        """Return the units that a row's model was fitted on: its draw of the training part, less those held out.

        Raises:
            TaskError: If the task's data are not in the home.
            StoreError: If they are not those that the row was made with, or its fraction was drawn by no known rule.
        """
        task, protocol = self.task(row), row.protocol
        part = take(task, task.split(row.fold), protocol.fraction, rule=_rule(row), draw=row.draw).train
        recipe = row.provenance.settings.get("recipe", {})
        held = recipe.get("inner_val", 0) if isinstance(recipe, dict) else 0
        return hold_out(task, part, held, seed=row.seed)[0] if held else part


def _rule(row: FoldResult) -> FractionRule | None:
    protocol = row.protocol
    if protocol.fraction_rule is None:
        return None
    own = load_suite(protocol.suite).fractions.rule if protocol.suite in suite_names() else None
    for rule in (own, BY_PATIENTS):
        if rule and rule.stated == protocol.fraction_rule:
            return rule
    raise StoreError(
        f"No rule says how '{protocol.fraction_rule}' drew {protocol.fraction:.0%} of {protocol.task}: "
        "the row was made by another version; run it again."
    )
