"""Where each page and card is: file names that every file system and browser takes, no two alike."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from hiptbench.files import sha256_json
from hiptbench.report.data import ReportData

_PLAIN = re.compile(r"[a-z0-9_][a-z0-9._]*(-[a-z0-9._]+)*")
_LONGEST = 60


def page_name(*parts: str) -> str:
    """Return the stem of a page's file; what cannot stand in a file name as it is, is told apart by a short hash."""
    if all(_PLAIN.fullmatch(part) and len(part) <= _LONGEST for part in parts):
        return "--".join(parts)
    cleaned = (re.sub(r"[^a-z0-9_]+", "-", part.lower()).strip("-")[:_LONGEST] or "name" for part in parts)
    return "--".join([*cleaned, sha256_json(parts)[:8]])


@dataclass(frozen=True)
class Addresses:
    """The site's links, as they are written on a page.

    Attributes:
        tasks: Suite and name of a task to its page.
        methods: Method to its page.
        cards: Card to its place on a page.
        up: What leads from the page to the site's root: empty, or "../".
    """

    tasks: Mapping[tuple[str, str], str]
    methods: Mapping[str, str]
    cards: Mapping[str, str]
    up: str = ""

    def seen_from(self, page: str) -> "Addresses":
        """Return the same links as they are written on a page."""
        return replace(self, up="../" * page.count("/"))

    def task(self, suite: str, name: str) -> str | None:
        """Return where a task is described; None if it has no page."""
        return self._to(self.tasks.get((suite, name)))

    def method(self, method: str) -> str | None:
        """Return where a method is described; None if it has no page."""
        return self._to(self.methods.get(method))

    def card(self, card: str | None) -> str | None:
        """Return where a card is; None if there is no such card."""
        return self._to(self.cards.get(card or ""))

    def _to(self, page: str | None) -> str | None:
        return None if page is None else self.up + page


def addresses_of(data: ReportData) -> Addresses:
    """Return the address of every page and card of a report."""
    methods = {run.method: f"methods/{page_name(run.features, run.baseline)}.html" for run in data.runs}
    return Addresses(
        tasks={(task.suite, task.name): f"tasks/{page_name(task.suite, task.name)}.html" for task in data.tasks},
        methods=methods,
        cards={run.card: f"{methods[run.method]}#{run.card}" for run in data.runs},
    )
