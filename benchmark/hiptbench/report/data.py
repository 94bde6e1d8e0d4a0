"""What the page is drawn from: derived numbers without ids or labels; ``stored`` keeps them beside an export's rows."""

from hiptbench.report.family_data import Family
from hiptbench.report.run_data import RunReport
from hiptbench.report.table_data import TableReport
from hiptbench.report.task_data import SuiteReport, TaskReport
from hiptbench.schema import Strict


class ReportData(Strict):
    """Everything that the page shows.

    Attributes:
        rows_sha256: Hash of the fingerprints that it was derived from.
        version: Version of hiptbench that derived it.
        estimand: What an interval is about, in words.
        suites: Suites, in order.
        tasks: Their tasks, in order.
        runs: Cells of the leaderboard.
        families: Comparisons.
        tables: The paper's tables.
        notes: What the leaderboard left out.
    """

    rows_sha256: str
    version: str
    estimand: str
    suites: tuple[SuiteReport, ...]
    tasks: tuple[TaskReport, ...]
    runs: tuple[RunReport, ...]
    families: tuple[Family, ...] = ()
    tables: tuple[TableReport, ...] = ()
    notes: tuple[str, ...] = ()
