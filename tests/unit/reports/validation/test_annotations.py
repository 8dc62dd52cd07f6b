from __future__ import annotations

import re

from pytest_innovatorbench.reports.validation.annotations import render_annotations
from tests.unit.reports.validation.samples import SHOWN, example, hostile, toy

COMMAND = re.compile(r"^::(error|warning|notice) ((?:\w+=[^:,]*)(?:,\w+=[^:,]*)*)::(.*)$")


def unescaped(text: str) -> str:
    for code, character in (("%2C", ","), ("%3A", ":"), ("%25", "%")):
        text = text.replace(code, character)
    return text


def test_findings_annotate_their_lines() -> None:
    assert render_annotations(example(toy())) == (
        "::error file=gym/toy/a b.txt,line=3,title=XX100 a-rule::it is bad (mend it)\n"
        "::warning file=gym/toy/a b.txt,title=XX100 a-rule::so so (mend it)\n"
        "::notice file=gym/toy/a b.txt,title=XX101 a-rule (waived)::waived, as we want it so: on purpose\n"
        "::notice file=gym/toy/a b.txt,title=XX103 a-rule::look (mend it)\n"
        "1 task: 1 error, 1 warning, 1 note; 1 waived; 1 rule not checked\n"
    )


def test_files_are_named_from_the_root_of_the_repository() -> None:
    assert "file=bench/marks/gym/toy/a b.txt," in render_annotations(example(toy(), folder="bench/marks/"))


def test_texts_of_strangers_give_no_command_of_their_own() -> None:
    *commands, _ = render_annotations(example(hostile())).splitlines()
    assert len(commands) == 2
    for command in commands:
        match = COMMAND.match(command)
        assert match, command
        properties = dict(part.split("=", 1) for part in match[2].split(","))
        assert properties.keys() == {"file", "line", "title"}
        assert unescaped(properties["file"]) == f"gym/{SHOWN}"
        assert SHOWN in unescaped(match[3])
