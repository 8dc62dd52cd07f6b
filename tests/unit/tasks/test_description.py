from __future__ import annotations

import re

import pytest

from pytest_innovatorbench.tasks import description
from pytest_innovatorbench.tasks.description import outline, read_lines, sections, stated_limits


def test_sections_are_found_in_every_spelling() -> None:
    text = "# Motivation\nwhy\n## 2. Task\nwhat\n### Constraints ##\nlimits\n## Evaluations:\nhow\n# Other\nmore\n"
    assert sections(text) == {
        "motivation": "why",
        "task": "what",
        "constraint": "limits",
        "evaluation": "how\n# Other\nmore",
    }


@pytest.mark.parametrize(
    "heading",
    [
        "# Constraint",
        "## Constraints",
        "###### CONSTRAINT ######",
        "   ## Constraint",
        "##\tConstraint",
        "## Constraint:",
        "## 4. Constraint",
        "## 4.2 Constraints",
        "## (iv) Constraint",
        "## Section 4: Constraint",
        "## \U0001f512 Constraint",
        "## **Constraint**",
        "**Constraint**",
        "__Constraints:__",
        "**Constraint:**",
        "Constraint\n==========",
        "Constraints\n---",
        "## Task Constraints",
        "# Constraints of the task",
    ],
)
def test_headings_of_all_kinds(heading: str) -> None:
    found = outline(f"# Data\n\nfiles\n\n{heading}\n\n48 hours\n")
    assert found["constraint"].body == "48 hours"
    assert found["constraint"].line == 5
    assert found["data"].body == "files"


@pytest.mark.parametrize(
    "line",
    [
        "#Constraint",
        "####### Constraint",
        "    # Constraint",
        "The **Constraint**",
        "- Constraint\n---",
        "Constraint",
        "<!-- # Constraint -->",
        "<!--\n# Constraint\n-->",
        "```\n# Constraint\n```",
        "~~~ md\n# Constraint\n~~~",
        "> ```\n# Constraint\n```",
    ],
)
def test_what_is_no_heading(line: str) -> None:
    assert set(outline(f"# Data\n\nfiles\n\n{line}\n\n48 hours\n")) == {"data"}


def test_a_rest_on_the_line_of_a_heading_in_bold_belongs_to_the_section() -> None:
    for line in ("**Constraint:** 48 hours", "**Constraint**: 48 hours", "__Constraint.__ 48 hours"):
        assert outline(f"{line}\n")["constraint"].body == "48 hours"
    assert outline("**Constraint** 48 hours\n") == {}


def test_two_sections_may_share_a_heading() -> None:
    found = outline("# Motivation\nwhy\n# Data and Environment\nboth\n")
    assert (found["data"].body, found["environment"].body) == ("both", "both")
    assert found["data"].line == found["environment"].line == 3


def test_a_section_may_come_in_two_parts() -> None:
    found = outline("# Task\nwhat\n# Data\nfiles\n# Task\nmore\n")
    assert (found["task"].body, found["task"].line) == ("what\nmore", 1)


def test_names_below_the_level_of_sections_are_part_of_them() -> None:
    found = outline("# Task\nwhat\n## Data\nmine\n# Data\nfiles\n")
    assert found["task"].body == "what\n## Data\nmine"
    assert found["data"].body == "files"


@pytest.mark.parametrize("end", ["\r\n", "\r", "\n"])
def test_line_ends_of_all_systems(end: str) -> None:
    text = "# Task\n\nwhat\n\nData\n====\nfiles\n".replace("\n", end)
    assert sections(text) == {"task": "what", "data": "files"}
    assert outline(text)["data"].line == 5


def test_a_byte_order_mark_is_no_part_of_the_first_heading() -> None:
    assert sections("\ufeff# Task\nwhat\n") == {"task": "what"}


def test_headings_in_fences_are_text() -> None:
    text = (
        "# Data\n````md\n```\n# Task\n```\n# Evaluation\n````\nafter\r\n~~~\n# Task\n~~~\n# Environment\nx\n"
    )
    found = sections(text)
    assert set(found) == {"data", "environment"}
    assert "# Task" in found["data"]


def test_fences_nest_in_items_and_in_other_fences() -> None:
    text = "# Data\n- ```\n  # Task\n  ~~~\n  ```\n~~~~\n```\n~~~\n# Task\n~~~~\n# Evaluation\nhow\n"
    assert set(sections(text)) == {"data", "evaluation"}


