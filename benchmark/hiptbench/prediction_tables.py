"""Predictions as Parquet: one row a unit, with what was true beside what was predicted."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from hiptbench.predictions import Prediction
from hiptbench.targets import Labels, Survival, Target


def to_table(units: Sequence[str], target: Target, prediction: Prediction) -> pa.Table:
    """Return a table with the columns unit, the truth (label | time, event) and the prediction.

    Classification adds ``probabilities`` (list); survival adds ``risk`` and, where there are curves, ``survival``
    (list) with the times in the schema's metadata.
    """
    columns: dict[str, object] = {"unit": list(units)}
    metadata: dict[str, str] = {}
    if isinstance(target, Labels):
        columns["label"] = [target.classes[value] for value in target.values]
        metadata["classes"] = "\t".join(target.classes)
    else:
        columns |= {"time": target.time, "event": target.event}
    if prediction.probabilities is not None:
        columns["probabilities"] = list(prediction.probabilities)
    if prediction.risk is not None:
        columns["risk"] = prediction.risk
    if prediction.survival is not None and prediction.times is not None:
        columns["survival"] = list(prediction.survival)
        metadata["times"] = "\t".join(repr(float(t)) for t in prediction.times)
    return pa.table(columns).replace_schema_metadata(metadata)


def from_table(table: pa.Table) -> tuple[tuple[str, ...], Target, Prediction]:
    """Return (units, target, prediction) of a table that ``to_table`` made."""
    metadata = {k.decode(): v.decode() for k, v in (table.schema.metadata or {}).items()}
    names = set(table.column_names)
    target: Target
    if "label" in names:
        classes = tuple(metadata["classes"].split("\t"))
        target = Labels(np.array([classes.index(v) for v in table["label"].to_pylist()], dtype=np.int64), classes)
    else:
        target = Survival(table["time"].to_numpy(), table["event"].to_numpy())
    prediction = Prediction(
        probabilities=_matrix(table, "probabilities") if "probabilities" in names else None,
        risk=table["risk"].to_numpy() if "risk" in names else None,
        survival=_matrix(table, "survival") if "survival" in names else None,
        times=np.array([float(t) for t in metadata["times"].split("\t")]) if "times" in metadata else None,
    )
    return tuple(table["unit"].to_pylist()), target, prediction


def write_parquet(table: pa.Table, path: Path) -> None:
    """Write a table as Parquet; the same table gives the same bytes with the same pyarrow."""
    pq.write_table(table, path, compression="zstd")


def read_parquet(path: Path) -> pa.Table:
    """Read a table that ``write_parquet`` wrote."""
    return pq.read_table(path)


def _matrix(table: pa.Table, column: str) -> np.ndarray:
    return np.vstack(table[column].to_numpy())
