"""Running pytest with the plugin on a benchmark."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Tree


@dataclass(frozen=True, slots=True)
class Bench:
    """A benchmark in pytester's folder and runs of pytest on it."""

    pytester: pytest.Pytester
    tree: Tree

    def run(self, *args: str, agent: str = "oracle") -> pytest.RunResult:
        return self.pytester.runpytest_subprocess(f"--ibench-agent={agent}", *args, timeout=120)

    def report(self, *args: str, agent: str = "oracle") -> tuple[pytest.RunResult, dict[str, Any]]:
        """Run and read the JSON report."""
        file = self.pytester.path / "report.json"
        result = self.run(f"--ibench-report=json:{file}", *args, agent=agent)
        return result, json.loads(file.read_text("utf-8"))

    def ibench(self, *args: str) -> pytest.RunResult:
        """Run the ``ibench`` command."""
        return self.pytester.run(sys.executable, "-m", "pytest_innovatorbench", *args)

    def records(self) -> list[Path]:
        """The folders of all attempts, of all runs."""
        return sorted((self.pytester.path / ".ibench" / "runs").glob("*/attempts/*"))


@pytest.fixture
def bench(pytester: pytest.Pytester) -> Bench:
    """An empty benchmark, so that tests add the tasks they are about."""
    tree = Tree(pytester.path)
    (pytester.path / "gym").mkdir()
    (pytester.path / "evaluations").mkdir()
    pytester.makeini("[pytest]\naddopts = -p no:cacheprovider\n")
    return Bench(pytester, tree)
