"""Actions on files. They act on the computer, with the rights of the agent's commands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_innovatorbench.researchgym.actions.declaration import ActionKind, Desk, Parameter, refuse
from pytest_innovatorbench.researchgym.actions.reader import WINDOW, Place
from pytest_innovatorbench.researchgym.model import Observation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

READ, EDIT, SEARCH, LIST = "file_read", "file_edit", "file_search", "file_list"
_OPEN_FIRST = "no file is open; open one with open_file"


def _path(meaning: str, name: str = "path", default: str | None = None) -> Parameter:
    where = f"{meaning}; relative paths start at /workspace"
    return Parameter(name=name, kind="string", meaning=where, required=default is None, default=default)


_LINE = Parameter(name="line_number", kind="integer", meaning="line to go to, from 1", default=1)
_TERM = Parameter(name="search_term", kind="string", meaning="text to look for, as it is", required=True)


def _open_file(desk: Desk, arguments: Mapping[str, Any]) -> Observation:
    place = Place(path=arguments["path"], count=max(1, arguments["context_lines"]))
    return _show(desk, place, arguments["line_number"])


def _goto_line(desk: Desk, arguments: Mapping[str, Any]) -> Observation:
    place = desk.reader.place
    return _show(desk, place, arguments["line_number"]) if place else refuse(READ, _OPEN_FIRST)


def _scroll(windows: int) -> Callable[[Desk, Mapping[str, Any]], Observation]:
    def scroll(desk: Desk, _: Mapping[str, Any]) -> Observation:
        place = desk.reader.place
        if place is None:
            return refuse(READ, _OPEN_FIRST)
        first = place.first + windows * place.count
        if first > place.total or (windows < 0 and place.first == 1):
            return refuse(READ, f"this is the {'end' if windows > 0 else 'beginning'} of {place.path}")
        return _show(desk, place, max(1, first), exactly=True)

    return scroll


def _show(desk: Desk, place: Place, line: int, *, exactly: bool = False) -> Observation:
    call = {"op": "read", "path": place.path, "line": line, "count": place.count, "exactly": exactly}
    answer = desk.computer.do_with_file(call)
    if "error" in answer:
        return refuse(READ, str(answer["error"]))
    first, total = int(answer["first"]), int(answer["total"])
    desk.reader.place = Place(path=place.path, first=first, count=place.count, total=total)
    last = min(total, first + place.count - 1)
    head = (
        f"[{answer['path']}: lines {first} to {last} of {total}]" if total else f"[{answer['path']} is empty]"
    )
    data = {"file_path": answer["path"], "start_line": first, "end_line": last, "total_lines": total}
    return Observation(success=True, message=f"{head}\n{answer['text']}".rstrip(), kind=READ, data=data)


def _edit_file(desk: Desk, arguments: Mapping[str, Any]) -> Observation:
    answer = desk.computer.do_with_file({"op": "edit", **arguments})
    if "error" in answer:
        return refuse(EDIT, str(answer["error"]))
    head = f"[{answer['path']}, now {answer['total']} lines, around the edit]"
    data = {"file_path": answer["path"], "total_lines": answer["total"]}
    return Observation(success=True, message=f"{head}\n{answer['text']}", kind=EDIT, data=data)


def _create_file(desk: Desk, arguments: Mapping[str, Any]) -> Observation:
    call = {"op": "create", "path": arguments["filename"], "content": arguments["content"]}
    answer = desk.computer.do_with_file(call)
    if "error" in answer:
        return refuse(EDIT, str(answer["error"]))
    done = "replaced" if answer["existed"] else "created"
    text = f"{answer['path']} {done}, {answer['size']} bytes"
    return Observation(success=True, message=text, kind="file_create", data={"file_path": answer["path"]})


def _search(place: str) -> Callable[[Desk, Mapping[str, Any]], Observation]:
    def search(desk: Desk, arguments: Mapping[str, Any]) -> Observation:
        path = arguments[place] or (desk.reader.place.path if desk.reader.place else "")
        if not path:
            return refuse(SEARCH, _OPEN_FIRST)
        answer = desk.computer.do_with_file({"op": "search", "path": path, "term": arguments["search_term"]})
        return _found(answer, arguments["search_term"])

    return search


def _found(answer: Mapping[str, Any], term: str) -> Observation:
    if "error" in answer:
        return refuse(SEARCH, str(answer["error"]))
    matches = answer["matches"]
    rows = [f"{match['path']}:{match['line']}: {match['text']}" for match in matches]
    head = f"{len(rows)} lines in {answer['files']} files hold {term!r}"
    if not answer["whole"]:
        head = f"the first {head}; search more narrowly for others"
    if answer["skipped"]:
        head += f" ({answer['skipped']} files that are binary, large or closed were left out)"
    data = {"matches": len(rows), "truncated": not answer["whole"]}
    return Observation(success=True, message="\n".join([head, *rows]), kind=SEARCH, data=data)


def _find_file(desk: Desk, arguments: Mapping[str, Any]) -> Observation:
    call = {"op": "find", "path": arguments["dir_path"], "name": arguments["file_name"]}
    answer = desk.computer.do_with_file(call)
    if "error" in answer:
        return refuse(SEARCH, str(answer["error"]))
    names = answer["names"]
    head = f"{len(names)} found below {answer['path']}"
    if not answer["whole"]:
        head = f"the first {len(names)} found below {answer['path']}; look more narrowly for others"
    data = {"matches": len(names), "truncated": not answer["whole"]}
    return Observation(success=True, message="\n".join([head, *names]), kind=SEARCH, data=data)


def _list_files(desk: Desk, arguments: Mapping[str, Any]) -> Observation:
    answer = desk.computer.do_with_file({"op": "list", "path": arguments["path"]})
    if "error" in answer:
        return refuse(LIST, str(answer["error"]))
    rows = [_row(entry) for entry in answer["entries"]]
    head = f"{answer['path']}: {'' if answer['whole'] else 'the first '}{len(rows)} entries"
    data = {"entries": len(rows), "truncated": not answer["whole"]}
    return Observation(success=True, message="\n".join([head, *rows]), kind=LIST, data=data)


def _row(entry: Mapping[str, Any]) -> str:
    match entry["kind"]:
        case "folder":
            return f"{entry['name']}/"
        case "file":
            return f"{entry['name']}  {entry['size']} bytes"
        case "link":
            return f"{entry['name']} -> {entry['target']}"
        case other:
            return f"{entry['name']}  ({other})"


def _get_file_info(desk: Desk, arguments: Mapping[str, Any]) -> Observation:
    answer = desk.computer.do_with_file({"op": "info", "path": arguments["file_path"]})
    if "error" in answer:
        return refuse("file_info", str(answer["error"]))
    text = f"{answer['path']}: {answer['kind']}, {answer['size']} bytes, {answer['mode']}"
    return Observation(success=True, message=text, kind="file_info", data=dict(answer))


FILE_ACTIONS = (
    ActionKind(
        name="open_file",
        family="file",
        meaning="Show a window of a text file, with line numbers. The file stays open for scrolling.",
        parameters=(
            _path("the file"),
            _LINE,
            Parameter(
                name="context_lines", kind="integer", meaning="lines to show", default=WINDOW, minimum=1
            ),
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
            _path("the file"),
            Parameter(
                name="start",
                kind="integer",
                meaning="first line to replace, from 1",
                required=True,
                minimum=1,
            ),
            Parameter(
                name="end",
                kind="integer",
                meaning="last line to replace; start - 1 inserts before start",
                required=True,
                minimum=0,
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
            _path("the file", "filename"),
            Parameter(name="content", kind="string", meaning="what it is to hold", default=""),
        ),
        perform=_create_file,
    ),
    ActionKind(
        name="search_dir",
        family="file",
        meaning="Find the lines that hold a text in the files below a folder.",
        parameters=(_TERM, _path("the folder", "dir_path", default=".")),
        perform=_search("dir_path"),
    ),
    ActionKind(
        name="search_file",
        family="file",
        meaning="Find the lines that hold a text in a file.",
        parameters=(
            _TERM,
            Parameter(name="file_path", kind="string", meaning="the file; else the open one", default=""),
        ),
        perform=_search("file_path"),
    ),
    ActionKind(
        name="find_file",
        family="file",
        meaning="Find files and folders by name.",
        parameters=(
            Parameter(
                name="file_name",
                kind="string",
                meaning="a part of the name, or a pattern such as *.py",
                required=True,
            ),
            _path("the folder to look below", "dir_path", default="."),
        ),
        perform=_find_file,
    ),
    ActionKind(
        name="list_files",
        family="file",
        meaning="List a folder.",
        parameters=(_path("the folder", default="."),),
        perform=_list_files,
    ),
    ActionKind(
        name="get_file_info",
        family="file",
        meaning="Describe a file or folder: kind, size, mode, time of its last change.",
        parameters=(_path("the file", "file_path"),),
        perform=_get_file_info,
    ),
)
