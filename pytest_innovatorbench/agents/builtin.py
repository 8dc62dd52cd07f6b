"""The agents that come with the package, offered through the hook like any other plug-in's."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from pytest_innovatorbench.agents.base import AgentKind
from pytest_innovatorbench.agents.clients.claude_code import ClaudeCode, check_claude_code
from pytest_innovatorbench.agents.clients.codex import Codex, check_codex
from pytest_innovatorbench.agents.command import CommandAgent, find_program
from pytest_innovatorbench.agents.configuration import Configuration, read_configuration
from pytest_innovatorbench.agents.human import Human, check_terminal
from pytest_innovatorbench.agents.react.kinds import react_agents
from pytest_innovatorbench.agents.scripted import Nop, has_program, make_baseline, make_oracle
from pytest_innovatorbench.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pytest_innovatorbench.agents.base import Agent, AgentRequest
    from pytest_innovatorbench.settings import Settings

_PROGRAMS = ("claude-code", "codex")
_WITHOUT_SETTINGS = ("oracle", "baseline", "nop", "command", "human", "replay")
SCRIPTED_AGENTS = (
    AgentKind(
        name="oracle",
        make=make_oracle,
        about="runs the task's hidden solution",
        submits_only=lambda task: not has_program(task),
    ),
    AgentKind(
        name="baseline",
        make=make_baseline,
        about="submits the task's baseline",
        submits_only=lambda _: True,
    ),
    AgentKind(name="nop", make=lambda _: Nop(), about="does nothing", submits_only=lambda _: True),
    AgentKind(
        name="command",
        make=CommandAgent,
        argument="PROGRAM",
        check=find_program,
        about="runs a program of yours in the sandbox",
    ),
)
HUMAN = AgentKind(
    name="human",
    make=lambda _: Human(),
    check=lambda *_: check_terminal(),
    about="asks you, at the terminal",
)


def builtin_agents(settings: Settings) -> tuple[AgentKind, ...]:
    """Return them.

    Raises:
        SettingsError: The user's file with settings of agents is wrong.
    """
    check_names(read_configuration(settings.agent_config))
    return (*SCRIPTED_AGENTS, HUMAN, *_client_agents(settings), *react_agents(settings))


def check_names(configuration: Configuration) -> None:
    """Find out whether a file has settings for built-in agents that would not heed them.

    Raises:
        SettingsError: It has.
    """
    for name, values in configuration.agents.items():
        known = {"model"} if name in _PROGRAMS else set()
        unheeded = sorted(set(values) - known)
        if (name in _PROGRAMS or name in _WITHOUT_SETTINGS) and unheeded:
            takes = "no setting but model" if known else "no settings"
            raise SettingsError(
                f"--ibench-agent-config: agents.{name}: {name} takes {takes}, not {', '.join(unheeded)}",
                remedy="leave it out, or give an agent of your own another name",
            )


def _asking(
    make: Callable[[AgentRequest], Agent], values: Mapping[str, Any]
) -> Callable[[AgentRequest], Agent]:
    """Let a vendor's program ask the model of the user's file, where the command line names none."""
    model = str(values.get("model", ""))
    return lambda request: make(replace(request, argument=request.argument or model))


def _client_agents(settings: Settings) -> Iterator[AgentKind]:
    if settings.native_tools:
        yield from _native_agents(settings)
        return
    configuration = read_configuration(settings.agent_config)
    prices = configuration.prices
    codex = partial(Codex, base_url=settings.model_base_url, sandbox=settings.sandbox, prices=prices)
    yield AgentKind(
        name="claude-code",
        make=_asking(
            partial(ClaudeCode, sandbox=settings.sandbox, prices=prices),
            configuration.agents.get("claude-code", {}),
        ),
        argument="[MODEL]",
        check=lambda _, hidden: check_claude_code(hidden, settings.max_cost),
        about="runs Claude Code with our actions as its only tools",
    )
    yield AgentKind(
        name="codex",
        make=_asking(codex, configuration.agents.get("codex", {})),
        argument="[MODEL]",
        check=lambda _, hidden: check_codex(hidden),
        about="runs Codex with our actions as its only tools",
    )


def _native_agents(settings: Settings) -> Iterator[AgentKind]:
    from pytest_innovatorbench.agents.clients.native_agents import (  # noqa: PLC0415 - with it comes a server
        NativeClaudeCode,
        NativeCodex,
        check_native_claude_code,
    )

    configuration = read_configuration(settings.agent_config)
    prices = configuration.prices
    codex = partial(NativeCodex, prices=prices, base_url=settings.model_base_url)
    yield AgentKind(
        name="claude-code",
        make=_asking(partial(NativeClaudeCode, prices=prices), configuration.agents.get("claude-code", {})),
        argument="[MODEL]",
        check=lambda _, hidden: check_native_claude_code(hidden),
        about="runs Claude Code with its own tools, in the sandbox",
    )
    yield AgentKind(
        name="codex",
        make=_asking(codex, configuration.agents.get("codex", {})),
        argument="[MODEL]",
        check=lambda _, hidden: check_codex(hidden),
        about="runs Codex with its own tools, in the sandbox",
    )
