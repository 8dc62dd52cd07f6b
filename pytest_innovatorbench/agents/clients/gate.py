"""The harness's end of an MCP server: one attempt's actions, behind a socket of its own."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
from typing import TYPE_CHECKING, Any

from pytest_innovatorbench.agents.react.rendering import offered, render
from pytest_innovatorbench.errors import MachineFaultError
from pytest_innovatorbench.researchgym.model import Action, AttemptOverError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from pytest_innovatorbench.agents.models.values import Tool
    from pytest_innovatorbench.researchgym.gym import ResearchGym

OVER = "The attempt is over. Nothing more is carried out."
_LONGEST = 64 << 20
_SHOWN = 20_000


class Desk:
    """What clients may ask of one attempt.

    Args:
        gym: The environment.
        chosen: Names of the actions to offer; all that make sense if empty.

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
    """Answers on a unix socket that only this user can open; a line of JSON each way.

    Args:
        path: Where the socket is made, in a private folder that no sandbox shows.
        desk: What is asked.
    """

    def __init__(self, path: Path, desk: Desk) -> None:
        self._path = path
        self._desk = desk
        self._listener = socket.socket(socket.AF_UNIX)

    def open(self) -> None:
        """Listen and answer, each caller in a thread of its own."""
        # A socket's path may have 107 bytes, which the folder of a run can exceed; this one is short.
        folder = os.open(self._path.parent, os.O_PATH | os.O_DIRECTORY)
        try:
            self._listener.bind(f"/proc/self/fd/{folder}/{self._path.name}")
        finally:
            os.close(folder)
        self._path.chmod(0o600)
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True, name="ibench-gate").start()

    def close(self) -> None:
        """Stop listening."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                caller, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(caller,), daemon=True, name="ibench-gate-call").start()

    def _serve(self, caller: socket.socket) -> None:
        with caller, caller.makefile("rb") as lines, contextlib.suppress(OSError, ValueError):
            while line := lines.readline(_LONGEST):
                answer = self._desk.answer(json.loads(line))
                caller.sendall(json.dumps(answer).encode() + b"\n")


def knock(path: str) -> Callable[[dict[str, Any]], Any]:
    """Connect to a gate and return what asks it; one question at a time.

    Raises:
        OSError: Nobody listens there.
    """
    folder, _, name = path.rpartition("/")
    where = os.open(folder or ".", os.O_PATH | os.O_DIRECTORY)
    link = socket.socket(socket.AF_UNIX)
    try:
        link.connect(f"/proc/self/fd/{where}/{name}")
    finally:
        os.close(where)
    lines = link.makefile("rb")
    turn = threading.Lock()

    def ask(request: dict[str, Any]) -> Any:  # noqa: ANN401 - plain JSON values
        with turn:
            link.sendall(json.dumps(request).encode() + b"\n")
            line = lines.readline()
        if not line:
            raise ConnectionError("the harness has gone")
        return json.loads(line)

    return ask
