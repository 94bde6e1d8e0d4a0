"""The suites with made folds on the real data: their tasks, what is in each test part, and what is kept apart."""

import re
from collections import Counter
from pathlib import Path

import pytest

from hiptbench.errors import SchemaError
from hiptbench.rooms import TASKS
from hiptbench.schema import read_yaml
from hiptbench.sources import barcodes
from hiptbench.sources.checkouts import Built
from hiptbench.sources.institutions import institution
from hiptbench.sources.partitions import strata_of
from hiptbench.suites import load_suite
from hiptbench.task_checks import shared_cases
from hiptbench.task_spec import CheckoutData, MadeSplits, TaskSpec
from hiptbench.task_store import load_spec
from hiptbench.tasks import Task

CORRECTED, SITES = (load_suite(name).tasks for name in ("hipt-2022-corrected", "hipt-2022-sites"))
PUBLISHED = load_suite("hipt-2022").tasks
MADE = {name: load_spec(name) for name in (*CORRECTED, *SITES)}


def data_of(spec: TaskSpec) -> CheckoutData:
    assert isinstance(spec.data, CheckoutData)
    return spec.data


def published_of(name: str) -> TaskSpec:
    """The published task that a made one comes from."""
    return load_spec(name.removesuffix("_corrected").removesuffix("_sites").replace("_idc_", "_brca_"))


@pytest.fixture
def tasks(real_import: tuple[Path, list[Built]]) -> dict[str, Task]:
    """Every task of the three suites."""
    return {one.task.name: one.task for one in real_import[1]}


def test_the_suites_have_the_papers_columns() -> None:
    assert [name.removesuffix("_sites") for name in SITES] == list(PUBLISHED)
    corrected = [name.removesuffix("_corrected") for name in CORRECTED]
    assert [name for name in corrected if "idc" not in name] == list(PUBLISHED)
    assert corrected[4] == "tcga_idc_survival"
    for name in ("hipt-2022-corrected", "hipt-2022-sites"):
        rule = load_suite(name).fractions.rule
        assert rule is not None
        assert (rule.stated, rule.draws) == ("stratified patients, random_state 1", 3)


@pytest.mark.parametrize("name", MADE)
def test_an_entry_says_what_its_published_one_says(name: str) -> None:
    spec, published = MADE[name], published_of(name)
    assert (spec.kind, spec.unit, spec.classes, spec.endpoint) == (
        published.kind,
        published.unit,
        published.classes,
        published.endpoint,
    )
    split_free = published.licence.replace("Label table and splits Apache", "Label table Apache")
    split_free = re.sub(r", splits Apache-2\.0 with Commons Clause \(mahmoodlab/HIPT\)", "", split_free)
    assert spec.licence == split_free  # made folds have no licence of others
    data, of_published = data_of(spec), data_of(published)
    assert data.labels == of_published.labels
    assert data.quirks.embedded_slides_only == of_published.quirks.embedded_slides_only
    assert data.quirks.label_map == of_published.quirks.label_map
    codes, of_all = data.quirks.codes, of_published.quirks.codes
    assert (codes and codes.column) == (of_all and of_all.column)
    if "idc" in name:
        assert codes is not None
        assert (codes.rule, codes.listed) == ("keep listed", ("IDC",))
    else:
        assert (codes and (codes.rule, codes.listed)) == (of_all and (of_all.rule, of_all.listed))
    normal, of_normal = data.quirks.normal_tissue, of_published.quirks.normal_tissue
    assert (normal and (normal.rule, normal.slides)) == (of_normal and ("drop", of_normal.slides))
    if "kidney" not in name and "idc" not in name:
        assert spec.expected.model_dump(exclude={"evaluated"}) == published.expected.model_dump(exclude={"evaluated"})
        assert spec.hashes is not None
        assert published.hashes is not None
        assert (spec.hashes.cohort, spec.hashes.labels) == (published.hashes.cohort, published.hashes.labels)


@pytest.mark.parametrize("name", MADE)
def test_every_made_fold_tests_all(name: str) -> None:
    spec = MADE[name]
    splits = data_of(spec).splits
    assert isinstance(splits, MadeSplits)
    tenths = name.endswith("subtype_corrected")
    assert (spec.folds.count, splits.val) == ((10, "the next fold") if tenths else (5, "none"))
    assert (spec.evaluate_on, spec.folds.scheme, spec.folds.patient_disjoint) == ("test", "partition", True)
    assert spec.expected.evaluated == spec.expected.units
    assert spec.published_time_bins is None


