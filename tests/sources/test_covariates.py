"""Age, sex and site as features: what stands in them, what is refused, and what heads make of them."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hiptbench.bags import Bag
from hiptbench.contamination import contamination
from hiptbench.errors import FormatError, RunError, SourceError
from hiptbench.evaluation import evaluate_split
from hiptbench.feature_sources import known_features
from hiptbench.features import FeatureSet
from hiptbench.heads.base import Bags
from hiptbench.plans import Plan, make_plan
from hiptbench.registry import make_head
from hiptbench.requests import make_request
from hiptbench.sources.checkouts import Built, Checkouts
from hiptbench.sources.covariates import clinical, import_covariates, institutions, read_covariates, sites
from hiptbench.targets import Labels, Survival
from hiptbench.task_spec import CheckoutData
from hiptbench.task_store import load_spec
from hiptbench.tasks import Task
from hiptbench.testing import toy_task

KIRC, KIRP = "tcga_kirc_survival", "tcga_kirp_survival"
Row = tuple[str, object, object]


def slide(site: str, number: int) -> str:
    return f"TCGA-{site}-{number:04}-01Z-00-DX1"


def write_tables(folder: Path, tables: dict[str, Sequence[Row]]) -> tuple[Checkouts, list[Built]]:
    """Write label tables where the tasks' specifications look for them."""
    built = []
    for name, rows in tables.items():
        spec = load_spec(name)
        assert isinstance(spec.data, CheckoutData)
        path = folder / spec.data.labels.path
        path.parent.mkdir(parents=True, exist_ok=True)
        table = pd.DataFrame([(f"{one}.svs", *rest) for one, *rest in rows], columns=["slide_id", "age", "is_female"])
        path.write_text(table.assign(survival_months=1.0).to_csv(index=False))
        built.append(Built(replace(toy_task(), spec=spec), ()))
    return {"porpoise": folder}, built


@pytest.fixture
def imported(tmp_path: Path) -> Path:
    """A home with the covariates of two small label tables that share a slide and lack an age and a sex."""
    checkouts, built = write_tables(
        tmp_path / "porpoise",
        {
            KIRC: [(slide("B2", 2), 40, 1), (slide("A1", 1), 50, 0), (slide("A1", 3), None, 1)],
            KIRP: [(slide("A1", 1), 50, 0), (slide("C3", 4), 70, 0), (slide("C3", 5), 80, None)],
        },
    )
    assert import_covariates(checkouts, built, tmp_path / "home") == (
        "tcga_clinical",
        "tcga_site",
        "tcga_institution",
    )
    return tmp_path / "home"


def rows_of(home: Path, name: str) -> dict[str, list[float]]:
    features = FeatureSet.open(home / "features" / name)
    assert {array.shape[0] for array in features.values()} == {1}
    return {one: array[0].tolist() for one, array in features.items()}


def test_age_and_sex_stand_in_one_row_a_slide_and_what_is_missing_is_marked(imported: Path) -> None:
    assert rows_of(imported, "tcga_clinical") == {  # medians of the five slides: 60 years, 0.5
        slide("A1", 1): [50, 0, 0, 0],
        slide("A1", 3): [60, 1, 1, 0],
        slide("B2", 2): [40, 1, 0, 0],
        slide("C3", 4): [70, 0, 0, 0],
        slide("C3", 5): [80, 0.5, 0, 1],
    }


def test_each_site_has_a_column(imported: Path) -> None:
    assert rows_of(imported, "tcga_site") == {
        slide("A1", 1): [1, 0, 0],
        slide("A1", 3): [1, 0, 0],
        slide("B2", 2): [0, 1, 0],
        slide("C3", 4): [0, 0, 1],
        slide("C3", 5): [0, 0, 1],
    }


def test_each_institution_has_a_column_under_whatever_code(tmp_path: Path) -> None:
    rows = [(slide(code, i), 50, 0) for i, code in enumerate(("49", "33", "XY", "22"))]
    import_covariates(*write_tables(tmp_path, {KIRC: rows}), tmp_path / "home")
    assert rows_of(tmp_path / "home", "tcga_institution") == {  # Johns Hopkins, Mayo Clinic, and one without a name
        slide("22", 3): [0, 1, 0],
        slide("33", 1): [1, 0, 0],
        slide("49", 0): [1, 0, 0],
        slide("XY", 2): [0, 0, 1],
    }


def test_the_cards_say_what_they_are(imported: Path) -> None:
    assert {"tcga_clinical", "tcga_site", "tcga_institution"} <= set(known_features(imported))
    for name, dim in (("tcga_clinical", 4), ("tcga_site", 3), ("tcga_institution", 3)):
        card = FeatureSet.open(imported / "features" / name).card
        assert (card.name, card.level, card.dim) == (name, "slide", dim)
        assert card.definition
        assert str(contamination(card.pretrained_on, ("TCGA-KIRC",))) == "none known"


def test_neither_the_order_of_tables_nor_of_their_rows_counts(imported: Path, tmp_path: Path) -> None:
    tables = {
        KIRP: [(slide("C3", 5), 80, None), (slide("C3", 4), 70, 0), (slide("A1", 1), 50, 0)],
        KIRC: [(slide("A1", 3), None, 1), (slide("A1", 1), 50, 0), (slide("B2", 2), 40, 1)],
    }
    for name in import_covariates(*write_tables(tmp_path / "again", tables), tmp_path / "other"):
        assert rows_of(tmp_path / "other", name) == rows_of(imported, name)


