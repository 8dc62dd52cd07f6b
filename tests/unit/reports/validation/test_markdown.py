from __future__ import annotations

import re
from dataclasses import replace

from pytest_innovatorbench.authoring.model import Checked
from pytest_innovatorbench.reports.validation.markdown import MOST_LISTED, render_markdown
from tests.unit.reports.validation.samples import RULES, clean, example, finding, hostile, toy

TOY = r"""# Validation of tasks

1 task: 1 error, 1 warning, 1 note; 1 waived; 1 rule not checked.

## toy

**1 error** in 1.0s.

| Rule | Severity | Where | What | Remedy |
| --- | --- | --- | --- | --- |
| XX100 a-rule | error | gym/toy/a b.txt:3 | it is bad | mend it |
| XX100 a-rule | warning | gym/toy/a b.txt | so so | mend it |
| XX103 a-rule | note | gym/toy/a b.txt | look | mend it |

| Waived | Reason | Finding |
| --- | --- | --- |
| XX101 a-rule | we want it so | gym/toy/a b.txt: on purpose |

Calibration: the baseline is to score 0-5, the reference 70-80.

| Submission | Score | acc\|uracy | Verdict |
| --- | --: | --: | --- |
| baseline | 0.0 | - | in band |
| reference | 66.6 | 0.5 | off: below 70 |

Not checked:

- XX102: the task cannot be loaded
"""


def test_page_has_findings_waivers_and_calibration() -> None:
    assert render_markdown(example(toy())) == TOY


def test_a_task_without_errors_says_so() -> None:
    text = render_markdown(example(clean()))
    assert "## clean\n\nNo errors in 0.0s.\n" in text
    assert "|" not in text


def test_long_lists_are_cut_and_counted() -> None:
    many = tuple(finding(f"number {number}") for number in range(MOST_LISTED + 5))
    text = render_markdown(
        example(replace(toy(), checked=(Checked(rule=RULES[0], task_id="toy", findings=many),)))
    )
    assert f"number {MOST_LISTED - 1} |" in text
    assert f"number {MOST_LISTED} |" not in text
    assert "\n5 more are left out here.\n" in text


def test_texts_of_strangers_are_shown_as_they_are() -> None:
    text = render_markdown(example(hostile()))
    assert all(line.isprintable() or "\u2060" in line for line in text.splitlines())
    assert "<b>" not in text
    assert not re.search(r"@(?!&#8288;)", text)
    for block in text.split("\n\n"):
        rows = block.splitlines() if block.startswith("|") else []
        assert len({len(re.findall(r"(?<!\\)\|", row)) for row in rows}) <= 1, block
