"""Rules on task.yaml and on names: of the task, and of the files in it."""

from __future__ import annotations

import keyword
import re
from collections import defaultdict
from typing import TYPE_CHECKING

from pytest_innovatorbench.authoring.checks.layout_tree import first_of, tree_of
from pytest_innovatorbench.authoring.findings import Finding
from pytest_innovatorbench.authoring.manifest_lines import line_in_message, line_of_key
from pytest_innovatorbench.authoring.model import Rule
from pytest_innovatorbench.authoring.names import existing, places
from pytest_innovatorbench.errors import TaskError
from pytest_innovatorbench.hostile import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_innovatorbench.authoring.checks.layout_tree import Place
    from pytest_innovatorbench.authoring.subject import Subject
    from pytest_innovatorbench.errors import Problem

_LONGEST = 300
_NOT_PORTABLE = re.compile(r'[<>:"|?*]|^ | $|\.$')
_DEVICES = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?", re.IGNORECASE)


def _manifest(subject: Subject) -> Iterator[Finding]:
    file = subject.evaluations / "task.yaml"
    text = subject.read_text(file) or ""
    for problem in _problems(subject):
        message = f"{problem.key}: {problem.message}" if problem.key else problem.message
        line = line_in_message(problem.message) or (problem.key and line_of_key(text, problem.key)) or None
        yield Finding(
            message=one_line(message, _LONGEST), file=problem.file, line=line, remedy=problem.remedy
        )
    if subject.evaluations.is_dir() and not any(
        (subject.evaluations / name).exists() for name in ("task.yaml", "task.yml")
    ):
        yield Finding(
            message="is missing, so limits and the hint's price are the description's or defaults",
            file=subject.shown(file),
            remedy="write it, as docs/task-yaml.md says",
            severity="warning",
        )


def _problems(subject: Subject) -> tuple[Problem, ...]:
    """Return what is wrong with task.yaml by itself, else beside the rest of the task."""
    if subject.manifest.problems:
        return subject.manifest.problems
    loaded = subject.loaded
    if not isinstance(loaded, TaskError):
        return ()
    folder = subject.shown(subject.evaluations)
    return tuple(problem for problem in loaded.problems if problem.file.startswith(f"{folder}/task.y"))


def _task_name(subject: Subject) -> Iterator[Finding]:
    name = subject.task_id
    if not name.isidentifier() or keyword.iskeyword(name):
        yield Finding(message=f"{name!r} is not a name Python can import")
    elif name.casefold() == "all":
        yield Finding(message=f"{name!r} is what selects every task")
    others = (
        [other for other in existing(name.casefold(), subject.root) if other not in places(name)]
        if name.isprintable()
        else []
    )
    for other in others:
        yield Finding(message=f"differs from {other} in the case of letters only")


def _file_names(subject: Subject) -> Iterator[Finding]:
    yield from first_of(_odd_names(subject), "such names")


def _odd_names(subject: Subject) -> Iterator[Finding]:
    alike: defaultdict[str, list[Place]] = defaultdict(list)
    for place in tree_of(subject).own:
        odd = _oddity(place.name)
        if odd:
            yield Finding(
                message=f"{one_line(place.name, _LONGEST)!r} {odd}",
                file=place.shown,
                severity="warning" if odd.endswith("Windows") else None,
            )
        alike[f"{place.folder}/{place.entry.path}".casefold()].append(place)
    for first, *others in alike.values():
        for other in others:
            yield Finding(
                message=f"differs from {one_line(first.name, _LONGEST)} in the case of letters only",
                file=other.shown,
                severity="warning",
            )


def _oddity(name: str) -> str:
    """Return what is odd about a name, ``""`` if nothing is."""
    if any("\udc80" <= character <= "\udcff" for character in name):
        return "is a name that is not UTF-8"
    if not name.isprintable():
        return "is a name with line ends or other control characters"
    if "\\" in name:
        return "is a name with a backslash"
    if _NOT_PORTABLE.search(name) or _DEVICES.fullmatch(name):
        return "is no name on Windows"
    return ""


RULES = (
    Rule(
        code="IB103",
        name="manifest",
        summary="task.yaml is there, follows its schema, and agrees with the folders.",
        why="It says what an attempt may spend. A key that is misspelt would be a limit that nobody sets.",
        remedy="mend task.yaml, as docs/task-yaml.md says",
        check=_manifest,
    ),
    Rule(
        code="IB104",
        name="task-name",
        summary="The task's name is one that Python can import and no other task's in other letters.",
        why="Evaluators are imported by it, and some file systems take capitals for small letters.",
        remedy="rename its folders and its test: letters, digits and _",
        check=_task_name,
    ),
    Rule(
        code="IB105",
        name="file-names",
        summary="Names of files have no control characters, and are names on other systems as well.",
        why="Names with line ends or of another encoding break scripts, archives and check-outs.",
        remedy="rename it: letters, digits, '.', '-' and '_'",
        check=_file_names,
    ),
)
