"""Actions on commands and the sessions they run in."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from pytest_innovatorbench.errors import UnknownNameError
from pytest_innovatorbench.researchgym.actions.declaration import ActionKind, Desk, Parameter, refuse
from pytest_innovatorbench.researchgym.model import Observation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pytest_innovatorbench.researchgym.computers.base import CommandResult, SessionState

DEFAULT_SESSION = "main"
MOST_PROCESSES = 30
SESSION, OUTPUT = "session", "command_output"

_SESSION = Parameter(
    name="session_id", kind="string", meaning="the session; made at its first use", default=DEFAULT_SESSION
)
_COMPUTER = Parameter(name="computer_ip", kind="string", meaning="the computer; there is one")
_PROXY = (
    Parameter(name="http_port", kind="integer", meaning="without effect", ignored=True),
    Parameter(name="use_proxy", kind="boolean", meaning="without effect", ignored=True),
)


def _create_session(desk: Desk, arguments: Mapping[str, Any]) -> Observation:
    session = arguments["session_id"]
    is_new = desk.computer.open_session(session)
    text = f"session {session!r} is {'ready' if is_new else 'there already'}"
    return Observation(success=True, message=text, kind=SESSION, data={"session_id": session})


def _list_sessions(desk: Desk, _: Mapping[str, Any]) -> Observation:
    states = desk.computer.list_sessions()
    rows = [f"{state.session}: {_state(state)}" for state in states]
    data = {"sessions": {state.session: _state_facts(state) for state in states}}
    return Observation(success=True, message="\n".join(rows) or "no session yet", kind=SESSION, data=data)


def _run_command(desk: Desk, arguments: Mapping[str, Any]) -> Observation:
    limit = desk.remaining_seconds()
    if arguments["timeout"] is not None:
        limit = min(limit, arguments["timeout"])
    waits = arguments["wait_for_completion"]
    result = desk.computer.run_command(
        arguments["command"],
        session=arguments["session_id"],
        wait=limit if waits else 0.0,
        takes_input=not waits,
    )
    return Observation(
        success=result.exit_status in {0, None} and not result.is_refused,
        message=result.output,
        kind="command_run",
        error_message=result.note,
        data=_facts(result),
    )


def _input_in_session(desk: Desk, arguments: Mapping[str, Any]) -> Observation:
    session = arguments["session_id"]
    refusal = desk.computer.type_text(session, arguments["input_text"])
    if refusal is not None:
        return refuse(SESSION, f"not typed: {refusal}")
    text = f"typed in session {session!r}; see what comes of it with get_session_output"
    return Observation(success=True, message=text, kind=SESSION, data={"session_id": session})


def _get_session_output(desk: Desk, arguments: Mapping[str, Any]) -> Observation:
    session, start, end = arguments["session_id"], arguments["start_lines"], arguments["end_lines"]
    if end >= start:
        return refuse(OUTPUT, f"end_lines must be below start_lines ({start}): both count from the end")
    text = desk.computer.read_output(session, start, skip=end, since=arguments["since_timestamp"])
    return Observation(success=True, message=text, kind=OUTPUT, data={"session_id": session})


def _get_session_recent_output(desk: Desk, arguments: Mapping[str, Any]) -> Observation:
    session = arguments["session_id"]
    text = desk.computer.read_output(session, since=time.time() - arguments["seconds"])
    return Observation(success=True, message=text, kind=OUTPUT, data={"session_id": session})


def _get_session_status(desk: Desk, arguments: Mapping[str, Any]) -> Observation:
    session = arguments["session_id"]
    processes = desk.computer.list_processes(session)[-MOST_PROCESSES:]
    rows = [f"{process.pid} {process.state} {process.command}" for process in processes]
    state = next((state for state in desk.computer.list_sessions() if state.session == session), None)
    is_idle = state is None or state.running is None
    head = f"session {session!r}: {_state(state) if state else 'ended'}"
    data = {
        "session_id": session,
        "is_idle": is_idle,
        "children": [{"pid": p.pid, "state": p.state, "command": p.command} for p in processes],
    }
    return Observation(success=True, message="\n".join([head, *rows]), kind=SESSION, data=data)


def _clear_session_buffer(desk: Desk, arguments: Mapping[str, Any]) -> Observation:
    desk.computer.clear_output(arguments["session_id"])
    text = "what the session printed is forgotten; on the disk it stays"
    return Observation(success=True, message=text, kind=SESSION)


def _close_session(desk: Desk, arguments: Mapping[str, Any]) -> Observation:
    session, states = arguments["session_id"], desk.computer.list_sessions()
    if session not in {state.session for state in states}:
        return refuse(SESSION, f"there is no session {session!r}; list_sessions names those there are")
    busy = [state for state in states if state.session == session and state.running is not None]
    if busy and not arguments["force"]:
        return refuse(SESSION, f"session {session!r}: {_state(busy[0])}; close it with force true")
    desk.computer.kill_session(session)
    return Observation(success=True, message=f"session {session!r} is closed", kind=SESSION)


def _close_all_sessions(desk: Desk, arguments: Mapping[str, Any]) -> Observation:
    states = desk.computer.list_sessions()
    kept = [state for state in states if state.running is not None and not arguments["force"]]
    for state in states:
        if state not in kept:
            desk.computer.kill_session(state.session)
    text = f"{len(states) - len(kept)} sessions are closed"
    if kept:
        busy = ", ".join(repr(state.session) for state in kept)
        text += f"; busy and kept: {busy} (close them with force true)"
    return Observation(success=not kept, message=text, kind=SESSION)


def _kill_session_processes(desk: Desk, arguments: Mapping[str, Any]) -> Observation:
    count = desk.computer.end_processes(arguments["session_id"])
    text = f"{count} processes were asked to end, and are killed if they have not in 2 s; the session stays"
    return Observation(success=True, message=text, kind=SESSION, data={"killed": count})


def _interrupt_session(desk: Desk, arguments: Mapping[str, Any]) -> Observation:
    session = arguments["session_id"]
    desk.computer.interrupt(session)
    return Observation(success=True, message=f"Ctrl-C was pressed in session {session!r}", kind=SESSION)


def _state(state: SessionState) -> str:
    if state.running is not None:
        return f"busy for {state.seconds or 0:.0f} s with: {state.running}"
    return "idle" if state.exit_status is None else f"idle, the last command ended with {state.exit_status}"


def _state_facts(state: SessionState) -> dict[str, Any]:
    return {
        "alive": True,
        "is_default": state.session == DEFAULT_SESSION,
        "is_idle": state.running is None,
        "running": state.running,
        "seconds": state.seconds,
        "exit_status": state.exit_status,
    }


def _facts(result: CommandResult) -> dict[str, Any]:
    return {
        "session_id": result.session,
        "exit_status": result.exit_status,
        "seconds": round(result.seconds, 6),
        "output_bytes": result.output_bytes,
        "timed_out": result.timed_out,
        "truncated": result.truncated,
    }


def _guarded(
    perform: Callable[[Desk, Mapping[str, Any]], Observation],
) -> Callable[[Desk, Mapping[str, Any]], Observation]:
    def guarded(desk: Desk, arguments: Mapping[str, Any]) -> Observation:
        try:
            return perform(desk, arguments)
        except UnknownNameError as error:
            known = ", ".join(error.known) or "none"
            return refuse(SESSION, f"there is no session {error.name!r}; there are: {known}")

    return guarded


def _action(
    name: str,
    meaning: str,
    perform: Callable[[Desk, Mapping[str, Any]], Observation],
    *parameters: Parameter,
) -> ActionKind:
    return ActionKind(
        name=name,
        family="command",
        meaning=meaning,
        parameters=(_COMPUTER, *parameters, *_PROXY),
        perform=_guarded(perform),
    )


def _flag(name: str, meaning: str) -> Parameter:
    return Parameter(name=name, kind="boolean", meaning=meaning, default=False)


COMMAND_ACTIONS = (
    _action("create_session", "Make a bash session.", _create_session, _SESSION),
    _action("list_sessions", "List the sessions and what they do.", _list_sessions),
    _action(
        "run_command",
        "Run a command line in a bash session, which keeps its folder and variables.",
        _run_command,
        Parameter(name="command", kind="string", meaning="what bash is to run", required=True),
        _SESSION,
        _flag(
            "wait_for_completion",
            "wait until the command ends, otherwise return at once; what is waited for has no input",
        ),
        Parameter(
            name="timeout",
            kind="number",
            meaning="seconds to wait at most; the command goes on",
            minimum=0,
        ),
    ),
    _action(
        "input_in_session",
        "Type to the command that runs in a session and was not waited for.",
        _input_in_session,
        _SESSION,
        Parameter(
            name="input_text",
            kind="string",
            meaning="what to type; a line end is added if there is none",
            required=True,
        ),
    ),
    _action(
        "get_session_output",
        "Read what a session printed last.",
        _get_session_output,
        _SESSION,
        Parameter(
            name="start_lines", kind="integer", meaning="lines, counted from the end", default=50, minimum=1
        ),
        Parameter(
            name="end_lines", kind="integer", meaning="lines to leave out at the end", default=0, minimum=0
        ),
        Parameter(
            name="since_timestamp",
            kind="number",
            meaning="seconds since 1970: what was printed from then on, instead of lines",
        ),
    ),
    _action(
        "get_session_recent_output",
        "Read what a session printed in the last seconds.",
        _get_session_recent_output,
        _SESSION,
        Parameter(name="seconds", kind="number", meaning="how many seconds", default=10, minimum=0),
    ),
    _action("get_session_status", "Say what runs in a session.", _get_session_status, _SESSION),
    _action("check_session_idle", "Say whether a session is idle.", _get_session_status, _SESSION),
    _action("clear_session_buffer", "Forget what a session printed.", _clear_session_buffer, _SESSION),
    _action(
        "close_session",
        "End a session with what runs in it.",
        _close_session,
        _SESSION,
        _flag("force", "also when it is busy"),
    ),
    _action(
        "close_all_sessions",
        "End all sessions with what runs in them.",
        _close_all_sessions,
        _flag("force", "also those that are busy"),
    ),
    _action(
        "kill_session_processes",
        "End what runs in a session, its shell left alone.",
        _kill_session_processes,
        _SESSION,
        _flag("force", "without effect: what does not end is killed in any case"),
    ),
    _action("interrupt_session", "Press Ctrl-C in a session.", _interrupt_session, _SESSION),
)
