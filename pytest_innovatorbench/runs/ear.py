"""How people speak to the agent of an attempt: a pipe in its record, through which `tell` sends lines.

Only the user of the harness can enter the folder it lies in. Listening is no polling, and a pipe that nobody
listens to takes nothing, so whoever speaks knows whether the attempt goes on.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import threading
from typing import TYPE_CHECKING

from pytest_innovatorbench.errors import UserError
from pytest_innovatorbench.runs.records import RESULT_FILE, SPEC_FILE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

EAR_FILE = "ear"
LONGEST = select.PIPE_BUF
"""Bytes of a line: as many as no other line can come between."""
_TO_WRITE = os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC


class Ear:
    """Hears what people say to one attempt, until it is closed.

    Args:
        folder: Record of the attempt.
        heard: Given each text, in a thread of its own.

    Raises:
        OSError: The file system has no pipes.
    """

    def __init__(self, folder: Path, heard: Callable[[str], None]) -> None:
        self._file = folder / EAR_FILE
        self._heard = heard
        self._is_closing = threading.Event()
        self._file.unlink(missing_ok=True)  # a killed process leaves its own
        os.mkfifo(self._file, 0o600)
        self._fd = os.open(self._file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        self._own = os.open(self._file, _TO_WRITE)  # the pipe has no end then
        os.set_blocking(self._fd, True)
        self._thread = threading.Thread(target=self._listen, daemon=True, name="ibench-ear")
        self._thread.start()

    def close(self) -> None:
        """Hear nothing more; what was said before is passed on."""
        self._file.unlink(missing_ok=True)
        self._is_closing.set()
        with contextlib.suppress(BlockingIOError, BrokenPipeError):  # it is awake, or listens no more
            os.write(self._own, b"\n")
        self._thread.join()
        os.close(self._own)

    def _listen(self) -> None:
        try:
            for text in _texts(self._lines()):
                self._heard(text)
        finally:  # also where what was heard cannot be passed on: whoever speaks then shall know
            os.close(self._fd)
            self._file.unlink(missing_ok=True)

    def _lines(self) -> Iterator[bytes]:
        rest = b""
        while data := self._read():
            *lines, rest = (rest + data).split(b"\n")
            yield from lines

    def _read(self) -> bytes:
        """Wait for more and return it; do not wait once this is being closed."""
        if self._is_closing.is_set():
            os.set_blocking(self._fd, False)
        try:
            return os.read(self._fd, 1 << 16)
        except BlockingIOError:
            return b""


def tell(attempt: Path, text: str) -> None:
    """Say something to the agent of an attempt that goes on.

    Args:
        attempt: Its record.
        text: What is said.

    Raises:
        UserError: There is no such attempt, or nobody listens, or the text is empty or too long.
    """
    if not (attempt / SPEC_FILE).is_file():
        raise UserError(f"{attempt} is no attempt", remedy="give RUN/attempts/ATTEMPT below .ibench/runs")
    line = json.dumps(text).encode() + b"\n"
    if not text.strip():
        raise UserError("there is nothing to say", remedy="give a text")
    if len(line) > LONGEST:
        raise UserError(
            f"the text takes {len(line):,} bytes, of at most {LONGEST:,}", remedy="say it in several"
        )
    _send(attempt, line)


def _send(attempt: Path, line: bytes) -> None:
    try:
        fd = os.open(attempt / EAR_FILE, _TO_WRITE)
    except OSError:  # there is none, or nobody listens
        raise _unheard(attempt) from None
    try:
        os.write(fd, line)
    except BlockingIOError:
        raise UserError(f"the attempt {attempt.name} is too busy to listen", remedy="try again") from None
    except BrokenPipeError:
        raise _unheard(attempt) from None
    finally:
        os.close(fd)


def _unheard(attempt: Path) -> UserError:
    is_over = (attempt / RESULT_FILE).exists()
    what = "is over" if is_over else "does not go on now"
    remedy = "nobody listens any more" if is_over else "wait until its agent works, or resume its run"
    return UserError(f"the attempt {attempt.name} {what}", remedy=remedy)


def _texts(lines: Iterable[bytes]) -> Iterator[str]:
    for line in lines:
        try:
            text = json.loads(line)
        except ValueError:
            continue  # nothing that `tell` wrote
        if isinstance(text, str):
            yield text
