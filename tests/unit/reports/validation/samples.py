"""A validation with something of everything, in which every text is a stranger's."""

from __future__ import annotations

from pytest_innovatorbench.authoring.calibration.survey import Row
from pytest_innovatorbench.authoring.findings import Finding
from pytest_innovatorbench.authoring.model import Checked, Rule
from pytest_innovatorbench.authoring.validation import Examined
from pytest_innovatorbench.reports.validation.document import Validation

# An escape sequence, line ends, what XML cannot hold, half a surrogate pair, a text-direction mark, and
# what GitHub's commands, Markdown, HTML and URIs are made of.
HOSTILE = "a\x1b[31m\r\n::error::b\x00\ufffe\udc80\u202e|`*<b>&%0A,\"'@all ]]>"
SHOWN = "a\\x1b[31m ::error::b\\x00\\ufffe\\udc80\\u202e|`*<b>&%0A,\"'@all ]]>"


def rule(code: str, name: str = "a-rule", summary: str = "It holds.") -> Rule:
    return Rule(code=code, name=name, summary=summary, why="So.", remedy="mend it", check=lambda _: ())


def finding(message: str = "it is bad", severity: str = "error", **rest: object) -> Finding:
    values = {"file": "gym/toy/a b.txt", "remedy": "mend it", "severity": severity, **rest}
    return Finding(message=message, **values)  # type: ignore[arg-type]  # short for tests


RULES = [rule("XX100"), rule("XX101"), rule("XX102"), rule("XX103"), rule("XX104", HOSTILE, HOSTILE)]
ROWS = (
    Row(kind="baseline", name="baseline", score=0.0, unclamped=-0.25, verdict="in band", is_fine=True),
    Row(
        kind="reference",
        name="reference",
        score=66.6,
        metrics={"acc|uracy": 0.5},
        verdict="below 70",
        is_fine=False,
    ),
)


def example(*tasks: Examined, folder: str = "") -> Validation:
    return Validation(rules=RULES, tasks=tasks, seconds=1.25, harness="1.0", folder=folder)


def toy() -> Examined:
    return Examined(
        task_id="toy",
        checked=(
            Checked(rule=RULES[0], task_id="toy", findings=(finding(line=3), finding("so so", "warning"))),
            Checked(rule=RULES[1], task_id="toy", findings=(finding("on purpose"),), waived="we want it so"),
            Checked(rule=RULES[2], task_id="toy", skipped="the task cannot be loaded", seconds=0.5),
            Checked(rule=RULES[3], task_id="toy", findings=(finding("look", "note"),)),
        ),
        scores=ROWS,
        seconds=1.0,
    )


def clean() -> Examined:
    return Examined(task_id="clean", checked=(Checked(rule=RULES[0], task_id="clean"),))


def hostile() -> Examined:
    bad = finding(HOSTILE, file=f"gym/{HOSTILE}", line=7, remedy=HOSTILE)
    return Examined(
        task_id=HOSTILE,
        checked=(
            Checked(rule=RULES[4], task_id=HOSTILE, findings=(bad,)),
            Checked(rule=RULES[0], task_id=HOSTILE, findings=(bad,), waived=HOSTILE),
            Checked(rule=RULES[1], task_id=HOSTILE, skipped=HOSTILE),
        ),
        scores=(Row(kind="intermediate", name="x|y", metrics={HOSTILE: 1.0}, verdict="a|b", is_fine=True),),
    )
