"""Hints, solutions and evaluators are found in what the agent gets; what anybody may repeat is not."""

from __future__ import annotations

import gzip
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.authoring.good import Good
from tests.unit.authoring.leaky import found, only

HINT = "Predict a weighted mean of all training values, with weights that fall with the distance:"
SOLUTION = "evaluations/toy/solution/solve.py"
SMOOTHER = "gym/toy/task/repositories/smoother"


def notes(good: Good, text: str, name: str = "NOTES.md") -> Path:
    file = good.root / SMOOTHER / name
    file.write_text(text)
    return file


def solution(good: Good) -> str:
    return (good.root / SOLUTION).read_text()


def body(good: Good) -> str:
    """Return the functions of the solution that hold its method."""
    return solution(good).partition("\n\n\n")[2].partition("\n\n\ndef main")[0]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        (HINT, 15),
        (HINT.upper().replace(" ", "\n> "), 15),
        ("We predict a *weighted mean* of all training values. With noise, use less.", 9),
        (f"prefix {HINT} suffix", 15),
    ],
)
def test_words_of_the_hint(good: Good, text: str, count: int) -> None:
    notes(good, f"# Notes\n\n{text}\n")
    finding = only(good, "IB504")
    assert finding.message == f"NOTES.md repeats {count} words of hint.md in runs of 8 or more"
    assert (finding.file, finding.line, finding.severity) == (f"{SMOOTHER}/NOTES.md", 3, "error")
    assert finding.remedy == "remove what hint.md says from the file"


def test_words_of_the_hint_in_an_archive_and_a_notebook(good: Good) -> None:
    with zipfile.ZipFile(good.gym / "data" / "datasets" / "docs.zip", "w") as archive:
        archive.writestr("docs/notes.txt", HINT)
    finding = only(good, "IB504")
    name = "gym/toy/data/datasets/docs.zip"
    assert finding.message == f"{name}!docs/notes.txt repeats 15 words of hint.md in runs of 8 or more"
    assert (finding.file, finding.line) == (name, None)
    (good.root / name).unlink()
    words = [word + " " for word in HINT.split()]
    cells = [{"cell_type": "markdown", "source": words}]
    notes(good, json.dumps({"cells": cells}), "look.ipynb")
    finding = only(good, "IB504")
    assert finding.message == "look.ipynb repeats 15 words of hint.md in runs of 8 or more"
    assert (finding.file, finding.line) == (f"{SMOOTHER}/look.ipynb", None)


def test_what_may_be_repeated_of_a_hint(good: Good) -> None:
    notes(good, "# Notes\n\nPredict a mean of training values; weights may fall with the distance.\n")
    assert found(good) == {}
    good.edit(good.evaluations / "task.yaml", "On Estimating Regression", HINT.rstrip(":"))
    notes(good, f"# Notes\n\nSee *{HINT}*\n")
    assert found(good) == {}


def test_a_task_without_a_hint(good: Good) -> None:
    (good.evaluations / "hint.md").unlink()
    notes(good, HINT)
    assert found(good) == {}


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text,
        lambda text: text.replace("    ", "\t"),
        lambda text: text.replace("\n", "\n\n# And now:\n"),
        lambda text: text.replace("\n", "\r\n"),
    ],
    ids=["as it is", "tabs", "spread", "windows"],
)
def test_lines_of_the_solution(good: Good, change: Callable[[str], str]) -> None:
    text = f'"""Tools."""\n\nimport math\n\n{body(good)}\n'
    notes(good, change(text), "tools.py")
    finding = only(good, "IB505")
    assert finding.message == f"tools.py repeats 6 lines of {SOLUTION}"
    assert finding.file == f"{SMOOTHER}/tools.py"
    lines = change(text).replace("\r\n", "\n").split("\n")
    assert finding.line is not None
    assert lines[finding.line - 1].startswith("def predict(")
    assert finding.remedy == (
        "remove these lines from gym/; starting code belongs there, and the solution imports it"
    )


def test_the_solution_in_an_archive(good: Good) -> None:
    (good.gym / "data" / "checkpoints").mkdir(exist_ok=True)
    (good.gym / "data" / "checkpoints" / "code.gz").write_bytes(gzip.compress(solution(good).encode()))
    finding = only(good, "IB505")
    shown = "gym/toy/data/checkpoints/code.gz!code"
    assert finding.message.startswith(f"{shown} repeats ")
    assert finding.message.endswith(f" lines of {SOLUTION}")
    assert finding.line is None


@pytest.mark.parametrize("name", ["task/evaluation.py", "data/make_data.py"])
def test_evaluator_and_data_generator(good: Good, name: str) -> None:
    notes(good, (good.evaluations / name).read_text(), "check.py")
    finding = only(good, "IB505")
    assert finding.message == f"check.py holds most of evaluations/toy/{name}"
    assert finding.file == f"{SMOOTHER}/check.py"


def test_code_that_the_solution_starts_from_is_fine(good: Good) -> None:
    """The whole of a file with one more idea in it."""
    start = body(good)
    notes(good, f"import math\n\n{start}\n", "tools.py")
    smooth = good.root / SMOOTHER / "smooth.py"
    smooth.write_text(f"import tools\n{smooth.read_text()}")
    assert found(good) == {}


def test_the_whole_solution_is_no_start(good: Good) -> None:
    notes(good, solution(good), "tools.py")
    smooth = good.root / SMOOTHER / "smooth.py"
    smooth.write_text(f"import tools\n{smooth.read_text()}")
    assert only(good, "IB505").file == f"{SMOOTHER}/tools.py"


def test_lines_that_any_program_has_are_fine(good: Good) -> None:
    common = "\n".join(
        [
            *("import os", "import sys", "from pathlib import Path", "def main() -> None:", "    try:"),
            *("        parser.add_argument('--seed')", "    finally:", "        return predictions"),
            *("if __name__ == '__main__':", "    main()"),
        ]
    )
    (good.root / SOLUTION).write_text(f"{solution(good)}\n{common}\n")
    notes(good, common, "other.py")
    assert found(good) == {}


def test_data_that_hold_code_as_text(good: Good) -> None:
    """Code is looked for in code; a table's cells are the business of the rules on records."""
    rows = [{"id": number, "code": f"def f{number}(): return {number}"} for number in range(30)]
    (good.gym / "data" / "datasets" / "train.jsonl").write_text("\n".join(map(json.dumps, rows)))
    assert found(good) == {}
