"""Anthropic's Claude Code, with its own tools off and ResearchGym's in their place."""

from __future__ import annotations

import json
import os
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from pytest_innovatorbench.agents.clients.installation import Installation, find_installation
from pytest_innovatorbench.agents.clients.mcp_server import NAME, check_package
from pytest_innovatorbench.agents.clients.program import ClientProgram, beside_proxies, briefing
from pytest_innovatorbench.errors import SettingsError
from pytest_innovatorbench.sandbox import open_sandbox

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from pytest_innovatorbench.agents.base import AgentRequest
    from pytest_innovatorbench.agents.clients.upstream import Upstream
    from pytest_innovatorbench.agents.models.prices import Price
    from pytest_innovatorbench.researchgym.gym import ResearchGym
    from pytest_innovatorbench.sandbox.model import Bind

PROGRAM = "claude"
_SERVERS = "servers.json"
SETTINGS = {
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "DISABLE_AUTOUPDATER": "1",
    "DISABLE_TELEMETRY": "1",
    "IS_SANDBOX": "1",
    "MCP_TIMEOUT": "60000",  # milliseconds
}
# Which models it asks, and no key.
CHOICES = ("ANTHROPIC_MODEL", "ANTHROPIC_SMALL_FAST_MODEL", "ANTHROPIC_DEFAULT_")
ELSEWHERE = ("CLAUDE_CODE_USE_BEDROCK", "CLAUDE_CODE_USE_VERTEX", "CLAUDE_CODE_USE_FOUNDRY")
_VARIABLES = ("ANTHROPIC_", "CLAUDE_CODE_USE_", "AWS_", "CLOUD_ML_REGION", "GOOGLE_", "VERTEX_")


class ClaudeCode:
    """Runs ``claude`` beside the harness; all it can do is to call the actions of its attempt.

    Args:
        request: What it is made for; the argument is the model.
        sandbox: Name of what confines it.
        prices: The user's own.

    Raises:
        SettingsError: It is not installed.
    """

    def __init__(
        self,
        request: AgentRequest,
        sandbox: str = "bubblewrap",
        prices: Mapping[str, Price] = MappingProxyType({}),
    ) -> None:
        self._installation = check_claude_code(request.hidden)
        self._sandbox = open_sandbox(sandbox)
        self._request = request
        self._prices = prices

    @property
    def binds(self) -> tuple[Bind, ...]:
        """Nothing of it is in the sandbox."""
        return ()

    def run(self, gym: ResearchGym) -> None:
        """Run it to its end."""
        program = ClientProgram(gym, self._request, self._installation, self._sandbox)
        server = {"mcpServers": {NAME: {"type": "stdio", **program.server()}}}
        (program.home / _SERVERS).write_text(json.dumps(server), "utf-8")
        # An action may take as long as the attempt.
        patience = {"MCP_TOOL_TIMEOUT": str(int(1000 * (gym.remaining_seconds() + 60)))}
        words = self._words(program.inside(_SERVERS))
        upstream = counted_upstream()
        if upstream is None:
            environment = {**_own_variables(), **SETTINGS, **patience}
            program.run(words, environment, _Listener(gym), prompt=briefing(gym))
            return
        from pytest_innovatorbench.agents.clients.gateway import Gateway  # noqa: PLC0415 - with it comes a server

        gateway = Gateway(None, upstream, gym, self._prices)
        asked = {"ANTHROPIC_BASE_URL": gateway.url, "ANTHROPIC_API_KEY": gateway.word, **beside_proxies()}
        environment = {**_choices(), **SETTINGS, **patience, **asked}
        heard = partial(_heard, gym)
        program.run(words, environment, heard, prompt=briefing(gym), gateway=gateway)

    def _words(self, servers: str) -> list[str]:
        model = ["--model", self._request.argument] if self._request.argument else []
        return [
            "--print",
            "--output-format",
            "stream-json",
            "--verbose",
            *model,
            "--tools",
            "",
            "--strict-mcp-config",
            "--mcp-config",
            servers,
            "--allowedTools",
            f"mcp__{NAME}",
            "--setting-sources",
            "",
        ]


def counted_upstream() -> Upstream | None:
    """Return where its model is asked and counted on the way; ``None`` where it asks by itself."""
    from pytest_innovatorbench.agents.clients.upstream import find_anthropic  # noqa: PLC0415 - not for import

    found = find_anthropic()
    return None if not found.key or any(os.environ.get(name) for name in ELSEWHERE) else found


def _heard(gym: ResearchGym, event: dict[str, Any]) -> None:
    """Write down what the program says; what its answers took is counted on their way."""
    gym.note("client", event=event)


class _Listener:
    """Writes down what the program says, and what it took, where that cannot be seen otherwise."""

    def __init__(self, gym: ResearchGym) -> None:
        self._gym = gym
        self._seen: set[str] = set()

    def __call__(self, event: dict[str, Any]) -> None:
        self._gym.note("client", event=event)
        message = event.get("message")
        if event.get("type") == "result":
            # The price of everything, which no single answer tells.
            self._gym.note("model_answered", **_usage({}, {}) | {"cost": event.get("total_cost_usd")})
        if event.get("type") != "assistant" or not isinstance(message, dict):
            return
        # It prints a message once for each of its parts, with the same usage.
        usage, name = message.get("usage"), str(message.get("id"))
        if isinstance(usage, dict) and name not in self._seen:
            self._seen.add(name)
            self._gym.note("model_answered", **_usage(usage, message))


def check_claude_code(hidden: Iterable[Path], max_cost: float | None = None) -> Installation:
    """Find out whether it can be run, and return where it is.

    Args:
        hidden: Folders that it must not lie in.
        max_cost: US dollars that it may cost, if limited.

    Raises:
        SettingsError: The program or the package for MCP is missing, the program lies in a hidden folder, or
            its cost is limited and would be known only at its end.
    """
    check_package()
    if max_cost is not None and counted_upstream() is None:
        raise SettingsError(
            "--ibench-max-cost: without a key of Anthropic's API, Claude Code tells its cost only at its end",
            remedy="export ANTHROPIC_API_KEY=..., unset CLAUDE_CODE_USE_*, or limit --ibench-max-tokens",
        )
    found = find_installation(PROGRAM, hidden)
    if found is None:
        raise SettingsError(
            "Claude Code is not installed: there is no program 'claude'",
            remedy="npm install -g @anthropic-ai/claude-code",
        )
    return found


def _choices() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.startswith(CHOICES)}


def _own_variables() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.startswith(_VARIABLES)}


def _usage(usage: dict[str, Any], message: dict[str, Any]) -> dict[str, Any]:
    return {
        "model": message.get("model"),
        "stop": message.get("stop_reason"),
        "seconds": None,
        "cost": None,
        "input": int(usage.get("input_tokens") or 0),
        "output": int(usage.get("output_tokens") or 0),
        "cache_read": int(usage.get("cache_read_input_tokens") or 0),
        "cache_write": int(usage.get("cache_creation_input_tokens") or 0),
    }
