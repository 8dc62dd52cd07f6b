"""``ibench compare`` on runs that were made."""

from __future__ import annotations

from tests.plugin.conftest import Bench


def test_runs_are_compared_and_drawn(bench: Bench) -> None:
    bench.tree.add_task()
    bench.run("--ibench-seeds=2", "--ibench-run-id=first")
    bench.run("--ibench-seeds=2", "--ibench-run-id=second", agent="baseline")
    runs = [str(bench.pytester.path / ".ibench" / "runs" / name) for name in ("first", "second")]
    shown = bench.ibench("compare", *runs, "--png", "agents.png", "--html", "agents.html")
    assert shown.ret == 0
    assert [line.split() for line in shown.outlines[:2]] == [
        ["oracle", "baseline"],
        ["toy", "75.0", "[75.0,", "75.0]", "0.0", "[0.0,", "0.0]"],
    ]
    assert shown.outlines[-2:] == [
        f"written: {bench.pytester.path / name}" for name in ("agents.png", "agents.html")
    ]
    assert (bench.pytester.path / "agents.png").read_bytes().startswith(b"\x89PNG")
    assert "Agents side by side" in (bench.pytester.path / "agents.html").read_text("utf-8")


def test_what_is_no_run_is_said(bench: Bench) -> None:
    nowhere = bench.pytester.path / "nowhere"
    shown = bench.ibench("compare", str(nowhere))
    assert shown.ret == 2
    assert shown.errlines == [f"ibench: {nowhere} is no run: give a folder below .ibench/runs"]
