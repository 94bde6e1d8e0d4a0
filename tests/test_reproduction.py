"""Reproduced? The claims and their references, the verdict by hand-computed cases, and which runs count."""

import json
from collections.abc import Sequence
from math import sqrt
from pathlib import Path
from typing import Any

import pytest

from hiptbench.baselines import load_baseline
from hiptbench.claims import Claim, Reference, Reproduction, read_reproduction, references, settings_hash
from hiptbench.equivalence import Comparison
from hiptbench.errors import SchemaError, UnknownNameError
from hiptbench.heads.base import resolve
from hiptbench.published import PublishedFold, import_hipt, read_published
from hiptbench.published_rows import published_protocol
from hiptbench.registry import settings_of
from hiptbench.reproduction import Assessment, GroupReport, assess, assess_run, report
from hiptbench.reproduction_text import to_json, to_markdown, to_text
from hiptbench.results import FoldResult
from hiptbench.schema import read_yaml
from hiptbench.suites import load_suite
from hiptbench.task_store import load_spec
from toys import as_registered, make_row

BRCA, RCC, KIRP = "tcga_brca_subtype", "tcga_kidney_subtype", "tcga_kirp_survival"
SEEDS = (1, 2, 3, 4, 5)


# What is claimed


def test_every_claim_names_a_cell_that_exists_and_the_same_method_of_ours() -> None:
    for group in read_reproduction().groups:
        table = read_published(group.table)
        ours = {method.name: method.ours for method in table.methods}
        assert {claim.cell for claim in group.claims} <= {cell.key for cell in table.cells}
        for claim in group.claims:
            same = ours[claim.method]
            assert same is not None
            assert (same.features, same.baseline) == (claim.features, claim.baseline)


def test_the_claims_are_those_fixed_in_advance() -> None:
    stated, suite = read_reproduction(), load_suite("hipt-2022")
    assert stated.seeds == SEEDS
    assert [(group.name, len(group.claims), group.required) for group in stated.groups] == [
        ("subtyping", 12, 11),
        ("survival", 6, 5),
    ]
    assert {claim.task for claim in stated.claims} == set(suite.tasks)
    assert {claim.fraction for claim in stated.claims} == set(suite.fractions.values)
    close = {(c.baseline, c.fraction) for c in stated.claims if stated.tolerances[c.tolerance].value == 0.015}
    assert close == {("hipt_gp_hipt2022", 1.0)}
    assert {stated.tolerances[claim.tolerance].value for claim in stated.claims} == {0.015, 0.03}
    assert not any(claim.task.endswith("survival") and claim.tolerance == "close" for claim in stated.claims)


GOOD = """\
seeds: [1, 2]
settings: {}
tolerances: {close: {value: 0.03125, why: for a test}}
groups:
  - name: toy
    table: issue25
    required: 1
    claims:
      - {task: tcga_brca_subtype, fraction: 1.0, method: MIL, features: f, baseline: b, tolerance: close}
"""


@pytest.mark.parametrize(
    ("text", "instead", "message"),
    [
        ("seeds: [1, 2]", "seeds: [1, 1]", "a seed is given twice"),
        ("seeds: [1, 2]", "seeds: [1]", "seeds.*at least 2"),
        ("tolerance: close}", "tolerance: wide}", r"undeclared tolerances: \['wide'\]"),
        ("value: 0.03125", "value: 0", "tolerances.close.value"),
        (", why: for a test", "", "tolerances.close.why: Field required"),
        ("required: 1", "required: 2", r"more cells required than claimed: \['toy'\]"),
        ("fraction: 1.0", "fraction: 25", r"fraction.*25"),
    ],
)
def test_broken_claims_are_refused(tmp_path: Path, text: str, instead: str, message: str) -> None:
    path = tmp_path / "reproduction.yaml"
    path.write_text(GOOD)
    assert read_yaml(path, Reproduction).seeds == (1, 2)
    path.write_text(GOOD.replace(text, instead))
    with pytest.raises(SchemaError, match=message):
        read_yaml(path, Reproduction)


