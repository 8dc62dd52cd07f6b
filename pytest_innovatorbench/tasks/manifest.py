"""Reading ``task.yaml``: YAML, then the schema, then a dictionary of plain values."""

from __future__ import annotations

import difflib
import json
import textwrap
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, cast

import yaml

from pytest_innovatorbench.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import ValidationError

MAX_BYTES = 1_000_000
_SHOWN = 60

_Base: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _StrictLoader(_Base):  # type: ignore[valid-type,misc]  # the C loader where libyaml is there
    """A safe loader that refuses a key given twice and anchors that multiply."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - the signature of PyYAML
        seen = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str):
                raise yaml.constructor.ConstructorError(None, None, "a key is not text", key_node.start_mark)
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} is given twice", key_node.start_mark
                )
            seen.add(key)
        return cast("dict[Any, Any]", super().construct_mapping(node, deep=deep))


def read_manifest(file: Path, shown: str) -> tuple[dict[str, Any], list[Problem]]:
    """Read and check a ``task.yaml``.

    Args:
        file: The file; one that does not exist gives an empty manifest and no problem.
        shown: How to call the file in messages.

    Returns:
        The values, empty where the file cannot be used, and everything that is wrong with them.
    """
    return read_yaml(file, shown, _validator, example="domain: LD") if file.exists() else ({}, [])


def read_yaml(
    file: Path, shown: str, validator: Callable[[], Draft202012Validator], *, example: str
) -> tuple[dict[str, Any], list[Problem]]:
    """Read a mapping of plain values from a YAML file and check it.

    Args:
        file: The file.
        shown: How to call the file in messages.
        validator: Makes what checks the values.
        example: A line that could stand in the file.

    Returns:
        The values, empty where the file cannot be used, and everything that is wrong with them.
    """
    try:
        size = file.stat().st_size
        data = file.read_bytes() if size <= MAX_BYTES else b""
    except FileNotFoundError:
        return {}, [Problem(file=shown, message="does not exist", remedy="write it, or name another file")]
    except OSError as error:
        return {}, [Problem(file=shown, message=f"cannot be read: {error.strerror}", remedy="mend its mode")]
    if size > MAX_BYTES:
        return {}, [Problem(file=shown, message=f"is {size:,} bytes long", remedy="keep it below 1 MB")]
    try:
        values = yaml.load(data.decode(), Loader=_StrictLoader)  # noqa: S506 - a subclass of the safe loader
    except UnicodeDecodeError:
        return {}, [Problem(file=shown, message="is not UTF-8", remedy="save it as UTF-8")]
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        return {}, [Problem(file=shown, message=_yaml_message(error), remedy="mend the YAML")]
    if not isinstance(values, dict):
        what = "is empty" if values is None else "is not a mapping"
        return {}, [
            Problem(file=shown, message=what, remedy=f"write `key: value` lines, such as `{example}`")
        ]
    problems = [_problem(error, shown) for error in validator().iter_errors(values)]
    return values, sorted(problems, key=lambda problem: problem.key)


@cache
def schema() -> dict[str, Any]:
    """Return the JSON Schema of ``task.yaml``."""
    text = files("pytest_innovatorbench.tasks").joinpath("task.schema.json").read_text("utf-8")
    return cast("dict[str, Any]", json.loads(text))


@cache
def _validator() -> Draft202012Validator:
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - 170 ms that only benchmark runs pay

    return Draft202012Validator(schema())


def _yaml_message(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    what = getattr(error, "problem", None) or str(error).splitlines()[0]
    return f"line {mark.line + 1}, column {mark.column + 1}: {what}" if mark else str(what)


def _problem(error: ValidationError, shown: str) -> Problem:
    key = ".".join(str(part) for part in error.absolute_path)
    rule = cast("dict[str, Any]", error.schema)
    value: Any = error.instance
    if error.validator == "additionalProperties":
        known = list(rule["properties"])
        unknown = [name for name in value if name not in known]
        return Problem(
            file=shown, key=key, message=f"unknown key {unknown[0]!r}", remedy=_spelling(unknown[0], known)
        )
    if error.validator == "required":
        missing = next(name for name in rule["required"] if error.message.startswith(repr(name)))
        return Problem(file=shown, key=key, message=f"{missing!r} is missing", remedy=f"add {missing}")
    shown_value = textwrap.shorten(json.dumps(value, default=str), _SHOWN, placeholder="...")
    expected = rule.get("description", "what the schema says")
    return Problem(file=shown, key=key, message=f"{shown_value} is not allowed", remedy=f"give {expected}")


def _spelling(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {close[0]}?" if close else "known: " + ", ".join(known)
