"""Checking by rules, whatever the rules are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from pytest_innovatorbench.authoring.findings import Finding, NotCheckedError, Options
from pytest_innovatorbench.authoring.model import Rule
from pytest_innovatorbench.authoring.rules import BUILTIN_RULES, all_rules, choose
from pytest_innovatorbench.authoring.validation import check, validate
from pytest_innovatorbench.errors import SettingsError, UnknownNameError

if TYPE_CHECKING:
    from pytest_innovatorbench.authoring.model import Check, Cost
    from pytest_innovatorbench.authoring.subject import Subject
    from tests.unit.authoring.good import Good


def rule(code: str, look: Check, cost: Cost = "reading") -> Rule:
    return Rule(
        code=code, name="a-rule", summary="Holds.", why="So.", remedy="mend it", check=look, cost=cost
    )


def one(subject: Subject) -> Iterator[Finding]:
    yield Finding(message=f"{subject.task_id} is bad")


def test_a_finding_is_completed_from_its_rule(good: Good) -> None:
    (finding,) = check(rule("XX100", one), good.subject()).findings
    assert finding == Finding(
        message="toy is bad", file="evaluations/toy", remedy="mend it", severity="error"
    )


def test_a_rule_that_fails_is_a_finding_and_stops_no_other(good: Good) -> None:
    def fail(subject: Subject) -> Iterator[Finding]:
        yield Finding(message="lost")
        raise ValueError(subject.task_id)

    (results,) = validate(good.root, ["toy"], [rule("XX100", fail), rule("XX101", one)], Options())
    assert [len(result.findings) for result in results.checked] == [1, 1]
    assert (
        results.checked[0]
        .findings[0]
        .message.startswith("the rule itself failed: ValueError: toy (test_validation")
    )


def test_a_rule_that_says_nothing_is_skipped_with_the_reason(good: Good) -> None:
    def refuse(subject: Subject) -> Iterator[Finding]:
        raise NotCheckedError(f"no luck with {subject.task_id}")

    checked = check(rule("XX100", refuse), good.subject())
    assert (checked.findings, checked.skipped) == ((), "no luck with toy")


def test_what_was_not_asked_for_is_skipped(good: Good) -> None:
    subject = good.subject(Options(attack=False, environment=False))
    attack, environment = rule("XX100", one, "attacks"), rule("XX101", one, "environment")
    assert check(attack, subject).skipped == "attacks were not asked for (--attack)"
    assert check(environment, subject).skipped == "environments were left out (--no-environment)"


def test_a_waived_finding_is_kept_with_the_reason(good: Good) -> None:
    with (good.evaluations / "task.yaml").open("a") as file:
        file.write('waive: {XX100: "it is bad on purpose"}\n')
    checked = check(rule("XX100", one), good.subject())
    assert (checked.waived, len(checked.findings), checked.errors) == ("it is bad on purpose", 1, ())
    assert check(rule("XX101", one), good.subject()).waived is None


def test_rules_are_chosen_by_prefix() -> None:
    rules = [rule(code, one) for code in ("XX100", "XX101", "XX200")]
    assert [r.code for r in choose(rules)] == ["XX100", "XX101", "XX200"]
    assert [r.code for r in choose(rules, ["XX1"], ["XX101"])] == ["XX100"]
    with pytest.raises(UnknownNameError, match="unknown rule 'IB'"):
        choose(rules, ["IB"])


def test_two_rules_do_not_share_a_code() -> None:
    with pytest.raises(SettingsError, match=f"two rules have the code {BUILTIN_RULES[0].code}"):
        all_rules([BUILTIN_RULES[0]])


def test_a_waiver_of_a_rule_on_waivers_is_a_finding(good: Good) -> None:
    with (good.evaluations / "task.yaml").open("a") as file:
        file.write('waive: {IB001: "I would rather not be seen"}\n')
    (finding,) = good.findings("IB001")
    assert (finding.message, finding.file) == ("IB001 cannot be waived", "evaluations/toy/task.yaml")
