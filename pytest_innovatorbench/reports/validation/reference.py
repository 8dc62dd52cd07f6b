"""What each rule wants, written from the rules: ``python -m ...reports.validation.reference``."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from pytest_innovatorbench.authoring.rules import BUILTIN_RULES, GROUPS
from pytest_innovatorbench.authoring.validation import UNWAIVABLE
from pytest_innovatorbench.hostile import one_line
from pytest_innovatorbench.reports.markdown_report import escape_markdown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pytest_innovatorbench.authoring.model import Rule

COSTS = {
    "reading": "reads the task",
    "evaluations": "evaluates submissions",
    "attacks": "evaluates attacks; with --attack, and where CI is set",
    "environment": "installs packages or runs the task's tests; not with --no-environment",
}
_OTHERS = "Other packages"
_GROUP = 3  # characters of a code
_WIDTH = 100
_LONGEST = 2000
_HEAD = """\
# Rules for tasks

<!-- Written by `make docs`; do not edit. -->

What `ibench validate` checks, by code. A finding of severity error makes it end with 1; warnings and notes do
not. `ibench explain CODE` says the same on a terminal. How to choose rules and to waive one, and how packages
add their own: [tasks.md](tasks.md#validating).

No rule replaces a reader. What none of them sees: an evaluator that knows a submission by its labels rather
than by its bytes or numbers, one that is only right by chance, a metric that misses the point of the task,
answers in ciphers, images and pickles, and a hint between the lines of the description.
"""


def reference(rules: Iterable[Rule]) -> str:
    """Return all rules as Markdown, by group."""
    listed = list(rules)
    groups = {**GROUPS, "": _OTHERS}
    parts = [_HEAD]
    for prefix, title in groups.items():
        chosen = [rule for rule in listed if _group(rule) == prefix]
        if chosen:
            parts.append(f"## {title}\n")
            parts += [line for rule in chosen for line in _section(rule)]
    return "\n".join(parts).rstrip() + "\n"


def explanation(rule: Rule) -> Iterator[str]:
    """Yield a rule as lines for a terminal."""
    yield f"{rule.code} {one_line(rule.name)}: {rule.severity}; {COSTS[rule.cost]}"
    yield ""
    yield from _wrapped(rule.summary)
    yield ""
    yield from _wrapped(f"Why: {rule.why}")
    yield ""
    yield from _wrapped(f"Remedy: {rule.remedy}")
    if not rule.code.startswith(UNWAIVABLE):
        yield ""
        yield f'To set it aside, in task.yaml: waive: {{{rule.code}: "the reason, in a sentence"}}'


def _group(rule: Rule) -> str:
    return rule.code[:_GROUP] if rule.code[:_GROUP] in GROUPS else ""


def _section(rule: Rule) -> Iterator[str]:
    yield f"### {rule.code} {escape_markdown(rule.name)}\n"
    yield f"**{escape_markdown(rule.summary)}**\n"
    yield f"{escape_markdown(rule.why)}\n"
    yield f"Remedy: {escape_markdown(rule.remedy)}.\n"
    yield f"Severity {rule.severity}; {COSTS[rule.cost]}.\n"


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(one_line(text, _LONGEST), _WIDTH, break_on_hyphens=False)


if __name__ == "__main__":
    print(reference(BUILTIN_RULES), end="")  # noqa: T201 - its output
