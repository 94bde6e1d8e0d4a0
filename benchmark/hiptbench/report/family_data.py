"""What the page is drawn from, of a family of comparisons."""

from hiptbench.report.run_data import Bounds
from hiptbench.results import ResultKind
from hiptbench.schema import Strict
from hiptbench.task_spec import Kind


class Comparison(Strict):
    """A method held against the reference on one task.

    Attributes:
        task: Name of the task.
        method: The method.
        card: Card of the method's number.
        reference_card: Card of the reference's number.
        difference: Method less reference.
        interval: Paired bootstrap interval of the difference for new patients.
        interval_why: Why there is none.
        p: Raw p of the corrected t over folds.
        p_adjusted: After Holm within the family.
        test: Name of the test, with what is heuristic about it.
        verdict: What may be said of it, in a word or two.
        sensitivity: What another choice within the test would have given, in words.
    """

    task: str
    method: str
    card: str
    reference_card: str
    difference: float
    interval: Bounds | None
    interval_why: str | None = None
    p: float | None
    p_adjusted: float | None
    test: str
    verdict: str
    sensitivity: str | None = None


class Rank(Strict):
    """A method across the tasks of a family, over methods complete on all of them.

    Attributes:
        method: The method.
        mean_rank: Mean over tasks of its rank; 1 is the best.
        low: 2.5 % of the draws of patients lie below; no confidence interval of a rank.
        high: 2.5 % lie above.
        mean_difference: Mean over tasks of its difference from the reference; None for the reference.
        interval: Interval of that difference for new patients.
        wins: Tasks on which it is higher than the reference.
        ties: Tasks on which they are equal.
        losses: Tasks on which it is lower.
    """

    method: str
    mean_rank: float
    low: float | None
    high: float | None
    mean_difference: float | None
    interval: Bounds | None = None
    wins: int | None
    ties: int | None
    losses: int | None


class Family(Strict):
    """Comparisons that are adjusted together: results of one kind in one suite, one fraction, one kind of task.

    Attributes:
        suite: Name of the suite.
        fraction: Training fraction.
        fraction_rule: How it was drawn; None at 1.
        kind: Kind of the tasks.
        results: Kind of the results.
        reference: The one method that others are held against.
        chosen: How the reference was chosen; said where it was after the fact.
        tasks: The tasks.
        comparisons: Every method but the reference on every task.
        ranks: Methods that are complete on the tasks, best first.
        caption: N, shared cohorts, smallest attainable p and what else must be said.
        friedman_p: Descriptive; None where too few tasks or methods.
        critical_difference: Of mean ranks, Nemenyi at .05.
    """

    suite: str
    fraction: float
    fraction_rule: str | None = None
    kind: Kind
    results: ResultKind = "measured"
    reference: str
    chosen: str
    tasks: tuple[str, ...]
    comparisons: tuple[Comparison, ...]
    ranks: tuple[Rank, ...]
    caption: str
    friedman_p: float | None = None
    critical_difference: float | None = None
