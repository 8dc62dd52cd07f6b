"""The file of ``--ibench-agent-config``: models, habits, prompts and prices."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from importlib.resources import files
from pathlib import Path
from typing import Any

from pytest_innovatorbench.agents.models.patience import Patience
from pytest_innovatorbench.agents.models.prices import Price
from pytest_innovatorbench.agents.models.profile import Profile
from pytest_innovatorbench.agents.react.habits import Habits
from pytest_innovatorbench.errors import SettingsError

_PROFILE = {field.name for field in fields(Profile)}


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentSettings:
    """What one agent is to be.

    Attributes:
        profile: Its model.
        habits: How it works.
    """

    profile: Profile
    habits: Habits = field(default_factory=Habits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """What the file says.

    Attributes:
        agents: By name, what differs from what the agent would be otherwise.
        prices: By model or pattern.
        folder: Where relative paths begin.
    """

    agents: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    prices: Mapping[str, Price] = field(default_factory=dict)
    folder: Path = Path()

    def apply(self, name: str, given: AgentSettings) -> AgentSettings:
        """Return an agent's settings with what the file says of it."""
        values = dict(self.agents.get(name, {}))
        profile = {key: values.pop(key) for key in list(values) if key in _PROFILE}
        if "prompts" in values:
            values["prompts"] = self.folder / values["prompts"]
        if "tools" in values:
            values["tools"] = tuple(values["tools"])
        if "patience" in values:
            values["patience"] = Patience(**values["patience"])
        return AgentSettings(
            profile=replace(given.profile, **profile), habits=replace(given.habits, **values)
        )


def read_configuration(file: Path | None) -> Configuration:
    """Read the file; without one, nothing differs.

    Raises:
        SettingsError: It cannot be read, or something in it is wrong; all that is wrong is named.
    """
    if file is None:
        return Configuration()
    values = _load(file)
    problems = [
        f"{'.'.join(map(str, error.path)) or 'the file'}: {error.message}" for error in _errors(values)
    ]
    problems += _missing_prompts(file, values)
    if problems:
        raise SettingsError(f"{file}: {'; '.join(problems)}", remedy="mend it; docs/agents.md has an example")
    prices = {model: Price(**price) for model, price in values.get("prices", {}).items()}
    return Configuration(agents=values.get("agents", {}), prices=prices, folder=file.parent)


def _load(file: Path) -> Any:  # noqa: ANN401 - whatever stands there
    import yaml  # noqa: PLC0415 - not needed to import the plugin

    try:
        return yaml.safe_load(file.read_text("utf-8")) or {}
    except (OSError, ValueError, yaml.YAMLError) as error:
        said = " ".join(str(error).split())
        raise SettingsError(f"{file} cannot be read: {said}", remedy="give a file of YAML") from error


def _errors(values: object) -> list[Any]:
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - not needed to import the plugin

    schema = json.loads(files(__package__).joinpath("configuration.schema.json").read_text("utf-8"))
    return sorted(
        Draft202012Validator(schema).iter_errors(values), key=lambda error: list(map(str, error.path))
    )


def _missing_prompts(file: Path, values: object) -> list[str]:
    agents = values.get("agents") if isinstance(values, dict) else None
    folders = {
        name: agent["prompts"]
        for name, agent in (agents or {}).items()
        if isinstance(agent, dict) and isinstance(agent.get("prompts"), str)
    }
    return [
        f"agents.{name}.prompts: there is no folder {folder}"
        for name, folder in folders.items()
        if not (file.parent / folder).is_dir()
    ]
