"""The base of every schema-checked YAML file, and reading one with errors a person can act on."""

import re
from pathlib import Path
from typing import TypeVar

import pydantic
import yaml

from hiptbench.errors import SchemaError

_FAST_LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # six times faster, in C


class _Loader(_FAST_LOADER):  # type: ignore[valid-type,misc]
    """Reads YAML as PyYAML does, but takes 5e-4 for a number, as YAML 1.2 does, and not for a text."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"^[-+]?(\d+(\.\d*)?|\.\d+)[eE][-+]?\d+$"), list("-+.0123456789")
)


class Strict(pydantic.BaseModel):
    """A frozen model that refuses unknown keys."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True, strict=False)


def problems_of(error: pydantic.ValidationError) -> str:
    """Return what is wrong with each setting, in one line."""
    return "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())


Model = TypeVar("Model", bound=Strict)


def read_yaml(path: Path, model: type[Model]) -> Model:
    """Read a YAML file into its model.

    Args:
        path: The file.
        model: The schema it must follow.

    Returns:
        The validated model.

    Raises:
        SchemaError: If the file cannot be read, is not YAML or breaks the schema; every offending key is named.
    """
    try:
        data = yaml.load(path.read_text(encoding="utf-8"), _Loader)
    except FileNotFoundError as error:
        raise SchemaError(f"{path} does not exist.") from error
    except OSError as error:
        raise SchemaError(f"{path} cannot be read: {error.strerror}.") from error
    except (yaml.YAMLError, ValueError) as error:  # ValueError: not UTF-8, or a date such as 2022-13-45
        raise SchemaError(f"{path} is not valid YAML: {error}") from error
    try:
        return model.model_validate(data)
    except pydantic.ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(str(part) for part in item['loc']) or '(top)'}: {item['msg']} (got {_short(item['input'])})"
            for item in error.errors()
        )
        raise SchemaError(f"{path} breaks the schema of {model.__name__}: {problems}") from error


def dump_yaml(model: Strict) -> str:
    """Return a model as YAML text, in the order of its fields, without the fields that are None."""
    data = model.model_dump(mode="json", exclude_none=True)
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=100)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