def test_tables_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    tables = {KIRC: [(slide("A1", 1), 50, 0)], KIRP: [(slide("A1", 1), 51, 0)]}
    with pytest.raises(SourceError, match=r"kirc.*kirp.* give 1 slides different ages or sexes: TCGA-A1-0001-01Z"):
        import_covariates(*write_tables(tmp_path, tables), tmp_path / "home")


def test_a_slide_without_a_barcode_is_refused(tmp_path: Path) -> None:
    tables = {KIRC: [(slide("A1", 1), 50, 0), ("mine", 50, 0)]}
    with pytest.raises(SourceError, match="1 slides have no TCGA barcode that tells their site: mine"):
        import_covariates(*write_tables(tmp_path, tables), tmp_path / "home")


def test_a_table_that_is_not_there_or_lacks_a_column_is_named(tmp_path: Path) -> None:
    checkouts, built = write_tables(tmp_path, {KIRC: [(slide("A1", 1), 50, 0)]})
    (path,) = tmp_path.glob("*/*kirc*")
    path.write_text(path.read_text().replace("is_female", "sex"))
    with pytest.raises(FormatError, match="is_female"):
        import_covariates(checkouts, built, tmp_path / "home")
    with pytest.raises(SourceError, match="give --porpoise DIR"):
        import_covariates({}, built, tmp_path / "home")


# What heads make of them: warnings are errors here


def as_bags(table: pd.DataFrame) -> Bags:
    rows = table.to_numpy()
    return [Bag(str(one), row[None], None, np.zeros(1, np.int64)) for one, row in zip(table.index, rows, strict=True)]


@pytest.mark.parametrize("head", ["logistic", "cox"])
def test_constant_columns_and_sites_that_training_lacks_are_no_trouble(head: str) -> None:
    """Half of the sites are in the other part alone, and everybody is female."""
    rng = np.random.default_rng(0)
    ids = [slide(f"{'AB'[i % 2]}{i % 5}", i) for i in range(60)]
    slides = pd.DataFrame({"age": rng.normal(60, 10, 60), "is_female": 1.0}, index=ids)
    target = Labels(rng.permutation(30) % 2, ("a", "b"))
    lives = Survival(rng.exponential(30, 30), np.arange(30) % 2 > 0)
    for table in (clinical(slides), sites(slides), institutions(slides)):
        train, other = (as_bags(table[[site in name for name in table.index]]) for site in ("-A", "-B"))
        fitted = make_head(head).fit(train, target if head == "logistic" else lives, val=None, seed=1)
        prediction = fitted.predict(other)
        prediction.check([bag.unit for bag in other], prediction.kind)
        told = prediction.probabilities if prediction.probabilities is not None else prediction.risk
        assert told is not None
        if len(table.columns) > 4:  # sites that training lacks tell nothing apart
            assert np.ptp(told, axis=0).max() < 1e-12


# With the real data


@pytest.fixture(scope="module")
def real(checkouts: Checkouts, real_import: tuple[Path, list[Built]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the covariates of HIPT's nine tasks."""
    home = tmp_path_factory.mktemp("covariates")
    import_covariates(checkouts, real_import[1], home)
    return home


def test_the_real_label_tables_agree_and_lack_little(
    checkouts: Checkouts, real_import: tuple[Path, list[Built]]
) -> None:
    slides = read_covariates(checkouts, real_import[1])
    assert slides.shape == (3643, 2)
    assert slides.isna().sum().to_dict() == {"age": 20, "is_female": 1}
    assert set(slides["is_female"].dropna()) == {0, 1}
    assert slides["age"].min() == 17
    assert slides["age"].max() == 90
    table = sites(slides)
    assert table.shape == (3643, 216)
    assert set(table.sum(axis=1)) == {1}
    behind = institutions(slides)
    assert behind.shape == (3643, 71)
    assert set(behind.sum(axis=1)) == {1}
    assert [name for name in behind if len(name) == 2] == ["4H"]  # of no registered cohort


@pytest.mark.parametrize("task", ["tcga_lung_subtype", "tcga_kidney_subtype"])
def test_the_site_alone_tells_lung_and_kidney_apart(task: str, real: Path, real_home: Path) -> None:
    """No site has slides of two classes, so what a site is tells the class of every slide from it."""
    loaded, features = Task.load(task, real_home), FeatureSet.open(real / "features" / "tcga_site")
    assert features.missing(loaded.all_slides) == ()
    found = [evaluate_split(loaded, split, features, make_head("logistic"), seed=1) for split in loaded.splits[:3]]
    assert min(one.metrics["auc"] for one in found) > 0.99


def test_the_institution_tells_less(real: Path, real_home: Path) -> None:
    loaded = Task.load("tcga_lung_subtype", real_home)
    features = FeatureSet.open(real / "features" / "tcga_institution")
    found = [evaluate_split(loaded, split, features, make_head("logistic"), seed=1) for split in loaded.splits]
    assert 0.5 < np.mean([one.metrics["auc"] for one in found]) < 0.95


@pytest.mark.parametrize("name", ["tcga_site", "tcga_institution"])
def test_sites_that_are_never_trained_on_are_not_run(name: str, real: Path, real_home: Path) -> None:
    def plan(task: str) -> Plan:
        features = real / "features" / name
        return make_plan(make_request(tasks=[task], features=features, baselines=["mean_logreg"], home=real_home))

    told = f"'{name}' tells nothing of tcga_lung_subtype_sites: in 5 of 5 folds every column that a tested slide has"
    with pytest.raises(RunError, match=f"There is nothing to run: {told}"):
        plan("tcga_lung_subtype_sites")
    assert plan("tcga_lung_subtype_corrected").skipped == ()
