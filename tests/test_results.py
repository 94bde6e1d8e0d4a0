"""Fingerprints, protocols and variants change with everything that a number depends on, and with nothing else."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hiptbench.errors import UnknownNameError
from hiptbench.results import FoldResult, Protocol, Provenance, Timing, definitions_of, fingerprint, refingerprint
from toys import make_home, make_row, plan_of

PROTOCOL: dict[str, Any] = {
    "suite": "another",
    "task": "another",
    "task_kind": "survival",
    "cohort": "d",
    "labels": "m",
    "splits": "t",
    "folds": 3,
    "evaluated_units": 21,
    "missing_units": 1,
    "missing_slides": 1,
    "fraction": 0.25,
    "fraction_rule": "every fourth",
    "draws": 3,
    "evaluate_on": "val",
    "unit": "case",
}
PROVENANCE: dict[str, Any] = {
    "feature_hash": "f",
    "head": "somebody:Else",
    "settings": {"k": 6},
    "coords_hash": "x",
    "selection": "inner val",
    "epoch_rule": "last",
    "device": "cuda",
    "precision": "float32",
    "versions": {"numpy": "2.0"},
    "source_hash": "g",
    "origin": "a paper",
    "files": {"vit4k.pth": "h"},
}
RUN: dict[str, Any] = {
    "kind": "synthetic",
    "features": "another",
    "baseline": "another",
    "fold": 1,
    "draw": 1,
    "seed": 2,
}


def fingerprint_of(**changes: dict[str, Any]) -> str:
    row = make_row()
    run = {name: getattr(row, name) for name in RUN} | changes.get("run", {})
    protocol = row.protocol.model_copy(update=changes.get("protocol", {}))
    provenance = row.provenance.model_copy(update=changes.get("provenance", {}))
    return fingerprint(protocol, provenance, **run)


def test_no_ingredient_is_forgotten_here() -> None:
    assert set(PROTOCOL) == set(Protocol.model_fields)
    assert set(PROVENANCE) == set(Provenance.model_fields)


@pytest.mark.parametrize(
    ("part", "name", "value"),
    [
        *(("protocol", *item) for item in PROTOCOL.items()),
        *(("provenance", *item) for item in PROVENANCE.items()),
        *(("run", *item) for item in RUN.items()),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_ingredient_changes_the_fingerprint(part: str, name: str, value: object) -> None:
    assert fingerprint_of(**{part: {name: value}}) != fingerprint_of()


def test_the_same_ingredients_give_the_same_fingerprint() -> None:
    assert fingerprint_of() == fingerprint_of() == make_row().fingerprint


@given(
    st.dictionaries(
        st.text(), st.one_of(st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text()), min_size=2
    )
)
def test_the_order_of_settings_does_not_matter(settings: dict[str, Any]) -> None:
    turned = dict(reversed(settings.items()))
    assert fingerprint_of(provenance={"settings": settings}) == fingerprint_of(provenance={"settings": turned})


def test_neither_time_nor_place_nor_outcome_is_an_ingredient(tmp_path: Path) -> None:
    task = make_home(tmp_path, folds=2)
    job = plan_of(tmp_path, task.name, "mean_knn").jobs[0]
    elsewhere = replace(job, home=Path("/elsewhere"), features_path=Path("/elsewhere/toy"))
    assert elsewhere.fingerprint == job.fingerprint
    fields = set(FoldResult.model_fields) - {"protocol", "provenance", *RUN}
    assert fields == {
        "fingerprint",
        "definitions",
        "metrics",
        "n",
        "units_sha256",
        "events",
        "history",
        "timing",
        "predictions_sha256",
        "training_median_risk",
        "pretrained_on",
        "collections",
    }  # whoever adds a field decides whether a number depends on it


@pytest.mark.parametrize(("name", "value"), PROTOCOL.items())
def test_every_part_of_a_protocol_makes_another_one(name: str, value: object) -> None:
    one = make_row().protocol
    assert one.id_for("auc", "area") != one.model_copy(update={name: value}).id_for("auc", "area")


def test_a_protocol_is_named_with_its_metric() -> None:
    one = make_row().protocol
    assert one.id_for("auc", "area") == make_row(0.9, fold=1, date="2030-01-01").protocol.id_for("auc", "area")
    assert one.id_for("auc", "area") != one.id_for("accuracy", "area")
    assert one.id_for("auc", "area") != one.id_for("auc", "area, ties count nothing")
    with pytest.raises(UnknownNameError, match="no metric 'acu'"):
        definitions_of(["acu"])


def test_an_edited_row_no_longer_has_its_fingerprint() -> None:
    row = make_row()
    assert refingerprint(row) == row.fingerprint
    for change in ({"kind": "synthetic"}, {"baseline": "better"}, {"provenance": Provenance(feature_hash="0")}):
        assert refingerprint(row.model_copy(update=change)) != row.fingerprint


@pytest.mark.parametrize(("name", "value"), PROVENANCE.items())
def test_every_part_of_a_provenance_makes_another_variant(name: str, value: object) -> None:
    one = make_row().provenance
    assert one.variant != one.model_copy(update={name: value}).variant


@pytest.mark.parametrize("value", [float("nan"), float("inf"), None])
def test_a_metric_is_a_number(value: float) -> None:
    with pytest.raises(pydantic.ValidationError, match="metrics"):
        make_row(value)


def test_a_row_survives_json_and_refuses_what_it_does_not_know() -> None:
    row = make_row(0.1 + 0.2, timing=Timing(seconds=0.1, host="h", date="d"))
    assert FoldResult.model_validate_json(row.model_dump_json()) == row
    with pytest.raises(pydantic.ValidationError, match="colour"):
        FoldResult.model_validate(row.model_dump() | {"colour": "red"})
