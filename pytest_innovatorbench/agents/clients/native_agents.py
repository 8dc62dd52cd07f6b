"""Claude Code and Codex with their own tools, in the sandbox of their attempt."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from pytest_innovatorbench.agents.clients.claude_code import CHOICES, ELSEWHERE, SETTINGS, check_claude_code
from pytest_innovatorbench.agents.clients.codex import KEY, check_codex, settings_text
from pytest_innovatorbench.agents.clients.mcp_server import NAME
from pytest_innovatorbench.agents.clients.native import ENDPOINT, NativeProgram
from pytest_innovatorbench.agents.clients.program import briefing
from pytest_innovatorbench.agents.clients.upstream import find_anthropic, find_openai
from pytest_innovatorbench.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from pytest_innovatorbench.agents.base import AgentRequest
    from pytest_innovatorbench.agents.clients.installation import Installation
    from pytest_innovatorbench.agents.models.prices import Price
    from pytest_innovatorbench.researchgym.gym import ResearchGym


class NativeClaudeCode:
    """Runs ``claude`` in the sandbox.

    Args:
        request: What it is made for; the argument is the model.
        prices: The user's own.

    Raises:
        SettingsError: It cannot be run.
    """

    def __init__(self, request: AgentRequest, prices: Mapping[str, Price]) -> None:
        self._program = NativeProgram(request, check_native_claude_code(request.hidden))
        self._model = request.argument
        self._prices = prices
        self.binds = self._program.binds

    def run(self, gym: ResearchGym) -> None:
        """Run it to its end."""
        program = self._program
        patience = str(int(1000 * (gym.remaining_seconds() + 60)))
        environment = {
            **{name: value for name, value in os.environ.items() if name.startswith(CHOICES)},
            **SETTINGS,
            "ANTHROPIC_BASE_URL": ENDPOINT,
            "ANTHROPIC_API_KEY": program.word,
            "MCP_TOOL_TIMEOUT": patience,
            "BASH_MAX_TIMEOUT_MS": patience,
        }
        servers = json.dumps({"mcpServers": {NAME: {"type": "stdio", **program.server(gym)}}})
        program.plan(self._words(servers), environment, {}, briefing(gym, native=True))
        program.run(gym, find_anthropic(), self._prices)

    def _words(self, servers: str) -> list[str]:
        return [
            "--print",
            "--output-format",
            "stream-json",
            "--verbose",
            *(["--model", self._model] if self._model else []),
            "--strict-mcp-config",
            "--mcp-config",
            servers,
            "--dangerously-skip-permissions",
            "--disallowedTools",
            "WebSearch,WebFetch",
            "--setting-sources",
            "",
        ]


class NativeCodex:
    """Runs ``codex`` in the sandbox.

    Args:
        request: What it is made for; the argument is the model.
        prices: The user's own.
        base_url: Where its model is served, in place of OpenAI's own address.

    Raises:
        SettingsError: It cannot be run.
    """

    def __init__(
        self, request: AgentRequest, prices: Mapping[str, Price], base_url: str | None = None
    ) -> None:
        self._program = NativeProgram(request, check_codex(request.hidden))
        self._model = request.argument
        self._prices = prices
        self._base_url = base_url
        self.binds = self._program.binds

    def run(self, gym: ResearchGym) -> None:
        """Run it to its end."""
        program = self._program
        seconds = gym.remaining_seconds() + 60
        settings = settings_text(self._model, ENDPOINT, program.server(gym), seconds, native=True)
        words = ["exec", "--json", "--skip-git-repo-check", "--color", "never", "-"]
        program.plan(words, {KEY: program.word}, {".codex/config.toml": settings}, briefing(gym, native=True))
        program.run(gym, find_openai(self._base_url), self._prices)


def check_native_claude_code(hidden: Iterable[Path]) -> Installation:
    """Find out whether it can be run in the sandbox, and return where it is.

    Raises:
        SettingsError: The program or the package for MCP is missing, or it asks its model by other ways than
            Anthropic's API with a key.
    """
    for name in ELSEWHERE:
        if os.environ.get(name):
            raise SettingsError(
                f"--ibench-native-tools: Claude Code asks Anthropic's API there, and {name} is set",
                remedy=f"unset {name}, or leave out the option",
            )
    if not find_anthropic().key:
        raise SettingsError(
            "--ibench-native-tools: Claude Code needs a key there, and ANTHROPIC_API_KEY is not set",
            remedy="export ANTHROPIC_API_KEY=...",
        )
    return check_claude_code(hidden)
