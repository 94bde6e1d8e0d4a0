"""Which institution a tissue source site's code stands for.

TCGA gave an institution a new code for each study that it sent tissue to: Johns Hopkins is 49 in lung adenocarcinoma
and 33 in lung squamous carcinoma. Codes therefore tell the study, and with it often the class, by construction; what a
network can see is the institution.

``tasks/tissue_source_sites.csv`` has the codes of the registered cohorts, with one spelling for each institution; those
that collected for another ("Washington University - Emory") stand for themselves. Source:
https://gdc.cancer.gov/resources-tcga-users/tcga-code-tables/tissue-source-site-codes.
"""

import csv
from collections.abc import Mapping
from functools import cache

from hiptbench import rooms

TABLE = rooms.TASKS / "tissue_source_sites.csv"


def institution(code: str) -> str | None:
    """Return the institution behind a code; None if the table does not know the code."""
    return _table().get(code)


@cache
def _table() -> Mapping[str, str]:
    with TABLE.open(encoding="utf-8", newline="") as handle:
        return {row["code"]: row["institution"] for row in csv.DictReader(handle)}
