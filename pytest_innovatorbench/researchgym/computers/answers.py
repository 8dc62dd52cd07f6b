"""What a session server answers, taken apart with care: an agent may have got hold of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from pytest_innovatorbench.researchgym.computers.base import (
    CommandResult,
    Process,
    SessionRefusedError,
    SessionState,
)
from pytest_innovatorbench.researchgym.computers.session_client import ConnectionLostError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_innovatorbench.researchgym.computers.session_client import Message

_T = TypeVar("_T")
_SHOWN = 200


def read_result(session: str, command: str, answer: Message) -> CommandResult:
    """Make a result of the answer to ``run``.

    Raises:
        ConnectionLostError: It is none.
    """
    refusal = _refusal(session, answer)
    if refusal is not None:
        return CommandResult(
            session=session, command=command, exit_status=None, note=refusal, is_refused=True
        )
    return CommandResult(
        session=session,
        command=command,
        exit_status=_take_or_none(answer, "exit_status", int),
        output=_take(answer, "output", str),
        output_bytes=_take(answer, "output_bytes", int),
        seconds=_take(answer, "seconds", float),
        timed_out=_take(answer, "timed_out", bool),
        truncated=_take(answer, "truncated", bool),
        note=_take_or_none(answer, "note", str),
    )


def read_call_result(answer: Message) -> Mapping[str, Any]:
    """Return what came of a file operation.

    Raises:
        ConnectionLostError: The answer is none.
    """
    return _take(answer, "result", dict)


def read_is_new(answer: Message) -> bool:
    """Return whether the session of an answer to ``open`` is new.

    Raises:
        SessionRefusedError: It could not be made.
    """
    refusal = read_refusal(answer)
    if refusal is not None:
        raise SessionRefusedError(refusal[:_SHOWN])
    return _take(answer, "new", bool)


def read_text(answer: Message) -> str | None:
    """Return the output in an answer to ``read``, or ``None`` if there is no such session."""
    text = _take_or_none(answer, "output", str)
    left_out = answer.get("left_out")
    if not text or not isinstance(left_out, int) or left_out <= 0:
        return text
    return f"[{left_out} bytes before this are left out: leave out lines at the end to read them]\n{text}"


def read_processes(answer: Message) -> tuple[Process, ...] | None:
    """Make processes of the answer to ``status``, or ``None`` if there is no such session."""
    processes = answer.get("processes")
    if processes is None:
        return None
    if not isinstance(processes, list):
        raise _nonsense("processes")
    return tuple(
        Process(
            pid=_take(entry, "pid", int),
            state=_take(entry, "state", str),
            command=_take(entry, "command", str),
        )
        for entry in processes
        if isinstance(entry, dict)
    )


def read_count(answer: Message) -> int | None:
    """Return how many processes an answer lists, or ``None`` if there is no such session."""
    processes = answer.get("processes")
    return len(processes) if isinstance(processes, list) else None


def read_refusal(answer: Message) -> str | None:
    """Return why a request was refused, or ``None``."""
    return _take_or_none(answer, "error", str)


def read_states(answer: Message) -> tuple[SessionState, ...]:
    """Make session states of the answer to ``list``."""
    sessions = answer.get("sessions", [])
    if not isinstance(sessions, list):
        raise _nonsense("sessions")
    return tuple(_read_state(entry) for entry in sessions if isinstance(entry, dict))


def _read_state(entry: Message) -> SessionState:
    return SessionState(
        session=_take(entry, "session", str),
        running=_take_or_none(entry, "running", str),
        seconds=_take_or_none(entry, "seconds", float),
        exit_status=_take_or_none(entry, "exit_status", int),
    )


def _refusal(session: str, answer: Message) -> str | None:
    if "busy" in answer:
        running = _take(answer, "busy", str)
        return f"not run: session {session!r} is still busy with: {running[:_SHOWN]}"
    if "error" in answer:
        return f"not run: {_take(answer, 'error', str)[:_SHOWN]}"
    return None


def _take(answer: Message, key: str, kind: type[_T]) -> _T:
    value = answer.get(key)
    if not isinstance(value, kind):
        raise _nonsense(key)
    return value


def _take_or_none(answer: Message, key: str, kind: type[_T]) -> _T | None:
    return None if answer.get(key) is None else _take(answer, key, kind)


def _nonsense(key: str) -> ConnectionLostError:
    return ConnectionLostError(f"the session server answered nonsense: {key} is wrong or missing")
