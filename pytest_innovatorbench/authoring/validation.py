"""Checking tasks by rules: the one way that the command, pytest and CI all go."""

from __future__ import annotations

import os
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from pytest_innovatorbench.authoring.calibration.survey import rows_so_far
from pytest_innovatorbench.authoring.findings import Finding, NotCheckedError
from pytest_innovatorbench.authoring.model import Checked
from pytest_innovatorbench.authoring.subject import Subject
from pytest_innovatorbench.authoring.trials import StoppedError
from pytest_innovatorbench.authoring.waiting import results
from pytest_innovatorbench.errors import UserError
from pytest_innovatorbench.runs.stop import Stop

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_innovatorbench.authoring.calibration.survey import Row
    from pytest_innovatorbench.authoring.findings import Options
    from pytest_innovatorbench.authoring.model import Rule

UNWAIVABLE = "IB0"  # rules on waivers
_LEFT_OUT = {
    "attacks": "attacks were not asked for (--attack)",
    "environment": "environments were left out (--no-environment)",
}


# Told of a task and a rule before the rule is checked, and of the task with no rule when it is done.
Watch: TypeAlias = Callable[[str, "Rule | None"], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """What came of checking one task.

    Attributes:
        task_id: The task.
        checked: What came of each rule, in the order of the rules.
        scores: Where the author's submissions fall, as far as rules had them evaluated.
        seconds: How long it took.
    """

    task_id: str
    checked: tuple[Checked, ...]
    scores: tuple[Row, ...] = ()
    seconds: float = 0.0


@contextmanager
def examined(
    root: Path,
    task_id: str,
    options: Options,
    *,
    stop: Stop | None = None,
    codes: Iterable[str] = (),
) -> Iterator[Subject]:
    """Yield a task to check rules on; its temporary files are gone afterwards.

    Args:
        root: The benchmark.
        task_id: The task.
        options: How thoroughly to check.
        stop: Ends what is under way when nobody wants to know any more.
        codes: Codes of all rules there are, of which a waiver may name any.
    """
    with tempfile.TemporaryDirectory(prefix="ibench-validate-", ignore_cleanup_errors=True) as scratch:
        yield Subject(root.resolve(), task_id, options, Path(scratch), stop=stop, codes=codes)


def in_turn(rules: Iterable[Rule]) -> list[Rule]:
    """Return rules in the order in which they are to be checked: those that look back at others last."""
    return sorted(rules, key=lambda rule: rule.looks_back)


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
    subject.outcomes[rule.code] = "found" if findings else "skipped" if skipped else "clean"
    return Checked(
        rule=rule,
        task_id=subject.task_id,
        findings=findings,
        waived=_waiver(rule, subject) if findings else None,
        skipped=skipped,
        seconds=time.perf_counter() - started,
    )


def validate(
    root: Path,
    task_ids: Sequence[str],
    rules: Sequence[Rule],
    options: Options,
    *,
    codes: Iterable[str] = (),
    watch: Watch = lambda _task, _rule: None,
) -> Iterator[Examined]:
    """Check tasks by rules, several tasks at once.

    Args:
        root: The benchmark.
        task_ids: The tasks.
        rules: The rules to check them by.
        options: How thoroughly to check.
        codes: Codes of all rules there are; those of ``rules`` if left out.
        watch: Told what is done, in any thread.

    Yields:
        What came of each task, in the order asked for.
    """
    stop = Stop()
    known = frozenset(codes) or frozenset(rule.code for rule in rules)

    def examine(task_id: str) -> Examined:
        with examined(root, task_id, options, stop=stop, codes=known) as subject:
            return _examine(subject, rules, watch)

    threads = min(len(task_ids) or 1, 2 * (os.cpu_count() or 1))
    yield from results(examine, task_ids, threads, stop.insist)


def _examine(subject: Subject, rules: Sequence[Rule], watch: Watch) -> Examined:
    started = time.perf_counter()
    done: dict[str, Checked] = {}
    for rule in in_turn(rules):
        if subject.stop.asked:
            raise StoppedError
        watch(subject.task_id, rule)
        done[rule.code] = check(rule, subject)
    watch(subject.task_id, None)
    return Examined(
        task_id=subject.task_id,
        checked=tuple(done[rule.code] for rule in rules),
        scores=rows_so_far(subject),
        seconds=time.perf_counter() - started,
    )


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
    if rule.code.startswith(UNWAIVABLE):
        return None
    waivers = subject.manifest.values.get("waive") or {}
    reason = waivers.get(rule.code) if isinstance(waivers, dict) else None
    return reason if isinstance(reason, str) and reason.strip() else None
