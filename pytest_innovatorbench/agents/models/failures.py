"""What an SDK raises, told apart by what it means for whoever asked. Both SDKs have the same names."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pytest_innovatorbench.agents.models.base import (
    AccessError,
    ContextOverflowError,
    ModelBusyError,
    ModelError,
)
from pytest_innovatorbench.agents.models.secrets import redact
from pytest_innovatorbench.hostile import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

_NO_ACCESS = {401, 402}
_LATER = {408, 409, 425, 429, 529}
_TOO_LONG = re.compile(
    r"(?:prompt|input) is too long|context.{0,20}(?:length|window|limit)|maximum context|too many tokens",
    re.IGNORECASE,
)
_SERVERS_FAULT = 500
_TOO_LARGE = 413
_LONGEST = 300


@contextmanager
def translated(sdk: ModuleType) -> Iterator[None]:
    """Raise our errors in place of an SDK's.

    Raises:
        ModelBusyError: The connection or the server failed, or has no time; the same prompt may be
            answered later.
        ContextOverflowError: The prompt is too long.
        AccessError: The key or the account is refused.
        ModelError: The request will never be answered.
    """
    try:
        yield
    except sdk.APIStatusError as error:
        raise _of_status(error) from error
    except sdk.APIConnectionError as error:
        raise ModelBusyError(f"the model's server is not reached: {_said(error)}") from error
    except sdk.APIError as error:  # told in the middle of a stream, or an answer of another form
        raise _of_text(_said(error)) from error
    except _base(sdk) as error:
        raise ModelError(f"the model cannot be asked: {_said(error)}") from error
    except (ValueError, AttributeError, TypeError, KeyError, IndexError, AssertionError) as error:
        # An answer cut short or mangled surfaces as whatever its parsing stumbled over.
        raise ModelBusyError(
            f"the model's answer is broken: {type(error).__name__}: {_said(error)}"
        ) from error
    except Exception as error:
        # Of the HTTP library, in the middle of a stream.
        raise ModelBusyError(f"the model's answer was cut: {type(error).__name__}: {_said(error)}") from error


def _base(sdk: ModuleType) -> type[Exception]:
    """Return the base of an SDK's errors: what is left of them is about credentials and settings."""
    base: type[Exception] = getattr(
        sdk, {"anthropic": "AnthropicError", "openai": "OpenAIError"}[sdk.__name__]
    )
    return base


def _of_status(error: Any) -> ModelError:  # noqa: ANN401 - of either SDK
    said = f"the model's server answered {error.status_code}: {_said(error)}"
    if error.status_code == _TOO_LARGE or (error.status_code < _SERVERS_FAULT and _TOO_LONG.search(said)):
        return ContextOverflowError(said)
    if error.status_code in _LATER or error.status_code >= _SERVERS_FAULT:
        return ModelBusyError(said, wait=_wait(error.response.headers))
    return AccessError(said) if error.status_code in _NO_ACCESS else ModelError(said)


def _of_text(said: str) -> ModelError:
    if _TOO_LONG.search(said):
        return ContextOverflowError(f"the model's server said: {said}")
    return ModelBusyError(f"the model's server broke off: {said}")


def _wait(headers: Any) -> float | None:  # noqa: ANN401 - of the HTTP library
    for name, unit in (("retry-after-ms", 1e-3), ("retry-after", 1.0)):
        try:
            return max(0.0, float(headers[name]) * unit)
        except (KeyError, ValueError):
            continue
    return None


def _said(error: BaseException) -> str:
    return one_line(redact(str(error)) or type(error).__name__, _LONGEST)
