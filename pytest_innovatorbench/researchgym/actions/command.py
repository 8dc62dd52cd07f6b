"""Actions on commands: running them, typing to them, reading what they print."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_innovatorbench.researchgym.actions.declaration import Desk, Parameter, refuse
from pytest_innovatorbench.researchgym.actions.session import SESSION, declare, flag
from pytest_innovatorbench.researchgym.model import Observation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_innovatorbench.researchgym.computers.base import CommandResult

RUN, TYPED, OUTPUT = "command_run", "command_input_in_session", "command_output_session"
CTRL_C = "\x03"


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
        kind=RUN,
        error_message=result.note,
        # A command that nobody waits for is not overdue.
        data={**_facts(result), "timed_out": result.timed_out and waits, "async_execution": not waits},
    )


def _facts(result: CommandResult) -> dict[str, Any]:
    return {
        "session_id": result.session,
        "command": result.command,
        "exit_status": result.exit_status,
        "execution_time": round(result.seconds, 6),
        "output_bytes": result.output_bytes,
        "timed_out": result.timed_out,
        "truncated": result.truncated,
    }


def _input_in_session(desk: Desk, arguments: Mapping[str, Any]) -> Observation:
    session, text = arguments["session_id"], arguments["input_text"]
    if text.rstrip("\r\n") == CTRL_C:
        return _interrupt_session(desk, arguments)
    refusal = desk.computer.type_text(session, text)
    if refusal is not None:
        return refuse(TYPED, f"not typed: {refusal}")
    data = {"session_id": session, "input_text": text}
    message = f"typed in session {session!r}; see what comes of it with get_session_output"
    return Observation(success=True, message=message, kind=TYPED, data=data)


def _interrupt_session(desk: Desk, arguments: Mapping[str, Any]) -> Observation:
    session = arguments["session_id"]
    desk.computer.interrupt(session)
    data = {"session_id": session, "input_text": CTRL_C}
    return Observation(
        success=True, message=f"Ctrl-C was pressed in session {session!r}", kind=TYPED, data=data
    )


def _get_session_output(desk: Desk, arguments: Mapping[str, Any]) -> Observation:
    session, start, end = arguments["session_id"], arguments["start_lines"], arguments["end_lines"] or 0
    if end >= start:
        return refuse(OUTPUT, f"end_lines must be below start_lines ({start}): both count from the end")
    text = desk.computer.read_output(session, start, skip=end, since=arguments["since_timestamp"])
    return _show_output(desk, session, text)


def _get_session_recent_output(desk: Desk, arguments: Mapping[str, Any]) -> Observation:
    session = arguments["session_id"]
    return _show_output(desk, session, desk.computer.read_output(session, recent=arguments["seconds"]))


def _show_output(desk: Desk, session: str, text: str) -> Observation:
    is_alive = session in {state.session for state in desk.computer.list_sessions()}
    data = {"session_id": session, "is_alive": is_alive}
    return Observation(success=True, message=text, kind=OUTPUT, data=data)


COMMAND_ACTIONS = (
    declare(
        "run_command",
        RUN,
        "Run a command line in a bash session, which keeps its folder and variables.",
        _run_command,
        Parameter(name="command", kind="string", meaning="what bash is to run", required=True),
        SESSION,
        flag(
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
    declare(
        "input_in_session",
        TYPED,
        "Type to the command that runs in a session and was not waited for.",
        _input_in_session,
        SESSION,
        Parameter(
            name="input_text",
            kind="string",
            meaning="what to type; a line end is added if there is none; \\x03 alone is Ctrl-C",
            required=True,
        ),
    ),
    declare("interrupt_session", TYPED, "Press Ctrl-C in a session.", _interrupt_session, SESSION),
    declare(
        "get_session_output",
        OUTPUT,
        "Read what a session printed: lines counted from the end, 30,000 bytes at most at once.",
        _get_session_output,
        SESSION,
        Parameter(
            name="start_lines", kind="integer", meaning="lines, counted from the end", default=50, minimum=1
        ),
        Parameter(name="end_lines", kind="integer", meaning="lines to leave out at the end", minimum=0),
        Parameter(
            name="since_timestamp",
            kind="number",
            meaning="seconds since 1970: what was printed from then on, instead of lines",
        ),
    ),
    declare(
        "get_session_recent_output",
        OUTPUT,
        "Read what a session printed in the last seconds, 30,000 bytes at most.",
        _get_session_recent_output,
        SESSION,
        Parameter(name="seconds", kind="number", meaning="how many seconds", default=10, minimum=0),
    ),
)
