"""Text that is made to break terminals, parsers and pages."""

from __future__ import annotations

import json
import re
import unicodedata
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from typing import Any

import pytest

from tests.acceptance.conftest import Bench, by_task

HOSTILE = (
    "\x1b]0;owned\x07\x1b[2J\x1b[31m\x9b31m \x00\x08\x0c\r\n\u202e\u2028\ufffe\ud800 ]]> </script>"
    "<script>alert(4711)</script> ![x](http://evil) | `a` | \" ' & {} %s [red] " + "A" * 100_000
)
# What a terminal acts upon, a line breaks at, or XML forbids.
BAD = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)

EVALUATION = """
from evaluations.base.base_eval import BaseBenchmark

HOSTILE = {text!r}

class TaskBenchmark(BaseBenchmark):
    def run_1(self):
        {body}
"""
BODIES = {
    "message": 'return {"score": 5, "message": HOSTILE, "error": HOSTILE}',
    "violation": 'return {"score": 5, "violation": HOSTILE}',
    "raises": "raise RuntimeError(HOSTILE)",
    "named": 'raise type("E\\x1b[31m\\n<script>", (Exception,), {})(HOSTILE)',
    "metrics": 'return {"score": 5, HOSTILE[:50]: HOSTILE, "deep": [[[HOSTILE]]]}',
    "prints": "print(HOSTILE.encode('utf-8', 'replace').decode()); return {'score': 5}",
}
AGENT = r"""
import os, sys
os.makedirs("data/outputs/\x1b[31m\n<script>alert(4711)</script>", exist_ok=True)
os.symlink("/etc/\x1b[31mpasswd\n<script>", "data/outputs/\x1b[2J\nlink")
sys.stdout.buffer.write(%r.encode("utf-8", "surrogatepass"))
sys.exit(3)
"""


@pytest.mark.parametrize("mode", [[], ["-n1"]], ids=["plain", "xdist"])
def test_reports_stay_clean_and_valid(bench: Bench, mode: list[str]) -> None:
    for name, body in BODIES.items():
        bench.tree.add_task(name, evaluation=EVALUATION.format(text=HOSTILE, body=body))
    bench.tree.add_task("agent", solution="python3 /solution/agent.py")
    bench.tree.write(
        "evaluations/agent/solution/agent.py", AGENT % (HOSTILE[:400] + HOSTILE[-400:] + HOSTILE[:100])
    )
    files = ("--ibench-report=md:r.md", "--ibench-report=html:r.html", "--junit-xml=j.xml", "--html=p.html")
    result, report = bench.report("-v", "-rA", *files, *mode)
    assert result.ret == 1
    attempts = by_task(report)
    assert len(attempts) == len(BODIES) + 1
    assert {
        name: attempt["final"] for name, attempt in attempts.items() if attempt["status"] == "scored"
    } == {
        "message": 5,
        "metrics": 5,
        "prints": 5,
    }
    assert {name for name, attempt in attempts.items() if attempt["status"] == "violation"} == {
        "agent",
        "violation",
    }
    path = bench.pytester.path
    texts = {
        name: (path / name).read_text("utf-8")
        for name in ("report.json", "r.md", "r.html", "j.xml", "p.html")
    }
    texts["terminal"] = result.stdout.str() + result.stderr.str()
    bad = {name: sorted({*map(_name, BAD.findall(text))}) for name, text in texts.items()}
    assert bad == {name: [] for name in texts}
    for attempt in attempts.values():
        assert not BAD.search(attempt["error"] or ""), attempt["error"]
        assert "\n" not in (attempt["error"] or "")
        assert len(attempt["error"] or "") < 1500
    assert max(map(len, texts["terminal"].splitlines())) < 3000
    ET.fromstring(texts["j.xml"])  # noqa: S314 - our own file
    assert _scripts(texts["r.html"]) == []
    outside_code = re.sub(r"(`+) .*? \1(?!`)", "", texts["r.md"])
    assert "<script>" not in outside_code


def test_titles_are_shown_harmlessly(bench: Bench) -> None:
    title = r"x\e]0;owned\a\e[2J\u202e <script>alert(4711)</script>"
    bench.tree.add_task(manifest=f'{{domain: LD, title: "{title}"}}')
    result, _ = bench.report("-v", "--ibench-report=html:r.html")
    assert result.ret == 0
    shown = bench.ibench("list")
    assert shown.ret == 0
    for text in (result.stdout.str(), shown.stdout.str(), (bench.pytester.path / "r.html").read_text()):
        assert not BAD.search(text), sorted({*map(_name, BAD.findall(text))})
        assert "<script>alert" not in (bench.pytester.path / "r.html").read_text()


def test_an_exception_of_an_agent_in_python_is_one_clean_line(bench: Bench) -> None:
    bench.tree.add_task()
    bench.pytester.makeconftest(
        f"""
        from pytest_innovatorbench import AgentKind

        class Rude:
            binds = ()

            def __init__(self, request):
                pass

            def run(self, gym):
                raise ValueError({HOSTILE[:300]!r})

        def pytest_ibench_agents():
            return [AgentKind(name="rude", make=lambda request: Rude(request))]
        """
    )
    result, report = bench.report("-n1", "--junit-xml=j.xml", "-rA", "--ibench-fail-under=1", agent="rude")
    (attempt,) = report["attempts"]
    assert (attempt["status"], attempt["ending"]) == ("scored", "crashed")
    assert not BAD.search(attempt["error"]), ascii(attempt["error"])
    assert not BAD.search(result.stdout.str())
    ET.parse(bench.pytester.path / "j.xml")  # noqa: S314 - our own file
    json.dumps(report).encode()


def _name(character: str) -> str:
    return unicodedata.name(character, ascii(character))


def _scripts(page: str) -> list[Any]:
    """Scripts and handlers in a page that are not its own."""
    found: list[Any] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            if tag in {"script", "iframe", "img", "object", "link"} or any(
                n.startswith("on") for n, _ in attrs
            ):
                found.append((tag, attrs))

    Reader().feed(page)
    return found
