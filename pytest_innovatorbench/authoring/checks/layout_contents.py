"""Rules on what must not lie in a task: repositories, caches, links out of it, odd and large files."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_innovatorbench.authoring.checks.layout_tree import first_of, is_cache, is_repository, tree_of
from pytest_innovatorbench.authoring.findings import Finding
from pytest_innovatorbench.authoring.model import Rule
from pytest_innovatorbench.hostile import one_line
from pytest_innovatorbench.tasks.benchmark import builtin_root

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_innovatorbench.authoring.checks.layout_tree import Place
    from pytest_innovatorbench.authoring.subject import Subject

LARGE = 50_000_000  # bytes; GitHub warns above, and refuses what is twice as large
_LONGEST = 200
_WORKSPACE = "/workspace"
_MADE = (f"{_WORKSPACE}/data/outputs", f"{_WORKSPACE}/data/checkpoints")  # in every workspace
_SECONDS = 10
_MODELS = (".safetensors", ".pt", ".pth", ".bin", ".ckpt", ".gguf", ".onnx", ".h5")
_TEXTS = (".csv", ".tsv", ".json", ".jsonl", ".txt", ".xml", ".log")
_KINDS = {"fifo": "is a FIFO", "socket": "is a socket", "device": "is a device"}


def _repositories(subject: Subject) -> Iterator[Finding]:
    for place in tree_of(subject).own:
        if is_repository(place.name) and place.entry.kind != "link":
            what = (
                "names the repositories of submodules" if place.name == ".gitmodules" else "is a repository"
            )
            if place.name == ".git" and place.entry.kind == "file":
                what = "ties the folder to a repository elsewhere"
            yield place.finding(what, f"remove it, and keep the files beside it: rm -rf {place.shown}")


def _caches(subject: Subject) -> Iterator[Finding]:
    found = [place for place in tree_of(subject).own if is_cache(place.name)]
    ignored = _ignored(subject.root, [place for place in found if place.folder == subject.evaluations])
    # pip compiles what it installs, so bytecode of the built-in tasks is none of theirs.
    is_installed = subject.root == builtin_root().resolve() and subject.root.name == "_suite"
    wanted = (
        place
        for place in found
        if place.path not in ignored and not (is_installed and place.name == "__pycache__")
    )
    yield from first_of((_cache(subject, place) for place in wanted), "such files and folders")


def _cache(subject: Subject, place: Place) -> Finding:
    """Return what is wrong with a cache: little as yet, where tests have left it beside the evaluator."""
    finding = place.finding("is made by a program, and can be made again")
    is_left = place.name == "__pycache__" and place.folder == subject.evaluations
    # Where git cannot tell, it may have the file.
    if is_left and _git(subject.root, "--literal-pathspecs", "ls-files", "-z", "--", str(place.path)) == []:
        return replace(finding, severity="warning")
    return finding


def _ignored(root: Path, places: list[Place]) -> set[Path]:
    """Return those that git leaves out of what is merged; tests leave bytecode beside the evaluator."""
    if not places:
        return set()
    names = {str(place.path): place.path for place in places}
    told = _git(root, "check-ignore", "-z", "--stdin", given=b"\0".join(map(os.fsencode, names)))
    return {names[name] for name in told or () if name in names}


def _git(root: Path, *args: str, given: bytes = b"") -> list[str] | None:
    """Return the paths that git tells of; ``None`` where it cannot tell."""
    argv = ["git", "-c", "core.fsmonitor=false", "-C", str(root), *args]
    try:
        told = subprocess.run(argv, input=given, capture_output=True, timeout=_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    if told.returncode not in {0, 1}:  # 1: nothing is ignored
        return None
    return [name for name in map(os.fsdecode, told.stdout.split(b"\0")) if name]


def _links(subject: Subject) -> Iterator[Finding]:
    for folder in (subject.gym, subject.evaluations):
        if folder.is_symlink():
            yield Finding(message="is a link itself", file=subject.shown(folder))
    odd = ((place, _escape(subject, place)) for place in tree_of(subject).own if place.entry.kind == "link")
    findings = (place.finding(said, remedy) for place, (said, remedy) in odd if said)
    yield from first_of(findings, "such links")


def _escape(subject: Subject, place: Place) -> tuple[str, str]:
    """Return what is wrong with a link and what to do about it, or nothing."""
    target = place.entry.target or ""
    shown = one_line(target, _LONGEST)
    is_shared = target == _WORKSPACE or target.startswith(f"{_WORKSPACE}/")
    if is_shared and place.folder == subject.gym:
        if target.rstrip("/") in _MADE:
            return "", ""
        real = Path(os.path.realpath(place.folder / target.removeprefix(_WORKSPACE).lstrip("/")))
    elif target.startswith("/"):
        return f"is a link to {shown}, a path of one machine", "copy the file, or link to it relatively"
    else:
        real = Path(os.path.realpath(place.path))
    if not real.is_relative_to(place.folder.resolve()):
        folder = subject.shown(place.folder)
        return f"is a link to {shown}, which leaves {folder}", "put a copy in its place"
    if not real.exists():
        return f"is a link to {shown}, which is not there", "remove it, or put there what it points to"
    return "", ""


def _kinds(subject: Subject) -> Iterator[Finding]:
    yield from first_of(_odd(subject), "such files")


def _odd(subject: Subject) -> Iterator[Finding]:
    for place in tree_of(subject).own:
        kind = place.entry.kind
        if kind in _KINDS:
            yield place.finding(_KINDS[kind])
        elif kind == "unreadable" or (
            kind == "file" and not os.access(place.path, os.R_OK, effective_ids=True)
        ):
            yield place.finding("cannot be read", "mend its mode")


def _large(subject: Subject) -> Iterator[Finding]:
    tree = tree_of(subject)
    large = [place for place in tree.own if place.entry.kind == "file" and place.entry.size > LARGE]
    large.sort(key=lambda place: -place.entry.size)
    found = (place.finding(f"has {_size(place.entry.size)}", _suggestion(place)) for place in large)
    yield from first_of(found, "files that large")
    for folder in tree.cut:
        yield Finding(
            message="holds too many files to look at them all",
            file=subject.shown(folder),
            remedy="pack small files into archives, or into one table such as Parquet",
        )


def _size(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"  # noqa: PLR2004 - a GB


def _suggestion(place: Place) -> str:
    name = place.name.casefold()
    kept = "track it with git lfs, and waive the rule"
    if name.endswith(_MODELS):
        return f"name the model and where it comes from in the description in place of it, or {kept}"
    if name.endswith(_TEXTS):
        return f"compress it, write it as Parquet or take a part of it, or {kept}"
    return f"take a part of it, or {kept}"


RULES = (
    Rule(
        code="IB106",
        name="nested-git",
        summary="No .git and no .gitmodules lies in a task.",
        why="Git leaves out what another repository holds, and a history tells what the task asks for.",
        remedy="remove it and keep the files beside it",
        check=_repositories,
    ),
    Rule(
        code="IB107",
        name="caches",
        summary="No caches, bytecode or files of editors lie in a task.",
        why=(
            "They make up much of a task's size, differ between machines, and may hold compiled solutions. "
            "What git ignores in evaluations/, such as what tests leave there, does not count."
        ),
        remedy="remove it, and name it in .gitignore",
        check=_caches,
    ),
    Rule(
        code="IB108",
        name="links",
        summary="No link leaves the task, is absolute or points to nothing.",
        why=(
            "A link out of a task is broken on every other machine, and may show the agent what is hidden. "
            "Links in gym/ to paths in /workspace are fine."
        ),
        remedy="put a copy in its place",
        check=_links,
    ),
    Rule(
        code="IB109",
        name="large-files",
        summary=f"No file is larger than {LARGE // 1_000_000} MB.",
        why="Every clone carries every file for ever, and GitHub refuses files above 100 MB.",
        remedy="make it smaller, or track it with git lfs and waive the rule",
        check=_large,
        severity="warning",
    ),
    Rule(
        code="IB110",
        name="file-kinds",
        summary="Everything in a task is a file, a folder or a link, and can be read.",
        why="Git keeps nothing else, and a FIFO or a device makes programs wait for ever.",
        remedy="remove it",
        check=_kinds,
    ),
)
