"""A good task, broken once for each rule, gets that code and no other."""

from __future__ import annotations

import pytest

from pytest_innovatorbench.authoring.attacks import records
from pytest_innovatorbench.authoring.findings import Options
from pytest_innovatorbench.authoring.model import Checked
from pytest_innovatorbench.authoring.rules import BUILTIN_RULES
from pytest_innovatorbench.authoring.validation import validate
from tests.unit.authoring.good import TASK, Good
from tests.unit.authoring.hidden_leaks import HIDDEN_LEAKS
from tests.unit.authoring.mutation import Mutation
from tests.unit.authoring.mutations import MUTATIONS


@pytest.fixture(autouse=True)
def fewer_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "MOST_ROWS", 20_000)


def checked(good: Good, options: Options) -> dict[str, Checked]:
    """Return what came of every rule there is, by its code."""
    (task,) = validate(good.root, [TASK], BUILTIN_RULES, options)
    return {one.rule.code: one for one in task.checked}


def broken(results: dict[str, Checked]) -> set[str]:
    """Return the codes with findings that are errors."""
    return {code for code, one in results.items() if one.errors}


def test_every_rule_has_one_mutation() -> None:
    assert sorted(mutation.code for mutation in MUTATIONS) == sorted(rule.code for rule in BUILTIN_RULES)


@pytest.mark.slow
def test_the_good_task_keeps_every_rule(good: Good) -> None:
    results = checked(good, Options(attack=True, repeat=2))
    assert broken(results) == set()
    assert {code: one.skipped for code, one in results.items() if one.skipped} == {
        "IB609": "the reference submission has no labels or probabilities"
    }
    loud = {code for code, one in results.items() if any(f.severity != "note" for f in one.findings)}
    assert loud == set()


@pytest.mark.slow
@pytest.mark.parametrize("mutation", [*MUTATIONS, *HIDDEN_LEAKS], ids=lambda mutation: mutation.code)
def test_a_mutation_gets_its_code_and_no_other(good: Good, mutation: Mutation) -> None:
    mutation.change(good)
    results = checked(good, mutation.options)
    own = results[mutation.code]
    assert own.findings, own.skipped or "nothing was found"
    assert own.findings[0].message.startswith(mutation.said)
    others = broken(results) - {mutation.code}
    messages = {code: [finding.message for finding in results[code].findings] for code in others}
    assert others == set(mutation.companions), messages
