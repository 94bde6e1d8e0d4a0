"""From a model's name and settings to the model."""

import importlib
import inspect
from collections.abc import Mapping
from typing import Any

from hiptbench.errors import HeadError, UnknownNameError
from hiptbench.heads.models import MODELS
from hiptbench.heads.models.base import MILModel


def model_class(name: str) -> type[MILModel]:
    """Return the class of a model.

    Args:
        name: A name in ``MODELS``, or "package.module:Class" for anybody's own.

    Raises:
        UnknownNameError: If there is no such model.
        HeadError: If it cannot be imported or is no ``MILModel``.
    """
    path = MODELS.get(name, name)
    module, _, attribute = path.partition(":")
    if not all(part.isidentifier() for part in (*module.split("."), attribute)):
        raise UnknownNameError("MIL model", name, MODELS)
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise HeadError(f"The MIL model '{name}' cannot be imported: {error}.") from error
    if not (isinstance(found, type) and issubclass(found, MILModel)):
        raise HeadError(f"'{name}' is not a MIL model: it must be a subclass of {MILModel.__module__}.MILModel.")
    return found


def make_model(name: str, *, d_in: int, n_out: int, settings: Mapping[str, Any] | None = None) -> MILModel:
    """Make a model; its weights are drawn from PyTorch's global generator.

    Args:
        name: See ``model_class``.
        d_in: Dimension of an instance's features.
        n_out: Number of outputs.
        settings: The model's own keyword arguments; the rest keep their defaults.

    Raises:
        UnknownNameError: If there is no such model or no such setting.
        HeadError: If a setting's value is refused.
    """
    settings = full_settings(name, settings or {})
    try:
        return model_class(name)(d_in=d_in, n_out=n_out, **settings)
    except (TypeError, ValueError) as error:
        if isinstance(error, HeadError):
            raise
        raise HeadError(f"The MIL model '{name}' refuses its settings {settings}: {error}.") from error


def full_settings(name: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return every setting of a model, defaults included.

    Args:
        name: See ``model_class``.
        settings: Those that differ from the defaults.

    Raises:
        UnknownNameError: If there is no such model or no such setting.
    """
    parameters = inspect.signature(model_class(name)).parameters
    known = {key: one.default for key, one in parameters.items() if key not in ("d_in", "n_out")}
    for key in settings:
        if key not in known:
            raise UnknownNameError(f"setting of the MIL model '{name}'", key, known)
    return {key: value for key, value in known.items() if value is not inspect.Parameter.empty} | dict(settings)
