"""Where a model is served, and how it is asked for somebody who has no key."""

from __future__ import annotations

import os
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from email.message import Message

_ANTHROPIC = "https://api.anthropic.com"
_OPENAI = "https://api.openai.com/v1"
_MESSAGES = frozenset(
    {("POST", "/v1/messages"), ("POST", "/v1/messages/count_tokens"), ("GET", "/v1/models")}
)
_RESPONSES = frozenset({("POST", "/responses"), ("GET", "/models")})
_PATIENCE = 600.0  # seconds without a byte of an answer
_PASSED_ON = ("accept", "content-type", "user-agent", "originator", "session-id", "thread-id", "openai-beta")
_PASSED_ON_KINDS = ("anthropic-", "x-app", "x-claude-", "x-client-", "x-codex-", "x-openai-internal-codex-")
_PASSED_BACK = ("content-type", "retry-after", "request-id", "x-request-id", "x-should-retry")
_PASSED_BACK_KINDS = ("anthropic-ratelimit-", "x-ratelimit-", "x-codex-")


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstream:
    """Where a model is served.

    Attributes:
        base_url: Its address, without a slash at the end.
        key: Headers by which its users are known.
        paths: What may be asked for: methods and paths behind the address.
    """

    base_url: str
    key: Mapping[str, str]
    paths: frozenset[tuple[str, str]]

    def ask(self, method: str, path: str, headers: Message, body: bytes) -> Any:  # noqa: ANN401 - urllib has no type for it
        """Send a request and return the answer, whatever its status, before it is read.

        Args:
            method: ``GET`` or ``POST``.
            path: What stands behind the address.
            headers: Those of whoever asks, of which a few are passed on.
            body: What is posted.

        Raises:
            OSError: The server cannot be reached.
        """
        request = urllib.request.Request(  # noqa: S310 - the address is the user's
            f"{self.base_url}{path}",
            data=body if method == "POST" else None,
            headers={
                **_some(headers, _PASSED_ON, _PASSED_ON_KINDS),
                **self.key,
                "accept-encoding": "identity",  # so that it can be read on its way
            },
            method=method,
        )
        try:
            return urllib.request.build_opener(_NoRedirects).open(request, timeout=_PATIENCE)
        except urllib.error.HTTPError as error:
            return error  # an answer like any other


def find_anthropic() -> Upstream:
    """Return where Anthropic's models are served, by the environment; without a key if there is none."""
    key, token = os.environ.get("ANTHROPIC_API_KEY"), os.environ.get("ANTHROPIC_AUTH_TOKEN")
    shown = {"x-api-key": key} if key else {"authorization": f"Bearer {token}"} if token else {}
    if shown:
        lines = os.environ.get("ANTHROPIC_CUSTOM_HEADERS", "").splitlines()
        pairs = [line.partition(":") for line in lines if ":" in line]
        shown |= {name.strip(): value.strip() for name, _, value in pairs}
    base_url = os.environ.get("ANTHROPIC_BASE_URL") or _ANTHROPIC
    return Upstream(base_url=base_url.rstrip("/"), key=shown, paths=_MESSAGES)


def find_openai(base_url: str | None) -> Upstream:
    """Return where OpenAI's models are served.

    Args:
        base_url: An address in place of that of the environment.
    """
    found = base_url or os.environ.get("OPENAI_BASE_URL") or _OPENAI
    key = {"authorization": f"Bearer {os.environ.get('OPENAI_API_KEY', '')}"}
    return Upstream(base_url=found.rstrip("/"), key=key, paths=_RESPONSES)


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Follows nothing: the key is for one server."""

    def redirect_request(self, *_: object) -> None:
        """Leave the answer as it is."""


def passed_back(headers: Message) -> dict[str, str]:
    """Return those headers of an answer that whoever asked may have."""
    return _some(headers, _PASSED_BACK, _PASSED_BACK_KINDS)


def _some(headers: Message, names: tuple[str, ...], kinds: tuple[str, ...]) -> dict[str, str]:
    return {
        name: value
        for name, value in headers.items()
        if name.lower() in names or name.lower().startswith(kinds)
    }