def test_published_splits_and_only_they_need_a_rule_for_ids_outside_the_labels(tmp_path: Path) -> None:
    text = (TASKS / "tcga_lung_subtype_sites" / "task.yaml").read_text(encoding="utf-8")
    quirk = "  quirks:\n    split_ids_outside_labels: {rule: drop, source: a test}\n"
    (tmp_path / "task.yaml").write_text(text.replace("  quirks:\n", quirk), encoding="utf-8")
    with pytest.raises(SchemaError, match="published splits, and only they, need the quirk split_ids_outside_labels"):
        read_yaml(tmp_path / "task.yaml", TaskSpec)


@pytest.mark.parametrize("name", MADE)
def test_the_folds_are_those_of_the_registry(tasks: dict[str, Task], name: str) -> None:
    task = tasks[name]
    assert task.hashes == MADE[name].hashes
    assert not any(shared_cases(task, split) for split in task.splits)
    assert not any(barcodes.is_normal(slide) for slide in task.all_slides)
    assert sorted(unit for split in task.splits for unit in split.test) == sorted(task.units)


@pytest.mark.parametrize("name", MADE)
def test_the_share_that_an_entry_says_is_trained_on_is_that_of_its_folds(tasks: dict[str, Task], name: str) -> None:
    shares = [len(split.train) / len(tasks[name].units) for split in tasks[name].splits]
    told = f"{min(shares) * 100:.1f} to {max(shares) * 100:.1f} % of the"
    assert told in MADE[name].folds.source


@pytest.mark.parametrize("name", MADE)
def test_the_counts_that_an_entry_says_are_tested_are_those_of_its_folds(tasks: dict[str, Task], name: str) -> None:
    if name.endswith("subtype_corrected"):
        expected = published_of(name).expected
        told = [f"test {expected.evaluated} of {expected.units}."]
    else:
        task, published = tasks[name], tasks[published_of(name).name]
        strata = (0,) if task.spec.kind == "survival" else range(len(task.spec.classes or ()))
        told = [_range(task, stratum) for stratum in strata]
        told += [f"val parts, with {_range(published, 0)}."] * ("hold" not in data_of(task.spec).splits.source)
    source = data_of(MADE[name]).splits.source
    assert all(one in source for one in told)


def _range(task: Task, stratum: int) -> str:
    of = dict(zip(task.units, strata_of(task).of, strict=True))
    counts = [sum(of[unit] == stratum for unit in getattr(split, task.spec.evaluate_on)) for split in task.splits]
    least, most = min(counts), max(counts)
    return f"{least} to {most}" if least != most else f"{least}"


@pytest.mark.parametrize("name", [name for name in CORRECTED if name.endswith("subtype_corrected")])
def test_no_corrected_subtyping_fold_has_a_patient_more_of_a_class(tasks: dict[str, Task], name: str) -> None:
    task = tasks[name]
    stratum = dict(zip(task.cases, strata_of(task).of, strict=True))
    counts = [Counter(stratum[case] for case in {task.case(u) for u in split.test}) for split in task.splits]
    assert all(max(n) - min(n) <= 1 for n in zip(*([c[k] for k in sorted(c)] for c in counts), strict=True))
    shares = [len(split.train) / len(task.units) for split in task.splits]
    assert 0.79 < min(shares) < max(shares) < 0.81


@pytest.mark.parametrize(
    ("name", "events"),
    [
        ("brca", [26, 25, 25, 26, 26]),
        ("idc", [20] * 5),
        ("coadread", [15, 16, 16, 16, 15]),
        ("kirc", [18, 18, 18, 18, 17]),
        ("kirp", [8] * 5),
        ("luad", [31, 31, 31, 30, 31]),
        ("stad", [25] * 5),
    ],
)
def test_corrected_survival_folds_have_equal_events(tasks: dict[str, Task], name: str, events: list[int]) -> None:
    task = tasks[f"tcga_{name}_survival_corrected"]
    seen = dict(zip(task.units, strata_of(task).of, strict=True))
    assert [sum(not seen[unit] for unit in split.test) for split in task.splits] == events


@pytest.mark.parametrize("name", SITES)
def test_no_institution_is_in_two_parts(tasks: dict[str, Task], name: str) -> None:
    task = tasks[name]
    for split in task.splits:
        train, test = ({institution(barcodes.site(u) or "") for u in part} for part in (split.train, split.test))
        assert None not in train | test
        assert not train & test


def test_eleven_normals_are_left_out_with_their_reason(real_import: tuple[Path, list[Built]]) -> None:
    dropped = {one.task.name: {part.reason: len(part.names) for part in one.dropped} for one in real_import[1]}
    for name in ("tcga_kidney_subtype_corrected", "tcga_kidney_subtype_sites"):
        assert dropped[name] == {"slide of normal tissue": 11}
    assert dropped["tcga_idc_survival_corrected"]["diagnosis code is not in the cohort"] == 235
