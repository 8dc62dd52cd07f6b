"""The harness's end of ``ibench-tool``: a socket that one attempt's sandbox can reach."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
from typing import TYPE_CHECKING, Any

from pytest_innovatorbench.errors import MachineFaultError
from pytest_innovatorbench.researchgym.model import Action, AttemptOverError

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_innovatorbench.researchgym.gym import ResearchGym

_ACTIONS = {"eval", "view_hint", "finish"}
_MAX_REQUEST = 4096
_MAX_CALLERS = 8
_REQUEST_SECONDS = 10.0


class ToolServer:
    """Answers requests from inside the sandbox; whatever comes in is hostile.

    Args:
        path: Where the socket is made, in a folder that the sandbox sees.
        gym: The environment of the attempt.
    """

    def __init__(self, path: Path, gym: ResearchGym) -> None:
        self._path = path
        self._gym = gym
        self._listener = socket.socket(socket.AF_UNIX)
        self._callers = threading.Semaphore(_MAX_CALLERS)

    def start(self) -> None:
        """Listen and answer in threads of its own."""
        # A socket's path may have 107 bytes, which the folder of a run can exceed; this one is short.
        folder = os.open(self._path.parent, os.O_PATH | os.O_DIRECTORY)
        try:
            self._listener.bind(f"/proc/self/fd/{folder}/{self._path.name}")
        finally:
            os.close(folder)
        self._path.chmod(0o600)
        self._listener.listen(_MAX_CALLERS)
        threading.Thread(target=self._accept, daemon=True, name="ibench-tool-server").start()

    def close(self) -> None:
        """Stop listening."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            # Taken before accepting, so that a flood of callers waits in the kernel's short queue.
            self._callers.acquire()
            try:
                caller, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(caller,), daemon=True, name="ibench-tool").start()

    def _serve(self, caller: socket.socket) -> None:
        with self._release(), caller, contextlib.suppress(OSError, AttemptOverError, MachineFaultError):
            caller.settimeout(_REQUEST_SECONDS)
            answer = self._answer(_read_line(caller))
            caller.sendall(json.dumps(answer).encode() + b"\n")

    @contextlib.contextmanager
    def _release(self) -> Any:  # noqa: ANN401 - a context manager without a value
        try:
            yield
        finally:
            self._callers.release()

    def _answer(self, request: bytes) -> dict[str, Any]:
        try:
            name = json.loads(request)["action"]
        except (ValueError, KeyError, TypeError, RecursionError):
            name = None
        if name == "status":
            return _status(self._gym)
        if not isinstance(name, str) or name not in _ACTIONS:
            return {"success": False, "message": "ask for eval, view_hint, status or finish"}
        return self._gym.act(Action(name=name)).to_dict()


def _read_line(caller: socket.socket) -> bytes:
    data = b""
    while b"\n" not in data and len(data) < _MAX_REQUEST:
        part = caller.recv(_MAX_REQUEST)
        if not part:
            break
        data += part
    return data


def _status(gym: ResearchGym) -> dict[str, Any]:
    left = gym.budget()
    text = (
        f"{left['seconds_left']:g} s, {left['evals_left']} evaluations and {left['steps_left']} actions left"
    )
    return {"success": True, "message": text, **left}
