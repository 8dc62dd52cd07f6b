"""The replay agent: does again what an earlier attempt did."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_innovatorbench.agents.base import AgentKind
from pytest_innovatorbench.errors import SettingsError
from pytest_innovatorbench.researchgym.model import Action
from pytest_innovatorbench.runs.events import EVENTS_FILE, read_events
from pytest_innovatorbench.runs.records import SPEC_FILE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_innovatorbench.agents.base import AgentRequest
    from pytest_innovatorbench.researchgym.gym import ResearchGym
    from pytest_innovatorbench.sandbox.model import Bind
    from pytest_innovatorbench.settings import Settings


class Replay:
    """Takes the actions of a record, in order.

    Whether each came out as it did then is in the new record, as ``replayed``.

    Args:
        request: What it is made for; the argument is the attempt.
        run_dir: Folder of all runs.

    Raises:
        SettingsError: There is no such attempt, or it is of another task.
    """

    binds: tuple[Bind, ...] = ()

    def __init__(self, request: AgentRequest, run_dir: Path) -> None:
        self._folder = find_attempt(request.argument, run_dir)
        task = _task_of(self._folder)
        if task != request.task.id:
            raise SettingsError(
                f"{self._folder.name} is an attempt at {task}, not at {request.task.id}",
                remedy=f"choose --ibench-task={task}",
            )

    def run(self, gym: ResearchGym) -> None:
        """Take all actions, also those that were wrong then."""
        for step, (action, before) in enumerate(_steps(self._folder), start=1):
            seen = gym.act(action)
            is_same = before is not None and (seen.success, seen.message) == (
                before["success"],
                before["message"],
            )
            gym.note("replayed", step=step, is_same=is_same)


def replay_agent(settings: Settings) -> AgentKind:
    """Return the agent as users ask for it."""
    return AgentKind(
        name="replay",
        make=partial(Replay, run_dir=settings.run_dir),
        argument="ATTEMPT",
        check=lambda argument, _: find_attempt(argument, settings.run_dir),
        about="does again what an earlier attempt did",
    )


def find_attempt(argument: str, run_dir: Path) -> Path:
    """Return the folder of an attempt's record.

    Args:
        argument: The folder, or ``RUN/ATTEMPT`` below the folder of all runs.
        run_dir: Folder of all runs.

    Raises:
        SettingsError: There is none.
    """
    run, _, attempt = argument.rpartition("/")
    for folder in (Path(argument).expanduser(), run_dir / run / "attempts" / attempt):
        if (folder / EVENTS_FILE).is_file():
            return folder.resolve()
    raise SettingsError(
        f"there is no attempt {argument!r}", remedy=f"give its folder, or RUN/ATTEMPT below {run_dir}"
    )


def _task_of(folder: Path) -> str:
    try:
        return str(json.loads((folder / SPEC_FILE).read_text("utf-8"))["task"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SettingsError(
            f"{folder}: its {SPEC_FILE} cannot be read", remedy="choose another attempt"
        ) from error


def _steps(folder: Path) -> Iterator[tuple[Action, dict[str, Any] | None]]:
    """Yield each action with what was seen of it, which is missing where the run was killed."""
    action: Action | None = None
    for event in read_events(folder / EVENTS_FILE):
        if event["kind"] == "action":
            if action is not None:
                yield action, None
            action = Action(name=event["name"], arguments=event["arguments"])
        elif event["kind"] == "observation" and action is not None:
            yield action, event
            action = None
    if action is not None:
        yield action, None
