"""Evaluators that misbehave: whose fault it is, in one line, and nobody else suffers."""

from __future__ import annotations

import json
import textwrap
from typing import Any

from tests.acceptance.conftest import Bench, by_task, events

IN_RUN = "in run_1 (metric_0)"
BAD = {
    "raises": ("raise RuntimeError('the label is 4711')", f"evaluator raised RuntimeError {IN_RUN}"),
    "hangs": ("time.sleep(600)", "evaluator did not finish within 2 s"),
    "deaf": (
        "signal.signal(signal.SIGTERM, signal.SIG_IGN); os.closerange(0, 99); time.sleep(600)",
        "evaluator ended with status 0 before it returned results",
    ),
    "forks": ("while os.fork() or True: pass", f"evaluator raised BlockingIOError {IN_RUN}"),
    "leaves": ("os._exit(0)", "evaluator ended with status 0 before it returned results"),
    "quits": ("sys.exit('4711')", "evaluator raised SystemExit in validate"),
    "dies": (
        "os.kill(os.getpid(), signal.SIGKILL)",
        "evaluator was killed by signal 9 before it returned results",
    ),
    "recurses": ("return self.run_1()", f"evaluator raised RecursionError {IN_RUN}"),
    "nan": (
        "return {'score': float('nan')}",
        f"evaluator's score {IN_RUN} is nan, not a finite number",
    ),
    "infinite": (
        "return {'score': float('-inf')}",
        f"evaluator's score {IN_RUN} is -inf, not a finite number",
    ),
    "boolean": (
        "return {'score': True}",
        f"evaluator's score {IN_RUN} is true or false, not a finite number",
    ),
    "text": (
        "return {'score': '80'}",
        f"evaluator's score {IN_RUN} is a string, not a finite number",
    ),
    "string": ("return '80'", f"evaluator returned a string instead of a dict {IN_RUN}"),
    "nothing": ("return None", f"evaluator returned null instead of a dict {IN_RUN}"),
    "floods": (
        "return {'score': 1, 'message': 'x' * 2_000_000}",
        "evaluator's results are larger than 1 MiB",
    ),
}
ODD = {
    "negative": ("return {'score': -5}", 0),
    "huge": ("return {'score': 1e9}", 100),
    "loud": ("[sys.stdout.write('4711' * 2**18) for _ in range(250)]; return {'score': 50}", 50),
    "parent": ("os.fork() or time.sleep(600); return {'score': 51}", 51),
}

# In huge pages, which are given out quickly.
EATS = """
import mmap
memory = mmap.mmap(-1, 2 * 2**30, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
memory.madvise(mmap.MADV_HUGEPAGE)
for place in range(0, len(memory), 4096):
    memory[place] = 1
return {"score": 99}
"""


def test_bad_evaluators_are_named_and_the_others_score(bench: Bench) -> None:
    for name, (body, said) in (BAD | ODD).items():
        _add(bench, name, body, seconds=2 if "within 2 s" in str(said) else 60)
    bench.tree.add_task("good")
    result, report = bench.report("-v", "--ibench-concurrency=2", "--junit-xml=junit.xml")
    assert result.ret == 1
    result.assert_outcomes(passed=len(ODD) + 1, errors=len(BAD))
    attempts = by_task(report)
    assert {name: _outcome(attempts[name]) for name in BAD} == {
        name: ("unscoreable", "evaluator", None, error) for name, (_, error) in BAD.items()
    }
    assert {name: _outcome(attempts[name]) for name in ODD} == {
        name: ("scored", None, score, None) for name, (_, score) in ODD.items()
    }
    assert attempts["good"]["final"] == 75
    for _, error in BAD.values():
        result.stdout.fnmatch_lines([f"UNSCOREABLE, the evaluator's fault: {error.replace('[', '[[]')}"])
    result.stdout.fnmatch_lines([f"*weighted average*{len(ODD) + 1} of {len(BAD) + len(ODD) + 1} tasks*"])
    assert "4711" not in result.stdout.str() + result.stderr.str() + json.dumps(report)
    assert "4711" not in (bench.pytester.path / "junit.xml").read_text()
    (verdict,) = events(attempts["raises"], "evaluation")
    assert "the label is 4711" in verdict["detail"], "the record has lost the traceback"


def test_an_evaluator_that_eats_memory_is_stopped(bench: Bench) -> None:
    _add(bench, "eats", EATS, seconds=60, more=", evaluation_memory_gb: 0.25")
    bench.tree.add_task("good")
    _, report = bench.report()
    attempts = by_task(report)
    assert _outcome(attempts["eats"])[:3] == ("unscoreable", "evaluator", None)
    assert attempts["eats"]["error"] in {
        "evaluator ran out of memory (limit 256 MiB)",
        f"evaluator raised MemoryError {IN_RUN}",
        f"evaluator raised OSError {IN_RUN}",
    }
    assert attempts["good"]["final"] == 75


def _add(bench: Bench, name: str, body: str, *, seconds: int = 2, more: str = "") -> None:
    lines = [
        "import os, signal, sys, time",
        "from evaluations.base.base_eval import BaseBenchmark",
        "class TaskBenchmark(BaseBenchmark):",
        "    def run_1(self):",
        textwrap.indent(body, "        "),
    ]
    bench.tree.add_task(
        name,
        manifest=f"{{domain: LD, limits: {{evaluation_seconds: {seconds}{more}}}}}",
        evaluation="\n".join(lines),
    )


def _outcome(attempt: dict[str, Any]) -> tuple[str, str | None, float | None, str | None]:
    return attempt["status"], attempt["fault"], attempt["final"], attempt["error"]