def test_a_fence_that_is_never_closed_takes_the_rest() -> None:
    assert set(sections("# Data\n```\n# Task\nwhat\n")) == {"data"}


def test_a_fence_is_not_opened_by_code_on_one_line() -> None:
    assert sections("# Data\n``` `` ```\n# Task\nwhat\n")["task"] == "what"


def test_comments_are_left_out_and_code_about_them_is_not() -> None:
    text = "# Data\na<!-- b -->c `<!-- d -->`\n<!--\n# Task\n-->\n```\n<!-- e -->\n```\n"
    assert sections(text) == {"data": "ac `<!-- d -->`\n\n\n\n```\n<!-- e -->\n```"}


@pytest.mark.parametrize(
    ("body", "is_empty"),
    [
        ("", True),
        ("  \n\t\n", True),
        ("<!-- to do -->", True),
        ("### Files", True),
        ("---", True),
        ("```\n```", True),
        ("...", True),
        ("files", False),
        ("```\nls\n```", False),
        ("- x", False),
    ],
)
def test_empty_sections(body: str, *, is_empty: bool) -> None:
    assert outline(f"# Data\n{body}\n# Task\nwhat\n")["data"].is_empty is is_empty


@pytest.mark.parametrize("text", ["", "\n", "\ufeff", "text", "# \n## \n#\n", "---", "===\n", "<!--", "```"])
def test_texts_without_sections(text: str) -> None:
    assert outline(text) == {}


def test_a_long_text_takes_no_time() -> None:
    text = "# Data\n" + "**" * 100_000 + "\n" + "<!--" * 20_000 + "\n" + "`" * 100_000
    assert set(outline(text)) == {"data"}


class Counting:
    """A pattern that counts the characters it has looked at."""

    def __init__(self, pattern: re.Pattern[str]) -> None:
        self._pattern = pattern
        self.characters = 0

    def search(self, text: str, start: int = 0) -> re.Match[str] | None:
        found = self._pattern.search(text, start)
        self.characters += (found.end() if found else len(text)) - start
        return found


@pytest.mark.parametrize("unit", ["<!-- a -->", "`<!--` <!-- ` -->", "<!--", "a "])
def test_a_line_of_comments_is_looked_through_once(monkeypatch: pytest.MonkeyPatch, unit: str) -> None:
    counting = Counting(description._SPAN_OR_COMMENT)
    monkeypatch.setattr(description, "_SPAN_OR_COMMENT", counting)
    line = unit * 1_000
    read_lines(line)
    assert 0 < counting.characters <= len(line)


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("a <!-- b --> c <!-- d --> e", "a  c  e"),
        ("`<!-- a` b <!-- c", "`<!-- a` b "),
        ("a ` <!-- b ` c --> d", "a ` <!-- b ` c --> d"),
        ("a <!-- ` --> ` b <!-- c ` -->", "a  ` b <!-- c ` -->"),
        ("`a` ``<!--`` `b` <!-- --> <!---->`c`", "`a` ``<!--`` `b`  `c`"),
    ],
)
def test_comments_and_code_on_one_line(line: str, shown: str) -> None:
    assert [one.text for one in read_lines(line)] == [shown]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("- Training time limit: 16 hours", {"training_seconds": 57_600.0}),
        ("* The evaluation must take at most 10 minutes.", {"evaluation_seconds": 600.0}),
        ("**Working time**: 2 days", {"working_seconds": 172_800.0}),
        ("Inference: 90 s", {"evaluation_seconds": 90.0}),
        ("GPUs: 8 x 80 GB", {}),
        ("Train on 8 GPUs", {}),
        ("There is no limit on training time.", {}),
    ],
)
def test_limits_are_read_with_their_units(line: str, expected: dict[str, float]) -> None:
    assert stated_limits(sections(f"# Constraint\n{line}\n")) == expected


def test_limits_come_from_the_constraint_section_alone() -> None:
    assert stated_limits(sections("# Task\nTraining time limit: 2 hours\n")) == {}


def test_lines_keep_their_numbers() -> None:
    section = outline("# Task\n\nwhat\n\n## Constraint\n\n### Time\n2 h<!-- x -->\n")["constraint"]
    assert section.numbered == ((6, ""), (7, "### Time"), (8, "2 h"), (9, ""))