def test_one_result_is_claimed_once(tmp_path: Path) -> None:
    path = tmp_path / "reproduction.yaml"
    path.write_text(GOOD + GOOD.splitlines()[-1].replace("MIL", "HIPT_GP") + "\n")
    with pytest.raises(SchemaError, match="one result of ours is claimed twice"):
        read_yaml(path, Reproduction)


# What it is held against


def authors(
    task: str, fraction: float, *values: float, model: str = "hipt_gp_192", run: str = "s1"
) -> list[PublishedFold]:
    survival = task.endswith("survival")
    return [
        PublishedFold(
            collection="results_2022_surv" if survival else "results_Issue25",
            directory=f"{task}_{model}_{fraction}_{run}",
            task=task,
            model=model,
            fraction=fraction,
            fold=fold,
            metrics={"val_cindex" if survival else "test_auc": value},
            settings={"max_epochs": 20},
            seed=1,
        )
        for fold, value in enumerate(values)
    ]


def test_a_printed_mean_counts_whether_or_not_the_folds_are_there() -> None:
    table, cell = read_published("issue25"), (BRCA, "HIPT_GP", 1.0)
    assert references(table, ())[cell] == Reference(0.879, "printed", {})
    folds = authors(BRCA, 1.0, *[0.75] * 9, 0.5)
    assert references(table, folds)[cell] == Reference(0.879, "printed", dict(enumerate([0.75] * 9 + [0.5])))
    assert references(table, folds[:9])[cell] == Reference(0.879, "printed", {})  # not the whole run


def test_a_mean_that_was_never_printed_is_that_of_the_authors_folds() -> None:
    survival, row = read_published("survival"), "HIPT_LGP[vit4k_xs_dino]_freeze_[None]"
    assert references(survival, ())[KIRP, "HIPT", 1.0] == Reference(None, "not established", {})
    found = references(survival, authors(KIRP, 1.0, 0.5, 0.5, 0.75, 0.75, 0.625, model=row))[KIRP, "HIPT", 1.0]
    assert (found.mean, found.status, found.folds[4]) == (0.625, "recomputed", 0.625)


def test_the_rerun_is_not_the_run_of_one_epoch() -> None:
    folds = authors(RCC, 0.25, *[0.5] * 10) + authors(RCC, 0.25, *[0.75] * 10, run="s12")
    found = references(read_published("issue25"), folds)
    assert found[RCC, "HIPT_GP (rerun)", 0.25].mean == 0.75
    assert set(found[RCC, "HIPT_GP", 0.25].folds.values()) == {0.5}


# The verdict

CLAIM = Claim(task=BRCA, fraction=1.0, method="HIPT_GP", features="f", baseline="b", tolerance="t")


def rows_of(*seeds: Sequence[float], first: int = 1, **changes: Any) -> list[FoldResult]:
    """Return a row for every seed and fold."""
    return [
        make_row(value, seed=seed, fold=fold, **changes)
        for seed, values in enumerate(seeds, start=first)
        for fold, value in enumerate(values)
    ]


def held(rows: list[FoldResult], published: float | None, *, tolerance: float = 0.03125, **folds: Any) -> Assessment:
    stated = Reproduction.model_validate(
        {
            "seeds": SEEDS,
            "settings": {},
            "tolerances": {"t": {"value": tolerance, "why": "for a test"}},
            "groups": [{"name": "g", "table": "issue25", "required": 1, "claims": [CLAIM]}],
        }
    )
    return assess_run(stated, CLAIM, Reference(published, "printed", folds.get("folds", {})), rows, "auc", "p")


@pytest.mark.parametrize(
    ("published", "verdict"),
    [
        (0.75, "reproduced"),
        (0.71875, "reproduced"),  # the difference is the tolerance, to the last bit
        (0.78125, "reproduced"),
        (0.71874, "not reproduced"),
        (0.78126, "not reproduced"),
    ],
)
def test_seeds_that_agree_may_be_off_by_the_tolerance(published: float, verdict: str) -> None:
    one = held(rows_of(*[(0.5, 1.0)] * 5), published)
    assert (one.mean, one.sd_seeds, one.allowed, one.verdict) == (0.75, 0, 0.03125, verdict)


