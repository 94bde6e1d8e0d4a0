"""What the page says of a suite's tasks: sizes, fold scheme, and what the linter found."""

from collections.abc import Iterable, Iterator

from hiptbench.joining import Joined
from hiptbench.lint.findings import LintReport
from hiptbench.lint.linter import lint_task
from hiptbench.metrics import definition_of
from hiptbench.report.task_data import FindingReport, SuiteReport, TaskReport
from hiptbench.results import FoldResult
from hiptbench.suites import Suite, load_suite, suite_names, suite_of
from hiptbench.task_spec import TaskSpec
from hiptbench.task_store import is_imported, known


def suites_of(rows: Iterable[FoldResult]) -> tuple[Suite, ...]:
    """Return the suites that rows belong to, those of the registry first, each with its tasks."""
    found: dict[str, Suite] = {}
    for row in rows:
        name = row.protocol.suite
        if name not in found:
            found[name] = load_suite(name) if name in suite_names() else suite_of(row.protocol.task)
    return tuple(sorted(found.values(), key=lambda suite: (suite.synthetic, suite.name)))


def suite_report(suite: Suite) -> SuiteReport:
    """Return what the page says of a suite."""
    return SuiteReport(
        name=suite.name,
        title=suite.title,
        citation=suite.citation,
        cohort=suite.cohort,
        tasks=suite.tasks,
        synthetic=suite.synthetic,
    )


def task_reports(suite: Suite, joined: Joined) -> Iterator[TaskReport]:
    """Yield what the page says of each task of a suite that the home knows."""
    there = known(joined.home)
    for name in suite.tasks:
        if name in there:
            yield _report(suite, joined.spec(name), joined)


def _report(suite: Suite, spec: TaskSpec, joined: Joined) -> TaskReport:
    expected, metric = spec.expected, suite.metrics[spec.kind]
    lint = lint_task(joined.load(spec.name)) if is_imported(spec.name, joined.home) else None
    events = expected.events or 0
    return TaskReport(
        suite=suite.name,
        name=spec.name,
        title=spec.title,
        kind=spec.kind,
        unit=spec.unit,
        classes=spec.classes or (),
        endpoint=spec.endpoint,
        licence=spec.licence,
        citation=spec.citation,
        folds=spec.folds.count,
        scheme=spec.folds.scheme,
        evaluate_on=spec.evaluate_on,
        units=expected.units,
        cases=expected.cases,
        slides=expected.slides,
        counts=expected.per_class or {"events": events, "censored": expected.units - events},
        metric=metric,
        metric_definition=definition_of(metric),
        lint=_findings(lint) if lint else None,
        lint_facts=_facts(lint) if lint else {},
    )


def _findings(lint: LintReport) -> tuple[FindingReport, ...]:
    return tuple(
        FindingReport(code=one.code, severity=one.severity, message=one.message, numbers=dict(one.numbers))
        for one in lint.findings
    )


def _facts(lint: LintReport) -> dict[str, int | float | str | None]:
    """Return the numbers of the whole; names of patients and sites stay at home."""
    plain = lint.to_json()
    return {name: value for name, value in plain.items() if value is None or isinstance(value, (int, float, str))}
