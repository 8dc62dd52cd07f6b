"""Actions on the sessions of a computer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_innovatorbench.researchgym.actions.declaration import ActionKind, Desk, Parameter, refuse
from pytest_innovatorbench.researchgym.model import Observation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_innovatorbench.researchgym.computers.base import CommandResult

DEFAULT_SESSION = "main"

_SESSION = Parameter(
    name="session_id", kind="string", meaning="the session; made at its first use", default=DEFAULT_SESSION
)
_COMPUTER = Parameter(name="computer_ip", kind="string", meaning="the computer; there is one")
_PROXY = (
    Parameter(name="http_port", kind="integer", meaning="without effect", ignored=True),
    Parameter(name="use_proxy", kind="boolean", meaning="without effect", ignored=True),
)


def _run_command(desk: Desk, arguments: Mapping[str, Any]) -> Observation:
    limit = desk.remaining_seconds()
    if arguments["timeout"] is not None:
        limit = min(limit, max(0.0, arguments["timeout"]))
    wait = limit if arguments["wait_for_completion"] else 0.0
    result = desk.computer.run_command(arguments["command"], session=arguments["session_id"], wait=wait)
    return Observation(
        success=result.exit_status in {0, None},
        message=result.output,
        kind="command_run",
        error_message=result.note,
        data=_facts(result),
    )


def _get_session_output(desk: Desk, arguments: Mapping[str, Any]) -> Observation:
    lines, session = arguments["start_lines"], arguments["session_id"]
    if lines < 1:
        return refuse("command_output", "get_session_output: 'start_lines' must be at least 1")
    try:
        text = desk.computer.read_output(session, lines=lines)
    except LookupError:
        return refuse("command_output", f"there is no session {session!r}; run a command in it first")
    return Observation(success=True, message=text, kind="command_output", data={"session_id": session})


def _facts(result: CommandResult) -> dict[str, Any]:
    return {
        "session_id": result.session,
        "exit_status": result.exit_status,
        "seconds": round(result.seconds, 6),
        "output_bytes": result.output_bytes,
        "timed_out": result.timed_out,
        "truncated": result.truncated,
    }


COMMAND_ACTIONS = (
    ActionKind(
        name="run_command",
        family="command",
        meaning="Run a command line in a bash session, which keeps its folder and variables.",
        parameters=(
            Parameter(name="command", kind="string", meaning="what bash is to run", required=True),
            _COMPUTER,
            _SESSION,
            Parameter(
                name="wait_for_completion",
                kind="boolean",
                meaning="wait until the command ends, otherwise return at once",
                default=False,
            ),
            Parameter(name="timeout", kind="number", meaning="seconds to wait at most; the command goes on"),
            *_PROXY,
        ),
        perform=_run_command,
    ),
    ActionKind(
        name="get_session_output",
        family="command",
        meaning="Read the last lines of a session's output.",
        parameters=(
            _COMPUTER,
            _SESSION,
            Parameter(name="start_lines", kind="integer", meaning="lines, counted from the end", default=50),
            *_PROXY,
        ),
        perform=_get_session_output,
    ),
)
