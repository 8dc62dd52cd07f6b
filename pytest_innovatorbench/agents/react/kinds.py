"""The names by which users ask for the ReAct agent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_innovatorbench.agents.base import Agent, AgentKind, AgentRequest
from pytest_innovatorbench.agents.configuration import AgentSettings, Configuration, read_configuration
from pytest_innovatorbench.agents.models.profile import Profile, Provider
from pytest_innovatorbench.errors import SettingsError

if TYPE_CHECKING:
    from pytest_innovatorbench.researchgym.actions.declaration import ActionKind
    from pytest_innovatorbench.settings import Settings

REACT = "react"
SHORTHANDS: Mapping[str, Profile] = {
    "claude": Profile(
        provider="anthropic", model="claude-sonnet-5-5", thinking="adaptive", max_tokens=32_000
    ),
    # OpenAI serves later ones with tools by its Responses alone, which this loop does not speak.
    "gpt": Profile(provider="openai", model="gpt-5.1", max_tokens=32_000, context_length=272_000),
    "glm": Profile(
        provider="openai",
        model="glm-4.6",
        base_url="https://api.z.ai/api/paas/v4",
        key="ZAI_API_KEY",
    ),
    "kimi": Profile(
        provider="openai",
        model="kimi-k2-thinking",
        base_url="https://api.moonshot.ai/v1",
        key="MOONSHOT_API_KEY",
    ),
    "gemini": Profile(
        provider="openai",
        model="gemini-2.5-pro",
        base_url="https://generativelanguage.googleapis.com/v1beta/openai/",
        key="GEMINI_API_KEY",
        context_length=1_000_000,
    ),
}


def react_agents(settings: Settings) -> Iterator[AgentKind]:
    """Yield the ReAct agent under all its names: its own, the shorthands and those of the user's file.

    Raises:
        SettingsError: The user's file is wrong.
    """
    configuration = read_configuration(settings.agent_config)
    for name in dict.fromkeys((REACT, *SHORTHANDS, *configuration.agents)):
        yield AgentKind(
            name=name,
            make=partial(_make, name, settings, configuration),
            argument="MODEL"
            if name == REACT and not configuration.agents.get(name, {}).get("model")
            else "[MODEL]",
            check=partial(_check, name, settings, configuration),
            check_actions=partial(_check_actions, name, settings, configuration),
            about=_about(name),
        )


def _make(name: str, settings: Settings, configuration: Configuration, request: AgentRequest) -> Agent:
    from pytest_innovatorbench.agents.react.agent import ReactAgent  # noqa: PLC0415 - with the loop comes much

    found = choose(name, request.argument, settings, configuration)
    return ReactAgent(request, found.profile, found.habits, configuration.prices)


def _check(
    name: str, settings: Settings, configuration: Configuration, argument: str, _: tuple[Path, ...]
) -> None:
    """Say before anything runs what would stop every attempt."""
    from pytest_innovatorbench.agents.models.opening import check_model  # noqa: PLC0415 - it imports an SDK
    from pytest_innovatorbench.agents.models.prices import find_price  # noqa: PLC0415 - not needed otherwise
    from pytest_innovatorbench.agents.react.samples import check_prompts  # noqa: PLC0415 - not needed otherwise

    found = choose(name, argument, settings, configuration)
    profile = found.profile
    check_model(profile)
    check_prompts(found.habits.prompts)
    if settings.max_cost is not None and find_price(profile.model, configuration.prices) is None:
        raise SettingsError(
            f"--ibench-max-cost: the price of {profile.model} is not known",
            remedy="state it under prices in the file of --ibench-agent-config",
        )


def _check_actions(
    name: str,
    settings: Settings,
    configuration: Configuration,
    argument: str,
    actions: Mapping[str, ActionKind],
) -> None:
    from pytest_innovatorbench.agents.react.rendering import check_chosen  # noqa: PLC0415 - not needed otherwise

    check_chosen(choose(name, argument, settings, configuration).habits.tools, actions)


def choose(name: str, argument: str, settings: Settings, configuration: Configuration) -> AgentSettings:
    """Return what an agent is: the shorthand, the user's file, then what the command line says.

    Raises:
        SettingsError: It is not said which model is meant.
    """
    asked = argument or str(configuration.agents.get(name, {}).get("model", ""))
    provider: Provider = "anthropic" if asked.startswith("claude") else "openai"
    start = SHORTHANDS.get(name, Profile(provider=provider, model=""))
    found = configuration.apply(name, AgentSettings(profile=start))
    profile = replace(found.profile, model=argument or found.profile.model)
    if settings.model_base_url:
        profile = replace(profile, base_url=settings.model_base_url, key="")
    if not profile.model:
        raise SettingsError(
            f"agent {name!r} has no model", remedy=f"write {name}:MODEL, or state model in its settings"
        )
    return replace(found, profile=profile)


def _about(name: str) -> str:
    known = SHORTHANDS.get(name)
    return f"lets {known.model if known else 'a model'} work through our own loop"
