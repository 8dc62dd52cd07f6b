"""Running the program of an agent's vendor, whose actions come back as calls of tools."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from pytest_innovatorbench.agents.base import AgentFailedError
from pytest_innovatorbench.agents.clients.gate import Desk, Gate
from pytest_innovatorbench.agents.models.secrets import redact
from pytest_innovatorbench.agents.react.briefing import system_prompt, task_prompt
from pytest_innovatorbench.agents.react.prompting import Prompts
from pytest_innovatorbench.hostile import one_line
from pytest_innovatorbench.sandbox.bubblewrap import bound_to_caller

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from pytest_innovatorbench.researchgym.gym import ResearchGym

_PASSED_ON = ("PATH", "LANG", "LC_ALL", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS")
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY")
_GRACE = 10.0  # seconds for a program to end by itself, once its attempt is over
_LONGEST_LINE = 200_000
_TAIL = 500


class ClientProgram:
    """A vendor's program at work on one attempt.

    Args:
        gym: The environment.
        folder: A private folder; the program's home is in it.
        chosen: Names of the actions to offer; all that make sense if empty.
    """

    def __init__(self, gym: ResearchGym, folder: Path, chosen: Sequence[str] = ()) -> None:
        self.socket = folder / "gate"
        self.home = folder / "home"
        self._gym = gym
        self._desk = Desk(gym, chosen)
        self.home.mkdir(mode=0o700, exist_ok=True)

    def run(
        self,
        argv: Sequence[str],
        environment: Mapping[str, str],
        heard: Callable[[dict[str, Any]], None],
        *,
        prompt: str = "",
    ) -> None:
        """Run it until it ends, or the attempt does.

        Args:
            argv: Its command line.
            environment: Variables beside the few that every program gets.
            heard: Takes each line of JSON that it prints.
            prompt: What it reads.

        Raises:
            AgentFailedError: It ended badly before the attempt was over.
            MachineFaultError: The computer failed.
        """
        gate = Gate(self.socket, self._desk)
        gate.open()
        try:
            status, said = self._run(argv, environment, heard, prompt)
        finally:
            gate.close()
        if self._desk.fault is not None:
            raise self._desk.fault
        if status and not self._gym.ending:
            tail = one_line(redact(said[-_TAIL:]))
            raise AgentFailedError(f"{os.path.basename(argv[0])} ended with status {status}: {tail}")  # noqa: PTH119 - a string

    def _run(
        self,
        argv: Sequence[str],
        environment: Mapping[str, str],
        heard: Callable[[dict[str, Any]], None],
        prompt: str,
    ) -> tuple[int, str]:
        process = subprocess.Popen(
            # So that it ends with the thread that started it, however that ends.
            bound_to_caller(argv),
            cwd=self.home,
            env={**_basics(), "HOME": str(self.home), **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        threading.Thread(target=self._end_with_attempt, args=(process,), daemon=True).start()
        last = ""
        try:
            assert process.stdin is not None  # noqa: S101 - it is a pipe
            assert process.stdout is not None  # noqa: S101 - it is a pipe
            with suppress(BrokenPipeError), process.stdin as stream:
                stream.write(prompt.encode())
            for line in process.stdout:
                last = line.decode(errors="replace").strip() or last
                self._note(line, heard)
            return process.wait(), last
        finally:
            process.kill()
            process.wait()

    def _note(self, line: bytes, heard: Callable[[dict[str, Any]], None]) -> None:
        try:
            event = json.loads(line[:_LONGEST_LINE])
        except (ValueError, RecursionError):
            event = None
        if isinstance(event, dict):
            heard(event)
        elif text := line.decode(errors="replace").strip():
            self._gym.note("client", said=redact(text)[:_LONGEST_LINE])

    def _end_with_attempt(self, process: subprocess.Popen[bytes]) -> None:
        """End the program when no action is taken any more."""
        while process.poll() is None:
            if self._desk.is_over.wait(0.2) or self._gym.ending:
                with suppress(subprocess.TimeoutExpired):
                    process.wait(_GRACE)
                process.kill()
                return


def briefing(gym: ResearchGym) -> str:
    """Return what such a program is told: how to work here, and what to do."""
    prompts = Prompts(None)
    return f"{system_prompt(prompts, gym)}\n\n{task_prompt(prompts, gym)}"


def _basics() -> dict[str, str]:
    names = (*_PASSED_ON, *_PROXIES, *(name.lower() for name in _PROXIES))
    return {name: os.environ[name] for name in names if name in os.environ}
