"""OpenAI's Codex, with its own tools off and ResearchGym's in their place."""

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
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from pytest_innovatorbench.agents.base import AgentRequest
    from pytest_innovatorbench.agents.models.prices import Price
    from pytest_innovatorbench.researchgym.gym import ResearchGym
    from pytest_innovatorbench.sandbox.model import Bind

PROGRAM = "codex"
KEY = "OPENAI_API_KEY"
# What reaches beyond the machine that it runs on.
_OUTSIDE = (
    "apps",
    "browser_use",
    "browser_use_external",
    "computer_use",
    "image_generation",
    "in_app_browser",
    "plugins",
    "skill_search",
    "tool_suggest",
)
# All by which the model could do more than call our actions, or the program more than ask its model. Its host
# of JavaScript stays on: some models are offered our actions through that alone.
_OFF = (
    *_OUTSIDE,
    "goals",
    "hooks",
    "shell_snapshot",
    "shell_tool",
    "sleep_tool",
    "unified_exec",
    "view_image",
)


class Codex:
    """Runs ``codex`` beside the harness; all it can do is to call the actions of its attempt.

    Args:
        request: What it is made for; the argument is the model.
        base_url: Where its model is served, in place of OpenAI's own address.
        sandbox: Name of what confines it.
        prices: The user's own.

    Raises:
        SettingsError: It is not installed.
    """

    def __init__(
        self,
        request: AgentRequest,
        base_url: str | None = None,
        sandbox: str = "bubblewrap",
        prices: Mapping[str, Price] = MappingProxyType({}),
    ) -> None:
        self._installation = check_codex(request.hidden)
        self._sandbox = open_sandbox(sandbox)
        self._request = request
        self._base_url = base_url
        self._prices = prices

    @property
    def binds(self) -> tuple[Bind, ...]:
        """Nothing of it is in the sandbox."""
        return ()

    def run(self, gym: ResearchGym) -> None:
        """Run it to its end."""
        from pytest_innovatorbench.agents.clients.gateway import Gateway  # noqa: PLC0415 - with it comes a server
        from pytest_innovatorbench.agents.clients.upstream import find_openai  # noqa: PLC0415 - as above

        program = ClientProgram(gym, self._request, self._installation, self._sandbox)
        # An action may take as long as the attempt.
        seconds = gym.remaining_seconds() + 60
        gateway = Gateway(None, find_openai(self._base_url), gym, self._prices)
        text = settings_text(self._request.argument, gateway.url, program.server(), seconds)
        (program.home / "config.toml").write_text(text, "utf-8")
        environment = {**beside_proxies(), "CODEX_HOME": program.inside("."), KEY: gateway.word}
        words = ["exec", "--json", "--skip-git-repo-check", "--color", "never", "-"]
        heard = partial(_heard, gym)
        program.run(words, environment, heard, prompt=briefing(gym), gateway=gateway)


def _heard(gym: ResearchGym, event: dict[str, Any]) -> None:
    """Write down what the program says; what its answers took is counted on their way."""
    gym.note("client", event=event)


def settings_text(
    model: str, base_url: str, server: Mapping[str, Any], seconds: float, *, native: bool = False
) -> str:
    """Return a configuration of Codex.

    Args:
        model: What to ask for, or ``""`` for its own choice.
        base_url: Where that is served.
        server: How the server of our actions is started.
        seconds: How long an action may take.
        native: Whether it works with its own tools.
    """
    return "\n".join((*_head(model, base_url, native=native), *_tail(server, seconds, native=native), ""))


def _head(model: str, base_url: str, *, native: bool) -> Iterator[str]:
    if model:
        yield f"model = {_toml(model)}"
    yield 'approval_policy = "never"'
    # The sandbox that it is in confines it; one of its own cannot be made there.
    yield f'sandbox_mode = "{"danger-full-access" if native else "read-only"}"'
    yield 'web_search = "disabled"'
    yield 'model_provider = "given"'
    yield "[model_providers.given]"
    yield 'name = "given"'
    yield f"base_url = {_toml(base_url)}"
    yield f'env_key = "{KEY}"'
    yield 'wire_api = "responses"'


def _tail(server: Mapping[str, Any], seconds: float, *, native: bool) -> Iterator[str]:
    yield f"[mcp_servers.{NAME}]"
    yield f"command = {_toml(server['command'])}"
    yield f"args = [{', '.join(map(_toml, server['args']))}]"
    yield 'default_tools_approval_mode = "approve"'
    yield "required = true"  # or it would begin before our actions are there
    yield "startup_timeout_sec = 60"
    yield f"tool_timeout_sec = {int(seconds)}"
    if not native:
        yield "[agents]"
        yield "enabled = false"
    yield "[features]"
    yield from (f"{name} = false" for name in (_OUTSIDE if native else _OFF))


def check_codex(hidden: Iterable[Path]) -> Installation:
    """Find out whether it can be run, and return where it is.

    Raises:
        SettingsError: The program, the package for MCP or the key is missing, or the program lies in a hidden
            folder.
    """
    check_package()
    found = find_installation(PROGRAM, hidden)
    if found is None:
        raise SettingsError(
            "Codex is not installed: there is no program 'codex'", remedy="npm install -g @openai/codex"
        )
    if not os.environ.get(KEY):
        raise SettingsError(f"Codex needs a key, and {KEY} is not set", remedy=f"export {KEY}=...")
    return found


def _toml(text: str) -> str:
    return json.dumps(text)  # a basic string of TOML is one of JSON
