"""What README and docs name exists, and what exists is named."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from pytest_innovatorbench.agents.builtin import SCRIPTED_AGENTS
from pytest_innovatorbench.authoring.rules import BUILTIN_RULES
from pytest_innovatorbench.cli import app
from pytest_innovatorbench.plugin.options import OPTIONS
from pytest_innovatorbench.reports.validation.reference import reference as rules_reference
from pytest_innovatorbench.researchgym.actions.reference import reference

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])


def table_names(page: str) -> set[str]:
    """What stands in code type in the first cells of the tables of a page."""
    rows = (line for line in (ROOT / "docs" / page).read_text("utf-8").splitlines() if line.startswith("| `"))
    return {name for row in rows for name in re.findall(r"`([^`]+)`", row.split("|")[1])}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)", page.read_text("utf-8")):
        assert target.startswith("https://") or (page.parent / target).is_file(), target


def test_every_option_has_its_row_with_its_twin() -> None:
    rows = (ROOT / "docs/usage.md").read_text("utf-8").splitlines()
    for option in OPTIONS:
        assert any(row.startswith(f"| `--ibench-{option.name}` | `{option.key}` |") for row in rows), option
    documented = {name for name in table_names("usage.md") if name.startswith("--")}
    assert documented == {f"--ibench-{option.name}" for option in OPTIONS}


def test_every_agent_has_its_row() -> None:
    names = {name.partition(":")[0] for name in table_names("agents.md")}
    assert {kind.name for kind in SCRIPTED_AGENTS} <= names


def test_the_reference_of_actions_is_what_their_declarations_say() -> None:
    assert (ROOT / "docs/actions.md").read_text("utf-8") == reference()


def test_the_reference_of_rules_is_what_they_say() -> None:
    assert (ROOT / "docs/rules.md").read_text("utf-8") == rules_reference(BUILTIN_RULES), "run make docs"


def test_every_command_has_its_line() -> None:
    text = (ROOT / "docs/usage.md").read_text("utf-8")
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]  # an app of commands is a group
    assert {f"ibench {name}" for name in commands} == set(
        re.findall(r"^(ibench [a-z-]+)", text, re.MULTILINE)
    )


def noted_events() -> Iterator[str]:
    """The kinds of events that are written anywhere in the package."""
    for file in (ROOT / "pytest_innovatorbench").rglob("*.py"):
        for call in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(call, ast.Call) and call.args and isinstance(call.args[0], ast.Constant):
                called = getattr(call.func, "attr", getattr(call.func, "id", ""))
                if called in {"note", "_note", "log", "_log", "_record"} and isinstance(
                    call.args[0].value, str
                ):
                    yield call.args[0].value


def test_every_event_is_explained() -> None:
    events = set(noted_events())
    assert {"action", "heard", "why", "window", "ended"} <= events
    assert events <= table_names("usage.md")
