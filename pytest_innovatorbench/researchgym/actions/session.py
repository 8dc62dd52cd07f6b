"""Actions on the sessions that commands run in, and what all actions on commands share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_innovatorbench.errors import UnknownNameError
from pytest_innovatorbench.researchgym.actions.declaration import ActionKind, Desk, Parameter, refuse
from pytest_innovatorbench.researchgym.computers.base import ComputerAwayError, SessionRefusedError
from pytest_innovatorbench.researchgym.model import Observation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pytest_innovatorbench.researchgym.computers.base import SessionState

DEFAULT_SESSION = "main"
MOST_PROCESSES = 30
CREATED, LISTED = "command_create_session", "command_list_sessions"
STATUS, CLEARED = "command_session_status", "command_clear_session_buffer"
CLOSED, KILLED = "command_close_session", "command_kill_processes"

SESSION = Parameter(
    name="session_id", kind="string", meaning="the session; made at its first use", default=DEFAULT_SESSION
)
COMPUTER = Parameter(
    name="computer_ip", kind="string", meaning="the computer, by name or role; else the first"
)
PROXY = (
    Parameter(name="http_port", kind="integer", meaning="without effect", ignored=True),
    Parameter(name="use_proxy", kind="boolean", meaning="without effect", default=True, ignored=True),
)


def declare(
    name: str,
    kind: str,
    meaning: str,
    perform: Callable[[Desk, Mapping[str, Any]], Observation],
    *parameters: Parameter,
) -> ActionKind:
    """Declare an action on sessions; a session that there is not is an observation of its kind."""

    def guarded(desk: Desk, arguments: Mapping[str, Any]) -> Observation:
        try:
            return perform(desk, arguments)
        except UnknownNameError as error:
            known = ", ".join(error.known) or "none"
            return refuse(kind, f"there is no session {error.name!r}; there are: {known}")
        except SessionRefusedError as error:
            return refuse(kind, str(error))

    return ActionKind(
        name=name,
        family="command",
        meaning=meaning,
        parameters=(COMPUTER, *parameters, *PROXY),
        perform=guarded,
    )


def flag(name: str, meaning: str) -> Parameter:
    """Declare a parameter that is false unless it is given."""
    return Parameter(name=name, kind="boolean", meaning=meaning, default=False)


def say_state(state: SessionState) -> str:
    """Say in a few words what a session does."""
    if state.running is not None:
        return f"busy for {state.seconds or 0:.0f} s with: {state.running}"
    return "idle" if state.exit_status is None else f"idle, the last command ended with {state.exit_status}"


def _create_session(desk: Desk, arguments: Mapping[str, Any]) -> Observation:
    session = arguments["session_id"]
    is_new = desk.computer.open_session(session)
    text = f"session {session!r} is {'ready' if is_new else 'there already'}"
    return Observation(success=True, message=text, kind=CREATED, data={"session_id": session})


def _list_sessions(desk: Desk, arguments: Mapping[str, Any]) -> Observation:
    """List the sessions of all computers, unless one is named."""
    asked = arguments["computer_ip"]
    stations = list(desk.computers) if asked is None else [desk.computers.find(asked)]
    states: dict[str, SessionState] = {}
    rows: list[str] = []
    for station in stations:
        try:
            found = {f"{station.name}:{state.session}": state for state in station.computer.list_sessions()}
        except ComputerAwayError as error:
            if len(stations) == 1:
                raise
            rows.append(f"{station.name}: {error.message}")
            continue
        states |= found
        rows += [f"{name}: {say_state(state)}" for name, state in found.items()]
    data = {"output": {name: _facts(state) for name, state in states.items()}}
    return Observation(success=True, message="\n".join(rows) or "no session yet", kind=LISTED, data=data)


def _facts(state: SessionState) -> dict[str, Any]:
    return {
        "alive": True,
        "is_default": state.session == DEFAULT_SESSION,
        "is_idle": state.running is None,
        "type": "bash",
        "running": state.running,
        "seconds": state.seconds,
        "exit_status": state.exit_status,
    }


def _get_session_status(desk: Desk, arguments: Mapping[str, Any]) -> Observation:
    session = arguments["session_id"]
    processes = desk.computer.list_processes(session)[-MOST_PROCESSES:]
    rows = [f"{process.pid} {process.state} {process.command}" for process in processes]
    state = next((state for state in desk.computer.list_sessions() if state.session == session), None)
    head = f"session {session!r}: {say_state(state) if state else 'ended'}"
    children = [{"pid": p.pid, "state": p.state, "command": p.command} for p in processes]
    data = {
        "session_id": session,
        "is_idle": state is None or state.running is None,
        "status": {**(_facts(state) if state else {"alive": False}), "children": children},
    }
    return Observation(success=True, message="\n".join([head, *rows]), kind=STATUS, data=data)


def _clear_session_buffer(desk: Desk, arguments: Mapping[str, Any]) -> Observation:
    session = arguments["session_id"]
    desk.computer.clear_output(session)
    text = "what the session printed is forgotten; on the disk it stays"
    return Observation(success=True, message=text, kind=CLEARED, data={"session_id": session})


def _close_session(desk: Desk, arguments: Mapping[str, Any]) -> Observation:
    session, states = arguments["session_id"], desk.computer.list_sessions()
    if session not in {state.session for state in states}:
        return refuse(CLOSED, f"there is no session {session!r}; list_sessions names those there are")
    busy = [state for state in states if state.session == session and state.running is not None]
    if busy and not arguments["force"]:
        return refuse(CLOSED, f"session {session!r}: {say_state(busy[0])}; close it with force true")
    desk.computer.kill_session(session)
    data = {"session_id": session, "num_closed_sessions": 1}
    return Observation(success=True, message=f"session {session!r} is closed", kind=CLOSED, data=data)


def _close_all_sessions(desk: Desk, arguments: Mapping[str, Any]) -> Observation:
    states = desk.computer.list_sessions()
    kept = [state for state in states if state.running is not None and not arguments["force"]]
    for state in states:
        if state not in kept:
            desk.computer.kill_session(state.session)
    closed = len(states) - len(kept)
    text = f"{closed} sessions are closed"
    if kept:
        busy = ", ".join(repr(state.session) for state in kept)
        text += f"; busy and kept: {busy} (close them with force true)"
    return Observation(success=not kept, message=text, kind=CLOSED, data={"num_closed_sessions": closed})


def _kill_session_processes(desk: Desk, arguments: Mapping[str, Any]) -> Observation:
    session = arguments["session_id"]
    processes = desk.computer.list_processes(session)
    killed = desk.computer.end_processes(session)
    text = f"{killed} processes were asked to end, and are killed if they have not in 2 s; the session stays"
    data = {
        "session_id": session,
        "signal_used": "TERM, KILL",
        "killed": killed,
        "killed_processes": [{"pid": process.pid, "command": process.command} for process in processes],
        "failed_kills": [],
    }
    return Observation(success=True, message=text, kind=KILLED, data=data)


SESSION_ACTIONS = (
    declare("create_session", CREATED, "Make a bash session.", _create_session, SESSION),
    declare("list_sessions", LISTED, "List the sessions and what they do.", _list_sessions),
    declare("get_session_status", STATUS, "Say what runs in a session.", _get_session_status, SESSION),
    declare("check_session_idle", STATUS, "Say whether a session is idle.", _get_session_status, SESSION),
    declare(
        "clear_session_buffer", CLEARED, "Forget what a session printed.", _clear_session_buffer, SESSION
    ),
    declare(
        "close_session",
        CLOSED,
        "End a session with what runs in it.",
        _close_session,
        SESSION,
        flag("force", "also when it is busy"),
    ),
    declare(
        "close_all_sessions",
        CLOSED,
        "End all sessions with what runs in them.",
        _close_all_sessions,
        flag("force", "also those that are busy"),
    ),
    declare(
        "kill_session_processes",
        KILLED,
        "End what runs in a session, its shell left alone.",
        _kill_session_processes,
        SESSION,
        flag("force", "without effect: what does not end is killed in any case"),
    ),
)
