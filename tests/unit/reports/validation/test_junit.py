from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from pytest_innovatorbench.reports.validation.junit import render_junit
from tests.unit.reports.validation.samples import SHOWN, clean, example, hostile, toy


def cases(*tasks: Any) -> list[ET.Element]:
    return list(ET.fromstring(render_junit(example(*tasks)).encode()).iter("testcase"))  # noqa: S314 - our own


def test_errors_fail_and_what_is_waived_or_not_checked_is_skipped() -> None:
    found, waived, skipped, noted = cases(toy())
    assert found.attrib == {"classname": "validate.toy", "name": "XX100 a-rule", "time": "0.000"}
    failure = found.find("failure")
    assert failure is not None
    assert failure.get("message") == "it is bad"
    assert failure.text == "gym/toy/a b.txt:3: error: it is bad\n    mend it"
    assert found.findtext("system-out") == "gym/toy/a b.txt: warning: so so\n    mend it"
    assert [case.find("skipped").get("message") for case in (waived, skipped)] == [  # type: ignore[union-attr]
        "waived: we want it so",
        "the task cannot be loaded",
    ]
    assert waived.findtext("system-out") == "gym/toy/a b.txt: error: on purpose\n    mend it"
    assert [child.tag for child in noted] == ["system-out"]


def test_a_reader_of_what_pytest_writes_reads_it(tmp_path: Path) -> None:
    file = tmp_path / "junit.xml"
    file.write_text(render_junit(example(toy(), clean())), "utf-8")
    suites = list(importlib.import_module("junitparser").JUnitXml.fromfile(str(file)))
    assert [(suite.name, suite.tests, suite.failures, suite.errors, suite.skipped) for suite in suites] == [
        ("toy", 4, 1, 0, 2),
        ("clean", 1, 0, 0, 0),
    ]
    assert [case.is_passed for case in suites[0]] == [False, False, False, True]


def test_texts_of_strangers_hold_nothing_that_xml_cannot() -> None:
    failed, waived, skipped = cases(hostile())
    failure = failed.find("failure")
    assert failure is not None
    assert (failed.get("classname"), failure.get("message")) == (f"validate.{SHOWN}", SHOWN)
    assert [case.find("skipped").get("message") for case in (waived, skipped)] == [  # type: ignore[union-attr]
        f"waived: {SHOWN}",
        SHOWN,
    ]
