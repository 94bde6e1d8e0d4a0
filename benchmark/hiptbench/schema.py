"""The base of every schema-checked YAML file, and reading one with errors a person can act on."""

from pathlib import Path
from typing import TypeVar

import pydantic
import yaml

from hiptbench.errors import SchemaError

# The C parser is some six times faster; a safe loader either way.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Strict(pydantic.BaseModel):
    """A frozen model that refuses unknown keys."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True, strict=False)


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
        data = yaml.load(path.read_text(encoding="utf-8"), _LOADER)
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
