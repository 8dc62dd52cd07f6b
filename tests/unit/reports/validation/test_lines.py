from __future__ import annotations

from pytest_innovatorbench.reports.validation.document import summary_text
from pytest_innovatorbench.reports.validation.lines import render_text
from tests.unit.reports.validation.samples import SHOWN, clean, example, hostile, toy

FOUND = """\
toy
  gym/toy/a b.txt:3: XX100 error: it is bad
      mend it
  gym/toy/a b.txt: XX100 warning: so so
      mend it
  XX101 a-rule is waived: we want it so
  gym/toy/a b.txt: XX101 waived: on purpose
  gym/toy/a b.txt: XX103 note: look
      mend it
"""


def test_findings_stand_below_their_task_and_waivers_with_their_reason() -> None:
    assert render_text(example(toy(), clean())) == (
        f"{FOUND}\n"
        "2 tasks: 1 error, 1 warning, 1 note; 1 waived; 1 rule not checked (-v says which, and why)\n"
    )


def test_what_was_not_checked_is_listed_when_asked_for() -> None:
    assert render_text(example(toy()), verbose=True) == (
        f"{FOUND}"
        "  not checked: XX102: the task cannot be loaded\n\n"
        "1 task: 1 error, 1 warning, 1 note; 1 waived; 1 rule not checked\n"
    )


def test_nothing_found_is_said_in_one_line() -> None:
    assert render_text(example(clean())) == "1 task: nothing found\n"
    assert summary_text(example()) == "no task to validate"


def test_texts_of_strangers_stay_on_their_line() -> None:
    lines = render_text(example(hostile()), verbose=True).splitlines()
    assert all(line.isprintable() for line in lines)
    assert lines[:3] == [SHOWN, f"  gym/{SHOWN}:7: XX104 error: {SHOWN}", f"      {SHOWN}"]
    assert lines[3:6] == [
        f"  XX100 a-rule is waived: {SHOWN}",
        f"  gym/{SHOWN}:7: XX100 waived: {SHOWN}",
        f"  not checked: XX101: {SHOWN}",
    ]
