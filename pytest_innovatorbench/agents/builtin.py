"""The agents that come with the package, offered through the hook like any other plug-in's."""

from __future__ import annotations

from pytest_innovatorbench.agents.base import AgentKind
from pytest_innovatorbench.agents.command import CommandAgent, find_program
from pytest_innovatorbench.agents.scripted import Nop, make_baseline, make_oracle

BUILTIN_AGENTS = (
    AgentKind(name="oracle", make=make_oracle, about="runs the task's hidden solution"),
    AgentKind(name="baseline", make=make_baseline, about="submits the task's baseline"),
    AgentKind(name="nop", make=lambda _: Nop(), about="does nothing"),
    AgentKind(
        name="command",
        make=CommandAgent,
        argument="PROGRAM",
        check=find_program,
        about="runs a program of yours in the sandbox",
    ),
)
