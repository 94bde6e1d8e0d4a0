"""Age, sex, tissue source site and institution as features, so that any head shows how far they get without a slide.

All feature sets have one row a slide. They are read from the label tables of the checkouts, from every slide listed
there: neither what is to be predicted nor any split is looked at.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float32

from hiptbench import rooms
from hiptbench.errors import SourceError, name_some
from hiptbench.features import FeatureCard
from hiptbench.formats import slide_id
from hiptbench.formats.tables import read_table
from hiptbench.packing import SlideArrays, write_pack
from hiptbench.sources.barcodes import site
from hiptbench.sources.checkouts import Built, Checkouts, locate
from hiptbench.sources.institutions import institution
from hiptbench.task_spec import CheckoutData, LabelTable

CLINICAL, SITE, INSTITUTION = "tcga_clinical", "tcga_site", "tcga_institution"

_COLUMNS = ("age", "is_female")
_SHARED = {
    "level": "slide",
    "pretrained_on": ("nothing",),
    "source": "label tables of mahmoodlab/HIPT and mahmoodlab/PORPOISE",
}
_CLINICAL_CARD = FeatureCard(
    name=CLINICAL,
    encoder="none: age and sex of the patient",
    definition=(
        "age in years, is_female as 0 or 1, and for each a 1 where it was missing; a missing value is the column's "
        "median over all slides of the label tables, that is across all cancers, and those tested later are among them"
    ),
    **_SHARED,
)
_SITE_CARD = FeatureCard(
    name=SITE,
    encoder="none: tissue source site in the slide's barcode",
    definition=(
        "one column for each code of a tissue source site among all slides of the label tables, in the codes' order; 0 "
        "or 1. TCGA gave an institution another code for each study: the code tells the study, and where classes are "
        "studies, as in lung and kidney, the class by naming alone. tcga_institution is without that"
    ),
    **_SHARED,
)
_INSTITUTION_CARD = FeatureCard(
    name=INSTITUTION,
    encoder="none: institution behind the tissue source site in the slide's barcode",
    definition=(
        "one column for each institution among all slides of the label tables, in the order of their names as in "
        "tasks/tissue_source_sites.csv, or of the site's code where that file lacks it; 0 or 1"
    ),
    **_SHARED,
)


def import_covariates(checkouts: Checkouts, built: Sequence[Built], home: str | Path | None = None) -> tuple[str, ...]:
    """Write ``tcga_clinical``, ``tcga_site`` and ``tcga_institution`` into the home's features.

    Args:
        checkouts: "hipt" and "porpoise" to the folders of the checkouts.
        built: The tasks whose label tables are read; give all that are imported, as medians and sites are over all.
        home: The data home.

    Returns:
        The names of the feature sets.

    Raises:
        SourceError: If a checkout lacks a file, two tables contradict each other, or an id is no TCGA barcode.
        FormatError: If a label table cannot be read or lacks a column.
        StoreError: If the home cannot be written.
    """
    slides = read_covariates(checkouts, built)
    tables = {_CLINICAL_CARD: clinical(slides), _SITE_CARD: sites(slides), _INSTITUTION_CARD: institutions(slides)}
    for card, table in tables.items():
        write_pack(_rows(table), rooms.home(home) / "features" / card.name, card=card, dtype="float32")
    return tuple(card.name for card in tables)


def read_covariates(checkouts: Checkouts, built: Sequence[Built]) -> pd.DataFrame:
    """Read age and sex of every slide in the tasks' label tables.

    Args:
        checkouts: The folders of the checkouts.
        built: The tasks; those of one label table count once.

    Returns:
        Columns ``age`` (years) and ``is_female`` (0 or 1), NaN where missing; the index is the slide ids, sorted.

    Raises:
        SourceError: If a checkout lacks a file, or two tables contradict each other.
        FormatError: If a label table cannot be read or lacks a column.
    """
    data = (one.task.spec.data for one in built)
    labels = {table.path: table for table in (d.labels for d in data if isinstance(d, CheckoutData))}
    rows = pd.concat([_read(checkouts, table) for table in labels.values()]).drop_duplicates()
    twice = sorted(set(rows["slide"][rows["slide"].duplicated()]))
    if twice:
        raise SourceError(
            f"The label tables {', '.join(labels)} give {len(twice)} slides different ages or sexes: "
            f"{name_some(twice)}. Are the checkouts at the commits that the README names?"
        )
    return rows.set_index("slide").sort_index()


def clinical(slides: pd.DataFrame) -> pd.DataFrame:
    """Return age and sex with missing values filled in by the medians, and columns that say which those were."""
    missing = slides.isna().add_suffix("_missing")
    return slides.fillna(slides.median()).join(missing).astype(np.float32)


def sites(slides: pd.DataFrame) -> pd.DataFrame:
    """Return one column a tissue source site, 1 where a slide is from there.

    Raises:
        SourceError: If a slide's id is no TCGA barcode.
    """
    return _one_hot(slides, _codes(slides))


def institutions(slides: pd.DataFrame) -> pd.DataFrame:
    """Return one column an institution, or a site that no table knows, 1 where a slide is from there.

    Raises:
        SourceError: If a slide's id is no TCGA barcode.
    """
    return _one_hot(slides, [institution(code) or code for code in _codes(slides)])


def _codes(slides: pd.DataFrame) -> list[str]:
    codes = slides.index.map(site)
    unknown = list(slides.index[codes.isna()])
    if unknown:
        raise SourceError(f"{len(unknown)} slides have no TCGA barcode that tells their site: {name_some(unknown)}.")
    return list(codes)


def _one_hot(slides: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    return pd.get_dummies(pd.Index(names), dtype=np.float32).set_index(slides.index)


def _read(checkouts: Checkouts, labels: LabelTable) -> pd.DataFrame:
    table = read_table(locate(checkouts, labels), columns=[labels.slide_column, *_COLUMNS], text=[labels.slide_column])
    return table.assign(slide=[slide_id(name) for name in table[labels.slide_column]])[["slide", *_COLUMNS]]


def _rows(table: pd.DataFrame) -> Iterator[SlideArrays]:
    values: Float32[np.ndarray, "n d"] = table.to_numpy()
    for slide, row in zip(table.index, values, strict=True):
        yield str(slide), row[None], None
