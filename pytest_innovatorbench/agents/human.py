"""A person at a terminal as the agent, with the same actions as any other."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from pytest_innovatorbench.agents.react.briefing import task_prompt
from pytest_innovatorbench.agents.react.prompting import Prompts
from pytest_innovatorbench.agents.react.rendering import offered, render
from pytest_innovatorbench.errors import SettingsError
from pytest_innovatorbench.hostile import printable
from pytest_innovatorbench.researchgym.model import Action

if TYPE_CHECKING:
    from pytest_innovatorbench.researchgym.actions.declaration import ActionKind
    from pytest_innovatorbench.researchgym.gym import ResearchGym
    from pytest_innovatorbench.sandbox.model import Bind

_TERMINAL = "/dev/tty"
_SHOWN = 20_000
_LONGEST = 100_000
_HELP = """\
  ls -l                            anything else is a shell command
  :eval                            an action without parameters
  :open_file path=task/a.py        an action with parameters, or {"path": "task/a.py"} as JSON
  :create_file filename=a.py <<    with text up to a line that is a dot
  :why TEXT                        why you do what you do next, for the record
  :actions, :actions NAME, :task, :help, :finish
"""


class Human:
    """Asks a person for actions, on the terminal, whatever pytest does with standard input and output."""

    binds: tuple[Bind, ...] = ()

    def run(self, gym: ResearchGym) -> None:
        """Take actions until the person finishes, or goes."""
        check_terminal()
        terminal = Path(_TERMINAL)
        with (
            terminal.open(encoding="utf-8", errors="replace") as heard,
            terminal.open("w", encoding="utf-8") as said,
        ):
            _Session(gym, heard, said).work(task_prompt(Prompts(None), gym))


def check_terminal() -> None:
    """Find out whether there is a terminal.

    Raises:
        SettingsError: There is none.
    """
    try:
        Path(_TERMINAL).open().close()
    except OSError as error:
        raise SettingsError(
            f"there is no terminal to work at: {error.strerror}", remedy="run it in a terminal, without -n"
        ) from error


class _Session:
    """The dialogue with a person."""

    def __init__(self, gym: ResearchGym, heard: TextIO, said: TextIO) -> None:
        self._gym = gym
        self._heard = heard
        self._said = said

    def work(self, task: str) -> None:
        """Read lines and do what they say."""
        self._say(task)
        self._say(_HELP)
        while (line := self._ask()) is not None:
            problem = self._do(line.strip(), task)
            if problem:
                self._say(problem)

    def _ask(self) -> str | None:
        left = self._gym.budget()
        self._said.write(f"[{left['seconds_left'] / 3600:.2f} h, {left['evals_left']:g} evals] > ")
        self._said.flush()
        return self._heard.readline() or None

    def _do(self, line: str, task: str) -> str:
        """Do what a line says; return what there is to say about it."""
        word, _, rest = line.partition(" ")
        if not line:
            return ""
        if not line.startswith(":"):
            return self._act("run_command", {"command": line, "wait_for_completion": True})
        own: dict[str, Callable[[], str]] = {
            ":help": lambda: _HELP,
            ":task": lambda: task,
            ":actions": lambda: self._describe(rest.strip()),
            ":why": lambda: self._why(rest.strip()),
        }
        return own[word]() if word in own else self._call(word[1:], rest.strip())

    def _call(self, name: str, rest: str) -> str:
        kind = self._gym.actions.get(name)
        if kind is None:
            return f"there is no action {name!r}; see :actions"
        text = self._read_text() if rest.endswith("<<") else None
        try:
            arguments = _arguments(kind, rest.removesuffix("<<").strip(), text)
        except ValueError as problem:
            return f"{name}: {problem}"
        return self._act(name, arguments)

    def _read_text(self) -> str:
        lines = []
        while (line := self._heard.readline()) and line.rstrip("\n") != ".":
            lines.append(line)
        return "".join(lines)

    def _act(self, name: str, arguments: dict[str, Any]) -> str:
        return render("", self._gym.act(Action(name=name, arguments=arguments)), _SHOWN).text

    def _why(self, text: str) -> str:
        self._gym.note("why", text=text)
        return "noted" if text else "say why"

    def _describe(self, name: str) -> str:
        gym = self._gym
        offers = offered(gym.task, (), hints=gym.hints_allowed, actions=gym.actions)
        tools = {tool.name: tool for tool in offers}
        if name not in tools:
            return "\n".join(f"  :{tool.name:24} {tool.meaning}" for tool in tools.values())
        rows = [f"{tools[name].meaning}"]
        required = tools[name].schema["required"]
        for key, value in tools[name].schema["properties"].items():
            rows.append(
                f"  {key:20} {value['type']}{', needed' if key in required else ''}: {value['description']}"
            )
        return "\n".join(rows)

    def _say(self, text: str) -> None:
        self._said.write(f"{printable(text, _LONGEST)}\n")
        self._said.flush()


def _arguments(kind: ActionKind, rest: str, text: str | None) -> dict[str, Any]:
    """Read the parameters of an action: JSON, or words ``name=value``.

    Raises:
        ValueError: They are neither.
    """
    if rest.startswith("{"):
        given = json.loads(rest)
    else:
        pairs = [word.partition("=") for word in shlex.split(rest)]
        types = {parameter.name: parameter.kind for parameter in kind.parameters}
        given = {name: _value(value, types.get(name, "string")) for name, _, value in pairs}
    if text is not None:
        (last,) = [p.name for p in kind.parameters if p.name in {"content", "command", "input_text"}] or [""]
        given[last] = text
    return dict(given)


def _value(text: str, kind: str) -> Any:  # noqa: ANN401 - of the type that the action wants, or the text
    if kind == "string":
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text
