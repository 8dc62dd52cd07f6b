"""The reference of all actions, written from their declarations: ``python -m ...actions.reference``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_innovatorbench.researchgym.actions.table import ACTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_innovatorbench.researchgym.actions.declaration import ActionKind, Parameter

FAMILIES = {
    "command": "Commands and sessions",
    "file": "Files",
    "parse": "Parsing",
    "search": "Searching the web",
    "browse": "Browsing",
    "special": "The benchmark itself",
}
_HEAD = """\
# Actions

<!-- Written by `python -m pytest_innovatorbench.researchgym.actions.reference`; do not edit. -->

What agents may do, by wire name. A wrong call is no exception: its observation has `success` false and says
how to do it right. Parameters marked "no effect" are accepted for agents written for the published
environment. Other actions come through the hook `pytest_ibench_actions`.

Every observation has `success`, `message`, `error_message`, `observation_type`, `timestamp`, `source`, `done`
and `budget` (what is left of time, evaluations, steps and whatever else is limited), and the keys that the
published environment has for its type, such as `output` and `execution_time` of `command_run`. Texts are cut
at 30,000 characters, strings of a call may have 16,777,216, and 128 sessions may be open on a computer.
"""


def reference() -> str:
    """Return the reference as Markdown."""
    return "\n".join([_HEAD, *_overview(), *_families()]) + "\n"


def _overview() -> Iterator[str]:
    yield "| Family | Actions |\n| --- | --- |"
    for family, title in FAMILIES.items():
        named = ", ".join(f"`{kind.name}`" for kind in ACTIONS.values() if kind.family == family)
        yield f"| {title} | {named} |"
    yield ""


def _families() -> Iterator[str]:
    for family, title in FAMILIES.items():
        kinds = [kind for kind in ACTIONS.values() if kind.family == family]
        if kinds:
            yield f"## {title}\n"
            for kind in kinds:
                yield from _action(kind)


def _action(kind: ActionKind) -> Iterator[str]:
    yield f"### `{kind.name}`\n\n{kind.meaning}\n"
    if kind.parameters:
        yield "| Parameter | Type | Default | Meaning |\n| --- | --- | --- | --- |"
        yield from (_row(parameter) for parameter in kind.parameters)
        yield ""


def _row(parameter: Parameter) -> str:
    default = (
        "needed" if parameter.required else "" if parameter.default is None else f"`{parameter.default}`"
    )
    meaning = "no effect" if parameter.ignored else parameter.meaning
    return f"| `{parameter.name}` | {parameter.kind} | {default} | {meaning} |"


if __name__ == "__main__":
    print(reference(), end="")  # noqa: T201 - its output