@pytest.mark.parametrize(("published", "verdict"), [(0.671, "reproduced"), (0.670, "not reproduced")])
def test_seeds_that_differ_widen_what_is_allowed(published: float, verdict: str) -> None:
    """Means 0.70 to 0.78 in steps of 0.02: sd sqrt(0.001) = 0.03162, times 2 * sqrt(6/5) = 2.19089 gives 0.06928."""
    one = held(rows_of(*[(mean - 0.1, mean + 0.1) for mean in (0.70, 0.72, 0.74, 0.76, 0.78)]), published)
    assert one.mean == pytest.approx(0.74)
    assert one.sd_seeds == pytest.approx(sqrt(0.001))
    assert one.allowed == pytest.approx(0.06928, abs=5e-6)
    assert one.difference == pytest.approx(0.74 - published)
    assert one.verdict == verdict


def test_fewer_seeds_give_no_verdict() -> None:
    one = held(rows_of((0.5, 1.0), (0.5, 1.0), (0.5, 1.0)), 0.75)
    assert (one.verdict, one.allowed, one.mean, one.difference) == ("3 of 5 seeds", None, 0.75, 0)


def test_only_the_seeds_fixed_in_advance_count() -> None:
    rows = rows_of(*[(0.5, 1.0)] * 5)
    assert held(rows + rows_of((1.0, 1.0), first=6), 0.75).mean == 0.75
    assert held(rows[2:] + rows_of((1.0, 1.0), first=6), 0.75).verdict == "4 of 5 seeds"
    assert held(rows_of((1.0, 1.0), first=6), 0.75).verdict == "0 of 5 seeds"


def test_nothing_run_and_nothing_to_hold_it_against_are_said() -> None:
    nothing = held([], 0.75)
    assert (nothing.verdict, nothing.mean, nothing.difference, nothing.fold_differences) == ("not run", None, None, {})
    assert held(rows_of(*[(0.5, 1.0)] * 5), None).verdict == "no published value"


def test_folds_are_compared_pair_by_pair_after_averaging_over_seeds() -> None:
    rows = rows_of((0.5, 0.75), (0.75, 1.0), (0.5, 0.75), (0.75, 1.0), (0.625, 0.875))
    one = held(rows, 0.75, folds={0: 0.75, 1: 0.75})
    assert one.by_fold == {0: 0.625, 1: 0.875}
    assert one.fold_differences == {0: -0.125, 1: 0.125}
    assert held(rows, 0.75, folds={0: 0.75}).fold_differences == {}  # not the same folds


# Which runs count

METHOD = {"features": "hipt_vit4k_region", "baseline": "hipt_gp_hipt2022"}


def run_of(mean: float, *, seeds: int = 5, task: str = BRCA, fraction: float = 1.0, **changes: Any) -> list[FoldResult]:
    """Return whole runs of HIPT's head under the published Protocol, or whatever is changed of it."""
    protocol = published_protocol(task, fraction).model_dump() | changes.pop("protocol", {})
    changes["provenance"] = as_registered(METHOD["baseline"], task) | changes.get("provenance", {})
    folds = [mean + (-1) ** fold / 32 for fold in range(protocol["folds"])]
    return rows_of(*[folds] * seeds, protocol=protocol, **METHOD | changes)


def reports(rows: list[FoldResult], folds: Sequence[PublishedFold] = ()) -> tuple[GroupReport, ...]:
    return report(read_reproduction(), rows, folds)


def found(rows: list[FoldResult]) -> Assessment:
    """Return what the first claim, HIPT's head on all of BRCA's training slides, comes to."""
    one = reports(rows)[0].assessments[0]
    assert (one.claim.task, one.claim.fraction, one.claim.baseline) == (BRCA, 1.0, METHOD["baseline"])
    return one


