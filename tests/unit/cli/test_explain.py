from __future__ import annotations

import pytest

from pytest_innovatorbench.authoring.rules import BUILTIN_RULES
from pytest_innovatorbench.reports.validation.reference import reference
from tests.unit.cli.program import ibench


def test_a_rule_is_explained_whatever_the_case_of_its_code() -> None:
    shown = ibench("explain", "ib403")
    assert shown.returncode == 0
    assert shown.stdout.startswith("IB403 reference-score: error; evaluates submissions\n\n")
    assert "\nWhy: " in shown.stdout
    assert "\nRemedy: " in shown.stdout
    assert shown.stdout.endswith('in task.yaml: waive: {IB403: "the reason, in a sentence"}\n')
    assert "waive: {" not in ibench("explain", "IB001").stdout


def test_all_rules_are_explained_as_the_page_of_the_docs() -> None:
    assert ibench("explain", "--all").stdout == reference(BUILTIN_RULES)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["IB999"], "unknown rule 'IB999': known: IB001, IB002, "),
        ([], "explain takes a code or --all: ibench explain IB403\n"),
        (["IB403", "--all"], "explain takes a code or --all: ibench explain IB403\n"),
    ],
)
def test_a_mistake_is_one_line_and_status_2(arguments: list[str], message: str) -> None:
    shown = ibench("explain", *arguments)
    assert (shown.returncode, shown.stdout) == (2, "")
    assert shown.stderr.startswith(f"ibench: {message}")
    assert shown.stderr.count("\n") == 1
