"""Outputs that are made to trip whoever reads them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.conftest import COUNTS_FILES, Bench, by_task, events, submitted

# What the agent leaves, how many files count, whether it is a violation, and what is refused.
LEFT: dict[str, tuple[str, int, str | None, dict[str, str]]] = {
    "missing": ("rm -r data/outputs", 0, None, {}),
    "not_a_folder": ("rmdir data/outputs; echo x >data/outputs", 0, None, {}),
    "nothing": ("true", 0, None, {}),
    "inner_link": ("cd data/outputs; ln -s ../../task t; echo x >ok", 1, None, {"t": "a link"}),
    "passwd": (
        "cd data/outputs; ln -s /etc/passwd p; echo x >ok",
        1,
        "link p points out of the workspace to /etc/passwd",
        {"p": "a link"},
    ),
    "references": (
        "cd data/outputs; mkdir d; ln -s ../../../../bench/evaluations/references/data d/r; echo x >ok",
        1,
        "link d/r points out of the workspace to ../../../../bench/evaluations/references/data",
        {"d/r": "a link"},
    ),
    "loop": ("cd data/outputs; ln -s . l; ln -s m m; echo x >ok", 1, None, {"l": "a link", "m": "a link"}),
    "odd_kinds": (
        "cd data/outputs; mkfifo f; echo x >ok; python3 -c 'import socket; socket.socket(1).bind(\"s\")'",
        1,
        None,
        {"f": "a FIFO", "s": "a socket"},
    ),
    "names": (
        r"cd data/outputs; echo x >$'a\nb'; echo x >$'\xff\xfe'; echo x >$(printf 'n%.0s' {1..255}); echo x >$'\e[31m'",
        4,
        None,
        {},
    ),
    "deep": (
        "cd data/outputs; for i in {1..400}; do mkdir ddddddddd; cd ddddddddd; done; echo x >x",
        0,
        None,
        {},
    ),
    "closed": ("cd data/outputs; echo x >ok; mkdir c; echo x >c/f; chmod 0 c", 1, None, {}),
    "backslash": (r"cd data/outputs; echo x >'..\..\x'; mkdir -p C:; echo x >'C:/-rf *'", 2, None, {}),
}


def test_odd_outputs_are_scored_without_what_does_not_count(bench: Bench) -> None:
    for name, (script, *_) in LEFT.items():
        bench.tree.add_task(name, solution=script, evaluation=COUNTS_FILES)
    result, report = bench.report("--ibench-concurrency=2")
    attempts = by_task(report)
    for name, (_, files, violation, refused) in LEFT.items():
        attempt = attempts[name]
        score = files + (name == "closed" and os.geteuid() == 0)  # root reads everything
        assert (name, attempt["final"]) == (name, score), attempt
        assert (name, attempt["error"]) == (name, violation)
        assert attempt["status"] == ("violation" if violation else "scored"), name
        assert refused.items() <= _refused(attempt).items(), name
    assert result.ret == 1
    result.stdout.fnmatch_lines(["VIOLATION: link p points out of the workspace to /etc/passwd", "record: *"])
    assert set(submitted(attempts["names"], 1)) == {"a\nb", "\udcff\udcfe", "n" * 255, "\x1b[31m"}


def test_a_folder_of_outputs_that_is_a_link_is_not_followed(bench: Bench) -> None:
    bench.tree.add_task(solution="rmdir data/outputs; ln -s /solution data/outputs", evaluation=COUNTS_FILES)
    _, report = bench.report()
    assert report["attempts"][0]["final"] == 0
    assert submitted(report["attempts"][0], 1) == {}


def test_a_hundred_thousand_files_are_cut_off_and_said_to_be(bench: Bench) -> None:
    many = "for i in range(100_000): open(f'data/outputs/{i}', 'w').close()"
    bench.tree.add_task(solution=f'python3 -c "{many}"', evaluation=COUNTS_FILES)
    _, report = bench.report()
    (attempt,) = report["attempts"]
    assert (attempt["status"], attempt["final"]) == ("scored", 100)
    assert len(submitted(attempt, 1)) == 10_000
    assert "more than 10,000 files; the rest was left out" in _refused(attempt).values()


def test_holes_in_files_do_not_fill_the_disk_of_the_harness(bench: Bench) -> None:
    holes = "cd data/outputs; for i in $(seq 40); do truncate -s 50M $i; done"
    bench.tree.add_task(
        manifest="{domain: LD, resources: {disk_gb: 0.05}}", solution=holes, evaluation=COUNTS_FILES
    )
    _, report = bench.report()
    (attempt,) = report["attempts"]
    kept = sum(file.stat().st_size for file in Path(attempt["run_dir"], "submissions").iterdir())
    assert kept < 0.06 * 2**30, f"{kept:,} bytes are kept of an attempt that may fill 0.05 GB"


@pytest.mark.parametrize("place", ["data/outputs", "toy/data/outputs"])
def test_what_the_agent_deletes_is_not_submitted(bench: Bench, place: str) -> None:
    bench.tree.add_task(solution="rm -rf data/outputs toy", evaluation=COUNTS_FILES)
    bench.tree.write(f"gym/toy/{place}/sample.txt", "1")
    _, report = bench.report(agent="nop,oracle")
    assert [attempt["final"] for attempt in report["attempts"]] == [1, 0], "a deleted file was submitted"


def _refused(attempt: dict[str, Any]) -> dict[str, str]:
    (verdict,) = events(attempt, "evaluation")
    return {entry["path"]: entry["reason"] for entry in verdict["submission"]["refused"]}
