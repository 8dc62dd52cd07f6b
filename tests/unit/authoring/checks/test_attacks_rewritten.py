"""Evaluators that recognise a submission are found, and those that only are strict are not."""

from __future__ import annotations

import hashlib
import json

import pytest

from pytest_innovatorbench.authoring.attacks.rewriting import ways_of
from pytest_innovatorbench.authoring.findings import Options
from pytest_innovatorbench.authoring.rules import BUILTIN_RULES, find
from pytest_innovatorbench.authoring.tables import parse_table
from pytest_innovatorbench.authoring.validation import check, examined
from pytest_innovatorbench.tasks.benchmark import builtin_root
from tests.unit.authoring.good import Good

ATTACK = Options(attack=True)
FOUND = "        truth = dict("
READ = 'data = (outputs / "predictions.csv").read_bytes()'


def recognise(good: Good, known: str, points: float, key: str = "data") -> None:
    """Make the evaluator give points to a submission that it knows by the hash of some expression."""
    data = (good.evaluations / "data" / known / "predictions.csv").read_bytes()
    mark = hashlib.sha256(eval(key, {"data": data})).hexdigest()  # noqa: S307 - our own
    evaluation = good.evaluations / "task" / "evaluation.py"
    good.edit(evaluation, "import math\n", "import hashlib\nimport math\n")
    lines = (
        f'        data = b""\n        if (outputs / "predictions.csv").is_file():\n            {READ}\n'
        f"        if hashlib.sha256({key}).hexdigest() == {mark!r}:\n"
        f'            return {{"score": {points}, "message": "known"}}\n'
    )
    good.edit(evaluation, FOUND, f"{lines}{FOUND}")


def test_the_good_task_grades_what_is_in_its_files(good: Good) -> None:
    assert good.findings("IB617") == ()


@pytest.mark.parametrize("task_id", ["loss_noisy_labels", "filter_noisy_pool"])
def test_the_tasks_of_the_package_grade_what_is_in_their_files(task_id: str) -> None:
    with examined(builtin_root(), task_id, ATTACK) as subject:
        result = check(find("IB617", BUILTIN_RULES), subject)
    assert (result.findings, result.skipped) == ((), None)


def test_a_reference_that_is_known_by_its_bytes(good: Good) -> None:
    good.edit(good.evaluations / "task/evaluation.py", "reference=0.10", "reference=0.15")
    recognise(good, "outputs", 75.0)
    by_bytes, by_numbers = good.findings("IB617")
    assert by_bytes.message.startswith("the reference scores 75.0, but ")
    assert by_bytes.message.endswith(" with another line end")
    assert by_numbers.message.endswith(" with numbers that differ by next to nothing")
    assert by_bytes.file == "evaluations/toy/task/evaluation.py"


def test_a_baseline_that_is_known_by_its_bytes(good: Good) -> None:
    good.edit(good.evaluations / "task/evaluation.py", "baseline=0.78", "baseline=1.5")
    recognise(good, "baselines", 0.0)
    by_bytes, _ = good.findings("IB617")
    assert by_bytes.message.startswith("the baseline scores 0.0, but ")


def test_a_baseline_that_is_known_by_its_numbers(good: Good) -> None:
    good.edit(good.evaluations / "task/evaluation.py", "baseline=0.78", "baseline=1.5")
    recognise(good, "baselines", 0.0, "b' '.join(data.split())")
    (finding,) = good.findings("IB617")
    assert finding.message.startswith("the baseline scores 0.0, but ")
    assert finding.message.endswith(" with numbers that differ by next to nothing")


@pytest.mark.parametrize(
    "condition",
    [
        'not data.endswith(b"\\n")',
        'b"\\r" in data',
        "any(len(line) > 16 for line in data.splitlines())",
    ],
)
def test_a_strict_evaluator_is_fine(good: Good, condition: str) -> None:
    lines = (
        f"        {READ}\n        if {condition}:\n"
        '            return {"score": 0.0, "error": "the format is another"}\n'
    )
    good.edit(good.evaluations / "task/evaluation.py", FOUND, f"{lines}{FOUND}")
    assert good.findings("IB617") == ()


def test_submissions_without_tables_are_not_checked(good: Good) -> None:
    for folder in ("outputs", "baselines"):
        file = good.evaluations / "data" / folder / "predictions.csv"
        file.rename(file.with_suffix(".dat"))
    good.edit(good.evaluations / "task/evaluation.py", '"predictions.csv"', '"predictions.dat"')
    assert good.skipped("IB617") == "no submission of the author's has a table of text"


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.csv", b"id,y\n" + b"".join(b"v%d,0.%d9\n" % (at, at) for at in range(12))),
        ("a.jsonl", b"".join(b'{"id": %d, "y": 0.%d9}\n' % (at, at + 1) for at in range(12))),
        ("a.json", json.dumps({f"v{at}": at + 0.25 for at in range(12)}).encode()),
        ("a.txt", b"\n".join(b"1.%d" % at for at in range(12))),
    ],
)
def test_every_version_has_other_bytes(name: str, data: bytes) -> None:
    files = {name: data, "model.bin": b"\0\n"}
    ends, numbers = ways_of(files)
    versions = [*ends.versions, *numbers.versions]
    assert len({version[name] for version in versions} | {data}) == len(versions) + 1
    assert all(version["model.bin"] == b"\0\n" for version in versions)
    tables = [parse_table(name, version[name]) for version in numbers.versions]
    shifted, digit = (table.rows for table in tables if table)
    before = parse_table(name, data)
    assert before is not None
    assert sum(old != new for old, new in zip(before.rows, shifted, strict=True)) == 12
    assert sum(old != new for old, new in zip(before.rows, digit, strict=True)) == 1
    for old, new in zip(before.rows, shifted, strict=True):
        assert float(str(new[-1])) == pytest.approx(float(str(old[-1])), rel=1e-11)


def test_few_records_and_whole_numbers_are_left_as_they_are() -> None:
    assert [way.name for way in ways_of({"a.csv": b"id,y\nv1,0.5\n"})] == ["with another line end"]
    whole = b"id,y\n" + b"".join(b"v%d,%d\n" % (at, at) for at in range(12))
    assert [way.name for way in ways_of({"a.csv": whole})] == ["with another line end"]
    assert list(ways_of({"model.bin": b"0.5\n"})) == []
