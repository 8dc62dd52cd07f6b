"""OpenAI's Codex, with its own tools off and ResearchGym's in their place."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from pytest_innovatorbench.agents.clients.installation import Installation, find_installation
from pytest_innovatorbench.agents.clients.mcp_server import NAME, check_package
from pytest_innovatorbench.agents.clients.program import ClientProgram, briefing
from pytest_innovatorbench.errors import SettingsError
from pytest_innovatorbench.sandbox import open_sandbox

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from pytest_innovatorbench.agents.base import AgentRequest
    from pytest_innovatorbench.researchgym.gym import ResearchGym
    from pytest_innovatorbench.sandbox.model import Bind

PROGRAM = "codex"
_KEY = "OPENAI_API_KEY"
# All by which the model could do more than call our actions, or the program more than ask its model.
_OFF = (
    "apps",
    "browser_use",
    "browser_use_external",
    "code_mode_host",
    "computer_use",
    "goals",
    "hooks",
    "image_generation",
    "in_app_browser",
    "plugins",
    "shell_snapshot",
    "shell_tool",
    "skill_search",
    "sleep_tool",
    "tool_suggest",
    "unified_exec",
    "view_image",
)


class Codex:
    """Runs ``codex`` beside the harness; all it can do is to call the actions of its attempt.

    Args:
        request: What it is made for; the argument is the model.
        base_url: Where its model is served, in place of OpenAI's own address.
        sandbox: Name of what confines it.

    Raises:
        SettingsError: It is not installed.
    """

    def __init__(
        self, request: AgentRequest, base_url: str | None = None, sandbox: str = "bubblewrap"
    ) -> None:
        self._installation = check_codex(request.hidden)
        self._sandbox = open_sandbox(sandbox)
        self._request = request
        self._base_url = base_url or os.environ.get("OPENAI_BASE_URL")

    @property
    def binds(self) -> tuple[Bind, ...]:
        """Nothing of it is in the sandbox."""
        return ()

    def run(self, gym: ResearchGym) -> None:
        """Run it to its end."""
        program = ClientProgram(gym, self._request, self._installation, self._sandbox)
        text = "\n".join(self._settings(program.server(), gym.remaining_seconds() + 60))
        (program.home / "config.toml").write_text(f"{text}\n", "utf-8")
        environment = {"CODEX_HOME": program.inside("."), _KEY: os.environ.get(_KEY, "")}
        words = ["exec", "--json", "--skip-git-repo-check", "--color", "never", "-"]
        program.run(words, environment, _Listener(gym), prompt=briefing(gym))

    def _settings(self, server: Mapping[str, Any], seconds: float) -> Iterator[str]:
        if self._request.argument:
            yield f"model = {_toml(self._request.argument)}"
        yield 'approval_policy = "never"'
        yield 'sandbox_mode = "read-only"'
        yield 'web_search = "disabled"'
        if self._base_url:
            yield 'model_provider = "given"'
            yield "[model_providers.given]"
            yield 'name = "given"'
            yield f"base_url = {_toml(self._base_url)}"
            yield f'env_key = "{_KEY}"'
            yield 'wire_api = "responses"'
        yield f"[mcp_servers.{NAME}]"
        yield f"command = {_toml(server['command'])}"
        yield f"args = [{', '.join(map(_toml, server['args']))}]"
        yield 'default_tools_approval_mode = "approve"'
        yield "required = true"  # or it would begin before our actions are there
        yield "startup_timeout_sec = 60"
        # An action may take as long as the attempt.
        yield f"tool_timeout_sec = {int(seconds)}"
        yield "[agents]"
        yield "enabled = false"
        yield "[features]"
        yield from (f"{name} = false" for name in _OFF)


class _Listener:
    """Writes down what the program says, and what it took."""

    def __init__(self, gym: ResearchGym) -> None:
        self._gym = gym

    def __call__(self, event: dict[str, Any]) -> None:
        self._gym.note("client", event=event)
        usage = event.get("usage")
        if event.get("type") != "turn.completed" or not isinstance(usage, dict):
            return
        cached = int(usage.get("cached_input_tokens") or 0)
        self._gym.note(
            "model_answered",
            model=None,
            stop=None,
            seconds=None,
            cost=None,
            input=int(usage.get("input_tokens") or 0) - cached,
            output=int(usage.get("output_tokens") or 0),
            cache_read=cached,
            cache_write=0,
        )


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
    if not os.environ.get(_KEY):
        raise SettingsError(f"Codex needs a key, and {_KEY} is not set", remedy=f"export {_KEY}=...")
    return found


def _toml(text: str) -> str:
    return json.dumps(text)  # a basic string of TOML is one of JSON
