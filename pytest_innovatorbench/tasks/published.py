"""The twenty published tasks: what is known of them, and the ``task.yaml`` that says it."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import yaml

from pytest_innovatorbench.tasks.manifest import read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from jsonschema import Draft202012Validator

JUDGE_VARIABLES = (
    *("IBENCH_JUDGE_API_KEY", "IBENCH_JUDGE_API_ENDPOINT"),
    *("IBENCH_JUDGE_API_VERSION", "IBENCH_JUDGE_MODEL"),
)
_SERVER = {"gpus": 8, "gpu_memory_gb": 80, "memory_gb": 1800}
_CPU_MEMORY_GB = 100
_DISK_GB = 2000  # nothing is published; checkpoints of large models have to fit
_ASKS_A_MODEL = re.compile(r"\b(?:api_key|api_endpoint|openai|AzureOpenAI|litellm|anthropic)\b")
_TIME = re.compile(r"\s*(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>[a-z]*)\s*", re.IGNORECASE)
_UNITS = {"d": 86400, "h": 3600, "m": 60, "s": 1}
_HOURS_AT_MOST = 1000  # of a number without a unit; more can only be seconds
_DEEPEST = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """What is published of a task.

    Attributes:
        values: Its entry.
        source: Its paper.
    """

    values: Mapping[str, Any]
    source: Mapping[str, str]

    @property
    def needs(self) -> tuple[str, ...]:
        """What it needs that nothing here can check."""
        return tuple(self.values.get("also", ()))


@cache
def facts() -> Mapping[str, Fact]:
    """Return what is published, by task."""
    text = files("pytest_innovatorbench.tasks").joinpath("published.yaml").read_text("utf-8")
    known = yaml.safe_load(text)
    return {
        name: Fact(values=values, source=known["sources"][values["source"]])
        for name, values in known["tasks"].items()
    }


def manifest(fact: Fact, task_id: str, dataset: Path) -> tuple[dict[str, Any], list[str]]:
    """Return the values of a task's ``task.yaml``, and what could not be read for it.

    Args:
        fact: What is published.
        task_id: Its name.
        dataset: The folder with its configuration and its evaluator.
    """
    values = fact.values
    limits, unread = _limits(fact, task_id, dataset)
    made: dict[str, Any] = {
        "id": task_id,
        "title": values["title"],
        "domain": values["domain"],
        "paper": dict(fact.source),
        "limits": limits,
        "resources": _resources(values),
        "network": values.get("network", "none"),
        "environment": {"conda": f"conda/{values['conda']}/conda.tar"},
    }
    if "web" in values:
        made["web"] = {"mode": values["web"]}
    if _has_judge(dataset / "evaluations" / task_id / "task"):
        made["judge"] = {"environment": [] if _has_base(dataset) else list(JUDGE_VARIABLES)}
    return made, unread


def _resources(values: Mapping[str, Any]) -> dict[str, Any]:
    memory = values.get("cpu_memory_gb", _CPU_MEMORY_GB)
    resources: dict[str, Any] = {"memory_gb": memory, "disk_gb": _DISK_GB}
    if "servers" in values:
        servers = {"computers": values["servers"], **_SERVER, "outputs": True}
        resources["roles"] = {"cpu": {}, "gpu": servers}
    elif "gpu_memory_gb" in values:
        resources |= {"gpus": 1, "gpu_memory_gb": values["gpu_memory_gb"]}
    if "model" in values:
        resources["downloads"] = ["data/checkpoints"]
    return resources


def _limits(fact: Fact, task_id: str, dataset: Path) -> tuple[dict[str, Any], list[str]]:
    """Take limits from the task's configuration, and what it lacks from what is published."""
    shown = f"research_gym/configs/tasks/{task_id}.yaml"
    stated, problems = read_yaml(dataset / shown, shown, _anything, example="max_steps: 4000")
    limits: dict[str, Any] = {"working_hours": fact.values["hours"], "evaluation_seconds": 5000}
    limits |= {"evaluation_memory_gb": _CPU_MEMORY_GB, "evals": 3, "steps": 4000}
    unread = [f"{problem}; the published limits are taken" for problem in problems]
    for key, name, read in _LIMITS:
        found = _find(stated, key)
        if found is not None:
            value = read(found)
            if value is None:
                unread.append(f"{shown}: {key}: {found!r:.40} is not understood; {limits[name]} is taken")
            else:
                limits[name] = value
    return limits, unread


@cache
def _anything() -> Draft202012Validator:
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - slow, and few need it

    return Draft202012Validator({"type": "object"})


def _find(values: object, key: str, depth: int = 0) -> object:
    """Return what a key is set to, in the configuration or in a part of it."""
    if not isinstance(values, dict) or depth > _DEEPEST:
        return None
    if key in values:
        return values[key]
    below = (_find(value, key, depth + 1) for value in values.values())
    return next((found for found in below if found is not None), None)


def _seconds(value: object, *, bare: int) -> float | None:
    match = _TIME.fullmatch(str(value))
    if match is None or isinstance(value, bool):
        return None
    unit = _UNITS.get(match["unit"][:1].lower()) if match["unit"] else bare
    return float(match["number"]) * unit if unit else None


def _hours(value: object) -> float | None:
    plain = isinstance(value, (int, float)) and value > _HOURS_AT_MOST
    seconds = _seconds(value, bare=1 if plain else 3600)
    hours = seconds / 3600 if seconds else 0
    return _tidy(hours) if 0 < hours <= _HOURS_AT_MOST else None


def _evaluation_seconds(value: object) -> float | None:
    seconds = _seconds(value, bare=1) or 0
    return _tidy(seconds) if 0 < seconds <= _UNITS["d"] else None


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def _tidy(value: float) -> float:
    return int(value) if math.floor(value) == value else value


_LIMITS = (
    ("max_working_time", "working_hours", _hours),
    ("max_eval_time", "evaluation_seconds", _evaluation_seconds),
    ("max_eval_num", "evals", _count),
    ("max_steps", "steps", _count),
)


def _has_judge(folder: Path) -> bool:
    """Tell whether an evaluator asks a model; every configuration has the keys for it, used or not."""
    return any(_ASKS_A_MODEL.search(text) for text in _sources(folder))


def _sources(folder: Path) -> Iterator[str]:
    for file in sorted(folder.glob("*.py")):
        if file.name != "config.py" and file.is_file():
            yield file.read_text("utf-8", errors="replace")


def _has_base(dataset: Path) -> bool:
    base = dataset / "evaluations" / "base"
    return all((base / name).is_file() for name in ("base_eval.py", "data_classes.py"))
