"""All rules on leaks look at a dataset of two gigabytes in little memory and time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_innovatorbench.authoring.checks import leaks
from tests.unit.authoring.good import TASK, Good

PROGRAM = """\
import json, resource, sys
from pathlib import Path

import detect_secrets, numpy, pyarrow.parquet
from pytest_innovatorbench.authoring.checks import leaks
from pytest_innovatorbench.authoring.findings import Options
from pytest_innovatorbench.authoring.validation import check, examined

used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 400_000_000,) * 2)
with examined(Path(sys.argv[1]), sys.argv[2], Options()) as subject:
    results = [check(rule, subject) for rule in leaks.RULES]
found = [[r.rule.code, f.file, f.message, f.line] for r in results for f in r.findings]
print(json.dumps({"found": found, "skipped": [r.skipped for r in results if r.skipped]}))
"""


def examine(good: Good) -> list[list[object]]:
    """Return what the rules find in a process with 400 MB besides what it begins with."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(good.root), TASK],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["skipped"] == []
    found: list[list[object]] = said["found"]
    return found


def make_large(file: Path, head: str) -> None:
    """Make a file that begins and ends with lines, and has a hole of two gigabytes between."""
    rows = "\n".join(f"r{number},{number}.5" for number in range(100_000))
    file.write_text(f"{head}{rows}\n")
    os.truncate(file, 2 * 10**9)
    with file.open("a") as opened:
        opened.write(f"\n{rows.replace('r', 's')}\n")


def test_the_limit_bites() -> None:
    program = PROGRAM.partition("with examined")[0] + "bytes(500_000_000)"
    done = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True)
    assert "MemoryError" in done.stderr


@pytest.mark.slow
def test_every_rule_on_two_gigabytes(good: Good) -> None:
    assert {rule.code for rule in leaks.RULES} == {f"IB50{number}" for number in range(1, 10)}
    name = "gym/toy/data/datasets/large.csv"
    unread = [
        "IB509",
        name,
        f"{name}: compared as a whole only; of more than 8 MB, only samples are read",
        None,
    ]
    make_large(good.root / name, "id,x\n")
    assert examine(good) == [unread]
    truth = good.evaluations / "data" / "references" / "truth.csv"
    make_large(good.root / name, truth.read_text())
    leak, *others = examine(good)
    assert leak == [
        "IB502",
        name,
        "large.csv holds 50 of the 50 answers in evaluations/toy/data/references/truth.csv in the column y",
        2,
    ]
    assert others == [unread]
