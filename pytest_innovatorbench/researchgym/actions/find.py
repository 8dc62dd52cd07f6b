"""Actions that look for files and for what is in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_innovatorbench.researchgym.actions.declaration import ActionKind, Desk, Parameter, refuse
from pytest_innovatorbench.researchgym.actions.file import FAILED, OPEN_FILE, OPEN_FIRST, declare_path
from pytest_innovatorbench.researchgym.model import Observation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

SEARCH, LIST = "file_search", "file_list"
_TERM = Parameter(name="search_term", kind="string", meaning="text to look for, as it is", required=True)


def _search(place: str) -> Callable[[Desk, Mapping[str, Any]], Observation]:
    def search(desk: Desk, arguments: Mapping[str, Any]) -> Observation:
        path = arguments[place] or (desk.reader.place.path if desk.reader.place else "")
        if not path:
            return refuse(FAILED, OPEN_FIRST)
        answer = desk.computer.do_with_file({"op": "search", "path": path, "term": arguments["search_term"]})
        return _found(answer, arguments["search_term"], place)

    return search


def _found(answer: Mapping[str, Any], term: str, place: str) -> Observation:
    if "error" in answer:
        return refuse(FAILED, str(answer["error"]))
    matches = answer["matches"]
    rows = [f"{match['path']}:{match['line']}: {match['text']}" for match in matches]
    head = f"{len(rows)} lines in {answer['files']} files hold {term!r}"
    if not answer["whole"]:
        head = f"the first {head}; search more narrowly for others"
    if answer["skipped"]:
        head += f" ({answer['skipped']} files that are binary, large or closed were left out)"
    data = {
        place: answer["path"],
        "search_term": term,
        "num_matches": len(rows),
        "num_files": answer["files"],
        "search_matches": matches,
        "truncated": not answer["whole"],
    }
    return Observation(success=True, message="\n".join([head, *rows]), kind=SEARCH, data=data)


def _find_file(desk: Desk, arguments: Mapping[str, Any]) -> Observation:
    call = {"op": "find", "path": arguments["dir_path"], "name": arguments["file_name"]}
    answer = desk.computer.do_with_file(call)
    if "error" in answer:
        return refuse(FAILED, str(answer["error"]))
    names = answer["names"]
    head = f"{len(names)} found below {answer['path']}"
    if not answer["whole"]:
        head = f"the first {len(names)} found below {answer['path']}; look more narrowly for others"
    data = {
        "dir_path": answer["path"],
        "search_term": arguments["file_name"],
        "num_matches": len(names),
        "search_matches": [{"path": name} for name in names],
        "truncated": not answer["whole"],
    }
    return Observation(success=True, message="\n".join([head, *names]), kind=SEARCH, data=data)


def _list_files(desk: Desk, arguments: Mapping[str, Any]) -> Observation:
    call = {"op": "list", "path": arguments["path"], "hidden": arguments["show_hidden"]}
    answer = desk.computer.do_with_file(call)
    if "error" in answer:
        return refuse(FAILED, str(answer["error"]))
    rows = [_row(entry) for entry in answer["entries"]]
    head = f"{answer['path']}: {'' if answer['whole'] else 'the first '}{len(rows)} entries"
    data = {
        "dir_path": answer["path"],
        "list_directories": [e["name"] for e in answer["entries"] if e["kind"] == "folder"],
        "list_files": [e["name"] for e in answer["entries"] if e["kind"] != "folder"],
        "total_items": answer["total"],
        "truncated": not answer["whole"],
    }
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


FIND_ACTIONS = (
    ActionKind(
        name="search_dir",
        family="file",
        meaning="Find the lines that hold a text in the files below a folder.",
        parameters=(_TERM, declare_path("the folder", "dir_path", default=".")),
        perform=_search("dir_path"),
    ),
    ActionKind(
        name="search_file",
        family="file",
        meaning="Find the lines that hold a text in a file.",
        parameters=(
            _TERM,
            OPEN_FILE,
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
            declare_path("the folder to look below", "dir_path", default="."),
        ),
        perform=_find_file,
    ),
    ActionKind(
        name="list_files",
        family="file",
        meaning="List a folder.",
        parameters=(
            declare_path("the folder", default="."),
            Parameter(
                name="show_hidden",
                kind="boolean",
                meaning="also what begins with a dot",
                default=False,
            ),
        ),
        perform=_list_files,
    ),
)