def test_a_run_answers_its_claim_and_no_other() -> None:
    rows = run_of(0.88) + run_of(0.6, task=RCC) + run_of(0.625, task="tcga_brca_survival")
    subtyping, survival = reports(rows)
    assert {one.claim.task: one.verdict for one in survival.assessments if one.by_seed} == {
        "tcga_brca_survival": "reproduced"
    }
    by_verdict = [one.verdict for one in subtyping.assessments]
    assert by_verdict == ["reproduced", "not run", "not reproduced", *["not run"] * 9]
    assert (subtyping.holding, survival.holding) == (1, 1)
    assert found(rows).variant == rows[0].provenance.variant


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "synthetic"},
        {"kind": "published"},
        {"features": "others"},
        {"baseline": "hipt_gp"},
        {"protocol": {"suite": "own:mine"}},
        {"protocol": {"cohort": "smaller", "missing_slides": 1}},
        {"protocol": {"missing_slides": 1}},
        {"protocol": {"splits": "corrected"}},
        {"protocol": {"fraction": 0.5, "fraction_rule": "another"}},
        {"protocol": {"evaluate_on": "val"}},
    ],
    ids=str,
)
def test_what_stands_under_another_protocol_or_name_does_not_count(change: dict[str, Any]) -> None:
    assert found(run_of(0.88)).verdict == "reproduced"
    assert {one.verdict for group in reports(run_of(0.88, **change)) for one in group.assessments} == {"not run"}


@pytest.mark.parametrize("change", [{"feature_hash": "another"}, {"settings": {"model": "hipt_gp"}}], ids=str)
def test_other_settings_or_features_under_the_same_names_do_not_count(change: dict[str, Any]) -> None:
    assert {one.verdict for group in reports(run_of(0.88, provenance=change)) for one in group.assessments} == {
        "not run"
    }


def test_the_stated_settings_are_those_of_the_registered_baselines() -> None:
    stated = read_reproduction()
    for claim in stated.claims:
        head = resolve(load_baseline(claim.baseline).make_head(), load_spec(claim.task))
        assert stated.settings[claim.baseline][claim.task] == settings_hash(settings_of(head))


def test_incomplete_seeds_do_not_count() -> None:
    assert found(run_of(0.88)[:-1]).verdict == "4 of 5 seeds"


def test_the_newest_variant_counts_even_if_an_older_one_held() -> None:
    new = run_of(0.5, provenance={"source_hash": "new"}, date="2026-02-01T00:00:00+00:00")
    rows = run_of(0.88, provenance={"source_hash": "old"}) + new
    assert found(rows).verdict == "not reproduced"
    verdicts = [one.verdict for one in assess(read_reproduction(), rows, (), all_variants=True) if one.variant]
    assert verdicts == ["not reproduced", "reproduced"]


def test_of_several_settings_the_run_with_most_seeds_counts_then_the_newest() -> None:
    late = {"date": "2026-02-01T00:00:00+00:00"}
    trial = run_of(0.5, seeds=1, provenance={"device": "cuda"}, **late)
    assert found(run_of(0.88) + trial).verdict == "reproduced"
    assert found(run_of(0.88) + run_of(0.5, provenance={"device": "cuda"}, **late)).verdict == "not reproduced"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"claims": [CLAIM.model_copy(update={"method": "HIPT_PG"})]},
            "no cell of table issue25 'tcga_brca_s",
        ),
        ({"table": "issue52"}, "no published table 'issue52'. Did you mean 'issue25'"),
    ],
)
def test_a_claim_on_what_does_not_exist_is_named(change: dict[str, Any], message: str) -> None:
    group = {"name": "g", "table": "issue25", "required": 1, "claims": [CLAIM]} | change
    stated = {
        "seeds": SEEDS,
        "settings": {},
        "tolerances": {"t": {"value": 0.5, "why": "for a test"}},
        "groups": [group],
    }
    with pytest.raises(UnknownNameError, match=message):
        assess(Reproduction.model_validate(stated), [], [])


# How it is shown


