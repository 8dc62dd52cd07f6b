from __future__ import annotations

import pytest

from pytest_innovatorbench.tasks.description import sections, stated_limits


def test_sections_are_found_in_every_spelling() -> None:
    text = "# Motivation\nwhy\n## 2. Task\nwhat\n### Constraints ##\nlimits\n## Evaluations:\nhow\n# Other\nmore\n"
    assert sections(text) == {
        "motivation": "why",
        "task": "what",
        "constraint": "limits",
        "evaluation": "how\n# Other\nmore",
    }


def test_headings_in_fences_are_text() -> None:
    text = (
        "# Data\n````md\n```\n# Task\n```\n# Evaluation\n````\nafter\r\n~~~\n# Task\n~~~\n# Environment\nx\n"
    )
    found = sections(text)
    assert set(found) == {"data", "environment"}
    assert "# Task" in found["data"]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("- Training time limit: 16 hours", {"training_seconds": 57_600.0}),
        ("* The evaluation must take at most 10 minutes.", {"evaluation_seconds": 600.0}),
        ("**Working time**: 2 days", {"working_seconds": 172_800.0}),
        ("Inference: 90 s", {"evaluation_seconds": 90.0}),
        ("GPUs: 8 x 80 GB", {}),
        ("Train on 8 GPUs", {}),
    ],
)
def test_limits_are_read_with_their_units(line: str, expected: dict[str, float]) -> None:
    assert stated_limits(sections(f"# Constraint\n{line}\n")) == expected


def test_limits_come_from_the_constraint_section_alone() -> None:
    assert stated_limits(sections("# Task\nTraining time limit: 2 hours\n")) == {}
