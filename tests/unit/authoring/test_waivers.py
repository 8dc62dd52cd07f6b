from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pytest_innovatorbench.authoring.findings import Finding, NotCheckedError, Options
from pytest_innovatorbench.authoring.model import Rule
from pytest_innovatorbench.authoring.rules import BUILTIN_RULES, find
from pytest_innovatorbench.authoring.validation import check, examined, in_turn, validate

if TYPE_CHECKING:
    from pytest_innovatorbench.authoring.subject import Subject
    from tests.unit.authoring.good import Good

WAIVERS = [find(code, BUILTIN_RULES) for code in ("IB001", "IB002", "IB003")]


def found(_: Subject) -> Iterator[Finding]:
    yield Finding(message="bad")


def refused(_: Subject) -> Iterator[Finding]:
    raise NotCheckedError("no luck")


def rule(code: str, look: object) -> Rule:
    return Rule(code=code, name="a", summary="b", why="c", remedy="d", check=look)  # type: ignore[arg-type]  # short


def waive(good: Good, waivers: str) -> None:
    with (good.evaluations / "task.yaml").open("a") as file:
        file.write(f"waive:\n{waivers}")


def messages(good: Good, *rules: Rule) -> list[tuple[str, str, int | None]]:
    (task,) = validate(good.root, ["toy"], [*WAIVERS, *rules], Options())
    return [
        (checked.rule.code, finding.message, finding.line)
        for checked in task.checked[:3]
        for finding in checked.findings
    ]


def test_a_waiver_that_sets_something_aside_is_none_of_their_business(good: Good) -> None:
    waive(good, "  XX100: we know better here\n")
    assert messages(good, rule("XX100", found)) == []


def test_a_waiver_of_an_unknown_rule_is_found_in_its_line(good: Good) -> None:
    waive(good, "  XX100: we know better here\n")
    lines = (good.evaluations / "task.yaml").read_text("utf-8").count("\n")
    assert messages(good, rule("XX101", found)) == [("IB002", "there is no rule XX100", lines)]


def test_a_waiver_of_a_rule_that_holds_is_found(good: Good) -> None:
    waive(good, "  XX100: we know better here\n")
    lines = (good.evaluations / "task.yaml").read_text("utf-8").count("\n")
    assert messages(good, rule("XX100", lambda _: ())) == [
        ("IB003", "XX100 is waived, but finds nothing", lines)
    ]


def test_a_waiver_of_a_rule_that_was_not_checked_is_not_judged(good: Good) -> None:
    waive(good, "  XX100: we know better here\n")
    assert messages(good, rule("XX100", refused)) == []
    with examined(good.root, "toy", Options(), codes=["XX100"]) as subject:
        assert check(WAIVERS[2], subject).skipped == "no rule that is waived was checked"
        assert check(WAIVERS[1], subject).findings == ()
    with examined(good.root, "toy", Options()) as subject:
        assert check(WAIVERS[1], subject).skipped == "nobody said which rules there are"


def test_rules_on_waivers_cannot_be_set_aside(good: Good) -> None:
    waive(good, "  IB001: I would rather not be seen\n")
    checked = check(WAIVERS[0], good.subject())
    assert (len(checked.errors), checked.waived) == (1, None)


def test_what_looks_back_comes_last_and_is_shown_in_its_place(good: Good) -> None:
    rules = [*WAIVERS, rule("XX100", found)]
    assert [one.code for one in in_turn(rules)] == ["IB001", "IB002", "XX100", "IB003"]
    (task,) = validate(good.root, ["toy"], rules, Options())
    assert [checked.rule.code for checked in task.checked] == ["IB001", "IB002", "IB003", "XX100"]
