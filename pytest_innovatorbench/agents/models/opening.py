"""From a profile to a model that can be asked."""

from __future__ import annotations

import importlib
import os
import threading
from functools import cache
from typing import TYPE_CHECKING, Any

from pytest_innovatorbench.agents.models.secrets import name_key
from pytest_innovatorbench.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from pytest_innovatorbench.agents.models.base import Model
    from pytest_innovatorbench.agents.models.profile import Profile

_CREDENTIALS = {
    "anthropic": ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"),
    "openai": ("OPENAI_API_KEY",),
}
_opening = threading.Lock()


def check_model(profile: Profile) -> None:
    """Find out, without asking it, whether a model can be asked.

    Raises:
        SettingsError: Its SDK is not installed, or there is no key.
    """
    _sdk(profile.provider)
    if profile.key:
        name_key(profile.key)
    names = (profile.key,) if profile.key else _CREDENTIALS[profile.provider]
    if not any(os.environ.get(name) for name in names):
        raise SettingsError(
            f"{profile.model} needs a key, and {' or '.join(names)} is not set",
            remedy=f"export {names[0]}=..., any value for a server that wants none",
        )


def open_model(profile: Profile) -> Model:
    """Return the model of a profile. Models of one server share their connections.

    Raises:
        SettingsError: See `check_model`.
    """
    check_model(profile)
    with _opening:
        client = _client(profile.provider, profile.base_url, profile.key, profile.timeout)
    if profile.provider == "anthropic":
        from pytest_innovatorbench.agents.models.anthropic_model import AnthropicModel  # noqa: PLC0415

        return AnthropicModel(client, profile)
    from pytest_innovatorbench.agents.models.openai_model import OpenAIModel  # noqa: PLC0415

    return OpenAIModel(client, profile)


@cache
def _client(provider: str, base_url: str | None, key: str, timeout: float) -> Any:  # noqa: ANN401 - of either SDK
    make: Callable[..., Any] = getattr(
        _sdk(provider), {"anthropic": "Anthropic", "openai": "OpenAI"}[provider]
    )
    given = {"api_key": os.environ[key]} if key else {}
    # Retries are the agent's, which has a clock to stop meanwhile.
    return make(base_url=base_url, timeout=timeout, max_retries=0, **given)


def _sdk(provider: str) -> ModuleType:
    try:
        return importlib.import_module(provider)
    except ImportError as error:
        raise SettingsError(
            f"models of {provider} need the package {provider} ({error})",
            remedy=f"pip install 'pytest-innovatorbench[{provider}]'",
        ) from error
