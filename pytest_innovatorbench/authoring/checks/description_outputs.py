"""Rules on what the agent is told of its work: where it works, what it writes, what is measured."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from pytest_innovatorbench.authoring.checks.description_files import OUTPUTS, is_named, named_outputs
from pytest_innovatorbench.authoring.checks.description_sections import finding, section_of
from pytest_innovatorbench.authoring.checks.evaluator_outputs import reads_of
from pytest_innovatorbench.authoring.findings import Finding, NotCheckedError
from pytest_innovatorbench.authoring.model import Rule
from pytest_innovatorbench.hostile import one_line
from pytest_innovatorbench.tasks.description import outline
from pytest_innovatorbench.tasks.prose import sentences

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_innovatorbench.authoring.checks.evaluator_outputs import Reads
    from pytest_innovatorbench.authoring.subject import Subject
    from pytest_innovatorbench.tasks.description import Section

_WORKSPACE = r"[\s`*\"'(]*/workspace\b/?(?![\w$<{]|/)"
_INSIDE = re.compile(
    rf"\b(?:inside|within)\b[\w\s]*{_WORKSPACE}"
    rf"|\b(?:work|stay|remain|operate|confin|restrict|limit|run|happen|everything|all)\w*\b[^.]*{_WORKSPACE}"
    rf"|{_WORKSPACE}[`*\"')]*\s+is\s+(?:where\s+you\s+work|your\b)",
    re.IGNORECASE,
)
_LONGEST = 100


def _workspace(subject: Subject) -> Iterator[Finding]:
    task = section_of(subject, "task")
    if _says_inside(task):
        return
    other = next((one for one in outline(subject.description).values() if _says_inside(one)), None)
    where = f", but under {other.name.capitalize()}" if other else ""
    message = f"Task does not say that the agent works inside /workspace{where}"
    yield finding(subject, task.line, message)


def _says_inside(section: Section) -> bool:
    return any(_INSIDE.search(sentence.text) for sentence in sentences(section.numbered))


def _place(subject: Subject) -> Iterator[Finding]:
    task = section_of(subject, "task")
    if not OUTPUTS.search(subject.description):
        message = "does not say that outputs go to /workspace/data/outputs"
        yield finding(subject, task.line, message)


def _unread(subject: Subject) -> Iterator[Finding]:
    reads = _reads(subject)
    if reads.lists:
        raise NotCheckedError("the evaluator looks through its folders, so any file may be read")
    known = [read.name for read in reads.names if read.origin != "other"]
    for named in named_outputs(subject):
        if not any(_are_one(named.name, name) for name in known):
            message = f"{one_line(named.name, _LONGEST)} is an output that the evaluator does not read"
            yield finding(subject, named.line, message)


def _unnamed(subject: Subject) -> Iterator[Finding]:
    told: set[str] = set()
    for read in _reads(subject).names:
        if read.origin == "outputs" and read.name not in told and not is_named(subject, read.name):
            told.add(read.name)
            yield Finding(
                message=f"reads {one_line(read.name, _LONGEST)}, an output that is not in the description",
                file=read.file,
                line=read.line,
            )


def _reads(subject: Subject) -> Reads:
    _ = subject.evaluator_tree  # says so where there is none
    reads = reads_of(subject)
    if not reads.runs:
        raise NotCheckedError("the evaluator has no run_1")
    return reads


def _are_one(named: str, name: str) -> bool:
    """Tell whether two patterns may stand for the same file."""
    return fnmatchcase(named.replace("*", "0"), name) or fnmatchcase(name.replace("*", "0"), named)


def _metrics(subject: Subject) -> Iterator[Finding]:
    section = section_of(subject, "evaluation")
    metrics = subject.manifest.values.get("metrics")
    for metric in metrics if isinstance(metrics, list) else ():
        name = metric.get("name") if isinstance(metric, dict) else None
        if isinstance(name, str) and not _mentions(section.body, name):
            message = f"Evaluation does not name the metric {one_line(name, _LONGEST)!r} of task.yaml"
            yield finding(subject, section.line, message)


def _mentions(text: str, name: str) -> bool:
    """Tell whether a text has a name, whatever stands between its words: exact_match, Exact Match."""
    parts = re.findall(r"[^\W\d_]+|\d+", name)
    between = r"[\W_]*".join(map(re.escape, parts))
    pattern = rf"(?<![^\W_]){between}(?:s|es)?(?![^\W_])" if parts else re.escape(name)
    return re.search(pattern, text, re.IGNORECASE) is not None


RULES = (
    Rule(
        code="IB206",
        name="workspace",
        summary="Task says that the agent works inside /workspace.",
        why="The agent finds everything there, and what it writes elsewhere is lost.",
        remedy="write 'Work inside `/workspace`.' under Task",
        check=_workspace,
    ),
    Rule(
        code="IB207",
        name="outputs-place",
        summary="The description says that outputs go to /workspace/data/outputs.",
        why="What lies there is the submission; nothing else is scored.",
        remedy="write 'Write ... to `/workspace/data/outputs`.' under Task",
        check=_place,
    ),
    Rule(
        code="IB208",
        name="outputs-read",
        summary="Every output file that the description names is read by the evaluator.",
        why=(
            "What is asked for has to be verified. Files that the description calls optional, or that hold "
            "ideas, need not be read. An evaluator that lists its folders is not checked."
        ),
        remedy="read it in evaluation.py, ask for it no more, or say that it is optional",
        check=_unread,
    ),
    Rule(
        code="IB209",
        name="outputs-named",
        summary="Every output file that the evaluator reads is named in the description.",
        why="An agent cannot know of a file that it is not told of, and would score 0.",
        remedy="name it in the description, with its format",
        check=_unnamed,
    ),
    Rule(
        code="IB210",
        name="metrics-named",
        summary="Every metric of task.yaml is named under Evaluation.",
        why="An agent has to know what is measured to do well at it.",
        remedy="name it there as task.yaml does",
        check=_metrics,
    ),
)
