"""Names of heads and extractors, and objects from other packages as "package.module:Object"."""

import dataclasses
import importlib
from collections.abc import Mapping
from typing import Any

import pydantic

from hiptbench.errors import ExtractorError, HeadError, HiptbenchError, UnknownNameError
from hiptbench.extractors.base import FeatureExtractor
from hiptbench.extractors.mean import MeanOfPatches
from hiptbench.files import canonical_json
from hiptbench.heads.base import Head
from hiptbench.schema import problems_of

HEADS: Mapping[str, str] = {
    "cox": "hiptbench.heads.cox:Cox",
    "knn": "hiptbench.heads.knn:KNN",
    "logistic": "hiptbench.heads.linear:Logistic",
    "mil": "hiptbench.heads.mil:MIL",
    "permuted_labels": "hiptbench.heads.permuted_labels:PermutedLabels",
    "prior": "hiptbench.heads.prior:Prior",
    "random_features": "hiptbench.heads.random_features:RandomFeatures",
}

EXTRACTORS: Mapping[str, str] = {
    "hipt": "hiptbench.extractors.hipt:HIPT",
    "random": "hiptbench.extractors.random:RandomProjection",
    "resnet50": "hiptbench.extractors.resnet50:ResNet50B3",
    "vit256": "hiptbench.extractors.hipt:ViT256",
}

ADAPTERS: Mapping[str, str] = {
    "timm": "hiptbench.extractors.adapters:Timm",
    "transformers": "hiptbench.extractors.adapters:Transformers",
}
"""Extractors named "library:model"."""

_MEAN = "mean:"
_ERRORS: Mapping[str, type[HiptbenchError]] = {"head": HeadError, "extractor": ExtractorError}


def make_head(name: str, settings: Mapping[str, Any] | None = None) -> Head:
    """Make a head from its name and settings.

    Args:
        name: A name in ``HEADS``, or "package.module:Object" for anybody's own.
        settings: Values for the head's fields; the rest keep their defaults.

    Raises:
        UnknownNameError: If there is no such head.
        HeadError: If a setting is unknown or of the wrong type, or the object is no head.
    """
    head = _make("head", name, HEADS, settings or {})
    if not isinstance(head, Head):
        raise HeadError(f"'{name}' is not a head: it needs kinds, stochastic and fit (see hiptbench.heads.base.Head).")
    return head


def names_mil_model(name: str) -> bool:
    """Whether "package.module:Object" is a MIL model, which the head "mil" trains, rather than a head itself.

    Raises:
        HeadError: If it cannot be imported.
    """
    found = _find("head", name, HEADS)
    return hasattr(found, "aggregate") and not hasattr(found, "fit")


def make_extractor(name: str, settings: Mapping[str, Any] | None = None) -> FeatureExtractor:
    """Make a feature extractor from its name and settings.

    Args:
        name: A name in ``EXTRACTORS``; "mean:NAME" for the mean over a region's patches of another one;
            "transformers:MODEL" or "timm:MODEL"; or "package.module:Object" for anybody's own.
        settings: Values for the extractor's fields; the rest keep their defaults.

    Raises:
        UnknownNameError: If there is no such extractor.
        ExtractorError: If a setting is unknown or of the wrong type, or the object is no extractor.
    """
    library, _, model = name.partition(":")
    if name.startswith(_MEAN):
        return MeanOfPatches(of=make_extractor(model, settings))
    if library in ADAPTERS:
        extractor = _make("extractor", library, ADAPTERS, {"model": model, **(settings or {})})
    else:
        extractor = _make("extractor", name, EXTRACTORS, settings or {})
    if not isinstance(extractor, FeatureExtractor):
        raise ExtractorError(f"'{name}' is not an extractor: it needs name, dim, level and extract.")
    return extractor


def settings_of(made: Any) -> dict[str, Any]:
    """Return every setting of a head or extractor, defaults included.

    Raises:
        HeadError: If they cannot be stored as JSON.
    """
    settings = dataclasses.asdict(made)
    try:
        canonical_json(settings)
    except (TypeError, ValueError) as error:
        raise HeadError(
            f"The settings of {made} cannot be stored as JSON ({error}); make them finite numbers, strings or lists."
        ) from error
    return settings


def _make(kind: str, name: str, known: Mapping[str, str], settings: Mapping[str, Any]) -> object:
    target = _find(kind, name, known)
    if not (isinstance(target, type) and dataclasses.is_dataclass(target)):
        raise _ERRORS[kind](f"The {kind} '{name}' is not a dataclass; its settings are its fields, so it must be one.")
    fields = {field.name for field in dataclasses.fields(target) if field.init}
    for key in settings:
        if key not in fields:
            raise UnknownNameError(f"setting of the {kind} '{name}'", key, fields)
    try:
        return pydantic.TypeAdapter(target).validate_python(dict(settings))
    except pydantic.ValidationError as error:
        raise _ERRORS[kind](f"The {kind} '{name}' refuses its settings: {problems_of(error)}.") from error


def _find(kind: str, name: str, known: Mapping[str, str]) -> Any:
    path = known.get(name, name)
    module, _, attribute = path.partition(":")
    if not all(part.isidentifier() for part in (*module.split("."), attribute)):
        names = (
            {*known, *(f"{library}:MODEL" for library in ADAPTERS), f"{_MEAN}NAME"} if kind == "extractor" else known
        )
        raise UnknownNameError(kind, name, names)
    try:
        return getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise _ERRORS[kind](f"The {kind} '{name}' cannot be imported: {error}.") from error
