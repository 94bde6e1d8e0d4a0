"""Which institution a tissue source site's code stands for.

TCGA gave an institution a new code for each study that it sent tissue to: Johns Hopkins is 49 in lung adenocarcinoma
and 33 in lung squamous carcinoma. Codes therefore tell the study, and with it often the class, by construction; what a
network can see is the institution.

A *site* is a code; its *institution* is what the GDC's table names behind it, which may be a hospital, a supplier
(Asterand, Indivumed, ILSBio) or a consortium (IGC, CALGB) that passed on tissue of several hospitals.

``tasks/tissue_source_sites.csv`` has the codes of the registered cohorts, with one spelling for each institution: names
that differ in spelling, department or additions alone were made one by hand. Some of that is judgement: AR and MP are
taken for Mayo Clinic, Rochester (SX is its place in Arizona), 80 (Ontario Institute for Cancer Research, Ottawa) for
that institute, and 18 and KB, both in Toronto, for two. An institution that another collected for ("Washington
University - Emory") stands for itself. The names were transcribed, and not checked against the GDC itself, from
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
