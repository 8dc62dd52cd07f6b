"""The harness's end of an MCP server: one attempt's actions, behind a socket of its own."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from typing import TYPE_CHECKING, Any

from pytest_innovatorbench.agents.clients.mcp_server import serve_caller
from pytest_innovatorbench.agents.react.rendering import offered, render
from pytest_innovatorbench.errors import MachineFaultError
from pytest_innovatorbench.researchgym.model import Action, AttemptOverError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pytest_innovatorbench.agents.models.values import Tool
    from pytest_innovatorbench.researchgym.gym import ResearchGym

OVER = "The attempt is over. Nothing more is carried out."
_MOST_CALLERS = 16
_SHOWN = 20_000
_NAMED = 100


class Desk:
    """What clients may ask of one attempt.

    Args:
        gym: The environment.
        chosen: Names of the actions to offer, and of no others; all that make sense if empty.

    Attributes:
        is_over: Set when no action is taken any more.
        fault: Why the machine failed, if it did.
    """

    def __init__(self, gym: ResearchGym, chosen: Sequence[str] = ()) -> None:
        self.is_over = threading.Event()
        self.fault: MachineFaultError | None = None
        self._gym = gym
        self._chosen = chosen

    def answer(self, request: dict[str, Any]) -> Any:  # noqa: ANN401 - plain JSON values
        """Answer ``{"do": "tools"}``, or ``{"do": "call", "name": ..., "arguments": {...}}``."""
        if request.get("do") == "tools":
            return [
                {"name": tool.name, "meaning": tool.meaning, "schema": dict(tool.schema)}
                for tool in self._tools()
            ]
        return self._call(str(request.get("name")), dict(request.get("arguments") or {}))

    def _tools(self) -> tuple[Tool, ...]:
        gym = self._gym
        return offered(gym.task, self._chosen, hints=gym.hints_allowed, actions=gym.actions)

    def _call(self, name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        if self._chosen and name not in self._chosen:
            known = ", ".join(self._chosen)
            text = f"there is no action {name[:_NAMED]!r} here; known: {known}"
            return {"text": text, "is_error": True, "images": []}
        try:
            observation = self._gym.act(Action(name=name, arguments=arguments))
        except AttemptOverError:
            return self._end(OVER)
        except MachineFaultError as error:
            self.fault = error
            return self._end(f"The computer failed. {OVER}")
        said = [f"<real_user>{text}</real_user>" for text in self._gym.hear()]
        result = render("", observation, _SHOWN, "\n".join(said))
        if observation.done:
            self.is_over.set()
        images = [{"media_type": image.media_type, "base64": image.base64} for image in result.images]
        return {"text": result.text, "is_error": result.is_error, "images": images}

    def _end(self, text: str) -> dict[str, Any]:
        self.is_over.set()
        return {"text": text, "is_error": True, "images": []}


class Gate:
    """Serves a desk by MCP on a unix socket that only this user can open.

    Args:
        path: Where the socket is made; who sees it can call the actions.
        desk: What is asked.
    """

    def __init__(self, path: Path, desk: Desk) -> None:
        self._path = path
        self._desk = desk
        self._listener = socket.socket(socket.AF_UNIX)
        self._turn = threading.Semaphore(_MOST_CALLERS)
        self._callers: set[socket.socket] = set()

    def open(self) -> None:
        """Listen and answer, each caller in a thread of its own."""
        bind_at(self._listener, self._path)
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True, name="ibench-gate").start()

    def close(self) -> None:
        """Stop listening, and let go of whoever called."""
        for link in (self._listener, *tuple(self._callers)):
            with contextlib.suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            self._turn.acquire()
            try:
                caller, _ = self._listener.accept()
            except OSError:
                return
            self._callers.add(caller)
            threading.Thread(target=self._serve, args=(caller,), daemon=True, name="ibench-gate-call").start()

    def _serve(self, caller: socket.socket) -> None:
        try:
            with caller, contextlib.suppress(OSError, ValueError):
                serve_caller(self._desk.answer, caller)
        except BaseExceptionGroup as errors:
            # Whoever calls may hang up in the middle of an answer.
            _, others = errors.split((OSError, ValueError))
            if others is not None:
                raise others from None
        finally:
            self._callers.discard(caller)
            self._turn.release()


def bind_at(listener: socket.socket, path: Path) -> None:
    """Bind a socket to a path that may be longer than the 107 bytes that the kernel takes."""
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        listener.bind(f"/proc/self/fd/{folder}/{path.name}")
    finally:
        os.close(folder)
    path.chmod(0o600)
