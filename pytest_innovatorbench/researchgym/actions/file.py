"""Actions on files. They act on the computer, with the rights of the agent's commands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_innovatorbench.researchgym.actions.declaration import ActionKind, Desk, Parameter, refuse
from pytest_innovatorbench.researchgym.actions.reader import WINDOW, Place
from pytest_innovatorbench.researchgym.model import Observation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

READ, WRITTEN, INFO, FAILED = "file_read", "file_write", "file_info", "file_error"
OPEN_FIRST = "no file is open; open one with open_file"


def declare_path(meaning: str, name: str = "path", default: str | None = None) -> Parameter:
    """Declare a parameter that names a file or folder."""
    where = f"{meaning}; relative paths start at /workspace"
    return Parameter(
        name=name, kind="string", meaning=where, required=default is None, default=default, is_path=True
    )


OPEN_FILE = Parameter(
    name="file_path", kind="string", meaning="the file; else the open one", default="", is_path=True
)
_LINE = Parameter(name="line_number", kind="integer", meaning="line to go to, from 1", default=1)


def _open_file(desk: Desk, arguments: Mapping[str, Any]) -> Observation:
    place = Place(path=arguments["path"], count=arguments["context_lines"] or WINDOW)
    return _show(desk, place, arguments["line_number"])


def _goto_line(desk: Desk, arguments: Mapping[str, Any]) -> Observation:
    place = desk.reader.place
    return _show(desk, place, arguments["line_number"]) if place else refuse(FAILED, OPEN_FIRST)


def _scroll(windows: int) -> Callable[[Desk, Mapping[str, Any]], Observation]:
    def scroll(desk: Desk, _: Mapping[str, Any]) -> Observation:
        place = desk.reader.place
        if place is None:
            return refuse(FAILED, OPEN_FIRST)
        first = place.first + windows * place.count
        if first > place.total or (windows < 0 and place.first == 1):
            return refuse(FAILED, f"this is the {'end' if windows > 0 else 'beginning'} of {place.path}")
        return _show(desk, place, max(1, first), exactly=True)

    return scroll


def _show(desk: Desk, place: Place, line: int, *, exactly: bool = False) -> Observation:
    call = {"op": "read", "path": place.path, "line": line, "count": place.count, "exactly": exactly}
    answer = desk.computer.do_with_file(call)
    if "error" in answer:
        return refuse(FAILED, str(answer["error"]))
    first, total = int(answer["first"]), int(answer["total"])
    desk.reader.place = Place(path=place.path, line=line, first=first, count=place.count, total=total)
    last = min(total, first + place.count - 1)
    head = (
        f"[{answer['path']}: lines {first} to {last} of {total}]" if total else f"[{answer['path']} is empty]"
    )
    data = {
        "file_path": answer["path"],
        "current_line": max(1, min(line, total)),
        "start_line": first,
        "end_line": last,
        "total_lines": total,
        "file_exists": True,
    }
    return Observation(success=True, message=f"{head}\n{answer['text']}".rstrip(), kind=READ, data=data)


def _edit_file(desk: Desk, arguments: Mapping[str, Any]) -> Observation:
    answer = desk.computer.do_with_file({"op": "edit", **arguments})
    if "error" in answer:
        return refuse(FAILED, str(answer["error"]))
    head = f"[{answer['path']}, now {answer['total']} lines, around the edit]"
    data = {
        "file_path": answer["path"],
        "total_lines": answer["total"],
        "removed_context": answer["removed"],
        "added_context": answer["added"],
    }
    return Observation(success=True, message=f"{head}\n{answer['text']}", kind=WRITTEN, data=data)


def _create_file(desk: Desk, arguments: Mapping[str, Any]) -> Observation:
    call = {"op": "create", "path": arguments["filename"], "content": arguments["content"]}
    answer = desk.computer.do_with_file(call)
    if "error" in answer:
        return refuse(FAILED, str(answer["error"]))
    done = "replaced" if answer["existed"] else "created"
    text = f"{answer['path']} {done}, {answer['size']} bytes"
    data = {"file_path": answer["path"], "removed_context": "", "added_context": answer["start"]}
    return Observation(success=True, message=text, kind=WRITTEN, data=data)


def _get_file_info(desk: Desk, arguments: Mapping[str, Any]) -> Observation:
    place = desk.reader.place
    path = arguments["file_path"] or (place.path if place else "")
    if not path:
        return refuse(FAILED, OPEN_FIRST)
    answer = desk.computer.do_with_file({"op": "info", "path": path})
    if "error" in answer:
        return refuse(FAILED, str(answer["error"]))
    text = f"{answer['path']}: {answer['kind']}, {answer['size']} bytes, {answer['mode']}"
    data = {**answer, "file_path": answer["path"]}
    if place is not None and place.path == path:
        seen = {"current_line": place.line, "total_lines": place.total, "window_size": place.count}
        text += f", open at line {place.line} of {place.total}"
        data.update(seen)
    return Observation(success=True, message=text, kind=INFO, data=data)


FILE_ACTIONS = (
    ActionKind(
        name="open_file",
        family="file",
        meaning="Show a window of a text file, with line numbers. The file stays open for scrolling.",
        parameters=(
            declare_path("the file"),
            _LINE,
            Parameter(name="context_lines", kind="integer", meaning="lines to show, else 100", minimum=1),
        ),
        perform=_open_file,
    ),
    ActionKind(
        name="file_goto_line",
        family="file",
        meaning="Show the open file around a line.",
        parameters=(
            Parameter(name="line_number", kind="integer", meaning="line, from 1", required=True, minimum=1),
        ),
        perform=_goto_line,
    ),
    ActionKind(
        name="file_scroll_down",
        family="file",
        meaning="Show the next window of the open file.",
        parameters=(),
        perform=_scroll(1),
    ),
    ActionKind(
        name="file_scroll_up",
        family="file",
        meaning="Show the window before this one of the open file.",
        parameters=(),
        perform=_scroll(-1),
    ),
    ActionKind(
        name="edit_file",
        family="file",
        meaning="Replace lines of a text file, and show the result around them.",
        parameters=(
            declare_path("the file"),
            Parameter(
                name="start",
                kind="integer",
                meaning="first line to replace, from 1; -1 appends",
                required=True,
                minimum=-1,
            ),
            Parameter(
                name="end",
                kind="integer",
                meaning="last line to replace; start - 1 inserts before start, -1 is the last line",
                required=True,
                minimum=-1,
            ),
            Parameter(name="content", kind="string", meaning="the new lines", required=True),
        ),
        perform=_edit_file,
    ),
    ActionKind(
        name="create_file",
        family="file",
        meaning="Write a file, with the folders it lies in; one that is there is replaced.",
        parameters=(
            declare_path("the file", "filename"),
            Parameter(name="content", kind="string", meaning="what it is to hold", default=""),
        ),
        perform=_create_file,
    ),
    ActionKind(
        name="get_file_info",
        family="file",
        meaning="Describe a file or folder: kind, size, mode, time of its last change.",
        parameters=(OPEN_FILE,),
        perform=_get_file_info,
    ),
)