@pytest.fixture
def shown() -> tuple[Reproduction, tuple[GroupReport, ...], tuple[Comparison, ...]]:
    """One claim that holds, with the authors' folds at hand, and one of three seeds."""
    folds = authors(BRCA, 1.0, *[0.875 + (-1) ** fold / 32 for fold in range(10)])
    return read_reproduction(), reports(run_of(0.877) + run_of(0.9, seeds=3, task=KIRP), folds), ()


@pytest.mark.parametrize("form", [to_text, to_markdown])
def test_a_page_shows_verdicts_fold_differences_and_counts(form: Any, shown: Any) -> None:
    text = form(*shown)
    lines = text.splitlines()
    assert "max(tolerance, 2.191 x sd over seeds)" in lines[0]
    assert [line for line in lines if "cells hold" in line] == [
        "subtyping: 1 of 12 cells hold (at least 11 must).",
        "survival: 0 of 6 cells hold (at least 5 must).",
    ]
    brca = [line.replace("|", " ").split() for line in lines if line.strip("| ").startswith(f"{BRCA} ")]
    first, differences = brca[0], brca[-1]
    assert first[3:] == ["0.879", "0.877", "0.000", "0.015", "-0.002", "reproduced"]
    assert differences[3:] == ["+0.002", "0.000", *["+0.002"] * 10]
    assert sum(line.strip("| ").startswith(KIRP) for line in lines) == 1
    assert "3 of 5 seeds" in text
    assert "not established" in text


def test_text_is_aligned_and_markdown_is_tables(shown: Any) -> None:
    for block in to_text(*shown).split("\n\n"):
        lines = [line for line in block.splitlines() if "hipt_vit4k_region/" in line]
        assert len({line.index("hipt_vit4k_region/") for line in lines}) <= 1
    tables = [line for line in to_markdown(*shown).splitlines() if line.startswith("|")]
    assert {line.count("|") for line in tables} == {10, 7}


def test_json_holds_every_value_and_no_nan(shown: Any) -> None:
    text = to_json(*shown)
    assert "NaN" not in text
    subtyping, survival = json.loads(text)["groups"]
    assert (subtyping["holding"], subtyping["required"], len(subtyping["cells"])) == (1, 11, 12)
    cell = subtyping["cells"][0]
    assert (cell["published"], cell["published_status"], cell["verdict"]) == (0.879, "printed", "reproduced")
    assert len(cell["by_seed"]) == 5
    assert len(cell["fold_differences"]) == 10
    assert cell["fold_differences_mean"] == pytest.approx(0.002)
    assert [one["verdict"] for one in survival["cells"]].count("3 of 5 seeds") == 1
    assert survival["cells"][0]["mean"] is None


# With the real data


def test_the_references_are_the_published_means(real_data: Path) -> None:
    folds = import_hipt(real_data / "HIPT")
    subtyping, survival = reports([], folds)
    organs = (BRCA, "tcga_lung_subtype", RCC)
    means = {(o.claim.baseline, o.claim.fraction, o.claim.task): o.reference for o in subtyping.assessments}
    for method, fraction, printed in [
        ("hipt_gp_hipt2022", 1.0, (0.879, 0.953, 0.979)),
        ("hipt_gp_hipt2022", 0.25, (0.837, 0.918, 0.972)),
        ("mil_hipt2022", 1.0, (0.832, 0.928, 0.978)),
        ("mil_hipt2022", 0.25, (0.790, 0.907, 0.948)),
    ]:
        for organ, mean in zip(organs, printed, strict=True):
            reference = means[method, fraction, organ]
            assert reference.mean is not None
            assert round(reference.mean, 3) == mean
            assert round(sum(reference.folds.values()) / 10, 3) == mean
    by_task = {one.claim.task.split("_")[1]: one.reference for one in survival.assessments}
    assert {task: round(one.mean or 0, 3) for task, one in by_task.items()} == {
        **{"brca": 0.634, "coadread": 0.608, "kirc": 0.642},
        **{"kirp": 0.670, "luad": 0.538, "stad": 0.570},
    }
    assert all(len(one.folds) == 5 for one in by_task.values())
    assert [task for task, one in by_task.items() if one.status == "recomputed"] == ["kirp", "luad"]
