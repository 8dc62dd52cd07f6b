"""Checking tasks by rules: the one way that the command, pytest and CI all go."""

from __future__ import annotations

import os
import tempfile
import time
import traceback
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_innovatorbench.authoring.findings import Finding, NotCheckedError
from pytest_innovatorbench.authoring.model import Checked
from pytest_innovatorbench.authoring.subject import Subject
from pytest_innovatorbench.errors import UserError

if TYPE_CHECKING:
    from pytest_innovatorbench.authoring.findings import Options
    from pytest_innovatorbench.authoring.model import Rule

_LEFT_OUT = {
    "attacks": "attacks were not asked for (--attack)",
    "environment": "environments were left out (--no-environment)",
}


@contextmanager
def examined(root: Path, task_id: str, options: Options) -> Iterator[Subject]:
    """Yield a task to check rules on; its temporary files are gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="ibench-validate-", ignore_cleanup_errors=True) as scratch:
        yield Subject(root.resolve(), task_id, options, Path(scratch))


def check(rule: Rule, subject: Subject) -> Checked:
    """Check a task by one rule. A rule that fails is a finding of its own, and stops no other."""
    started = time.perf_counter()
    left_out = _left_out(rule, subject.options)
    if left_out:
        return Checked(rule=rule, task_id=subject.task_id, skipped=left_out)
    findings: tuple[Finding, ...] = ()
    skipped = None
    try:
        findings = tuple(_complete(rule, subject, finding) for finding in rule.check(subject))
    except (NotCheckedError, UserError) as reason:
        skipped = str(reason)
    except Exception as error:  # noqa: BLE001 - whatever a rule stumbles over, the others go on
        findings = (_failure(rule, subject, error),)
    return Checked(
        rule=rule,
        task_id=subject.task_id,
        findings=findings,
        waived=_waiver(rule, subject) if findings else None,
        skipped=skipped,
        seconds=time.perf_counter() - started,
    )


def validate(
    root: Path, task_ids: Sequence[str], rules: Sequence[Rule], options: Options
) -> Iterator[tuple[Checked, ...]]:
    """Check tasks by rules, several tasks at once.

    Yields:
        For each task, in the order asked for, what came of each rule.
    """

    def examine(task_id: str) -> tuple[Checked, ...]:
        with examined(root, task_id, options) as subject:
            return tuple(check(rule, subject) for rule in rules)

    with ThreadPoolExecutor(min(len(task_ids) or 1, 2 * (os.cpu_count() or 1))) as pool:
        yield from pool.map(examine, task_ids)


def _left_out(rule: Rule, options: Options) -> str | None:
    wanted = {"attacks": options.attack, "environment": options.environment}
    return None if wanted.get(rule.cost, True) else _LEFT_OUT[rule.cost]


def _complete(rule: Rule, subject: Subject, finding: Finding) -> Finding:
    return replace(
        finding,
        file=finding.file or subject.shown(subject.evaluations),
        remedy=finding.remedy or rule.remedy,
        severity=finding.severity or rule.severity,
    )


def _failure(rule: Rule, subject: Subject, error: Exception) -> Finding:
    place = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{Path(place.filename).name}:{place.lineno}"
    said = f"the rule itself failed: {type(error).__name__}: {error} ({where})"
    finding = Finding(message=said, remedy="report it with the task", severity="error")
    return _complete(rule, subject, finding)


def _waiver(rule: Rule, subject: Subject) -> str | None:
    waivers = subject.manifest.values.get("waive") or {}
    reason = waivers.get(rule.code) if isinstance(waivers, dict) else None
    return reason if isinstance(reason, str) and reason.strip() else None
