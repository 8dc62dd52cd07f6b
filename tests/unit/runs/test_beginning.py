"""What attempts begin from: ledgers, clocks and workspaces of earlier ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pytest_innovatorbench.errors import SnapshotError, UnknownNameError, UserError
from pytest_innovatorbench.researchgym.ledger import Allowance, Ledger, read_ledger, replay
from pytest_innovatorbench.researchgym.snapshots import Store
from pytest_innovatorbench.runs.beginning import FRESH, Beginning, Files, Former
from pytest_innovatorbench.runs.earlier import origin, resumed
from pytest_innovatorbench.runs.events import EventLog, read_events
from pytest_innovatorbench.runs.laying_out import lay_out


def evaluation(score: float, *, final: bool = False) -> dict[str, Any]:
    return {"kind": "evaluation", "t": 5.0, "score": score, "final": final, "violation": None}


EVENTS = [
    {"kind": "action", "t": 1.0},
    evaluation(40),
    {"kind": "hint", "t": 2.0, "penalty": 10.0},
    evaluation(60),
]


def test_ledger_survives_json() -> None:
    ledger = replay(EVENTS)
    assert read_ledger(json.loads(json.dumps(ledger.to_dict()))) == ledger
    assert read_ledger({**ledger.to_dict(), "of a later version": 1}) == ledger


def test_attempt_from_a_snapshot_has_spent_what_its_parent_had() -> None:
    began = {"kind": "began", "t": 5.0, "parent": "x", "ledger": replay(EVENTS).to_dict()}
    ledger = replay([began, evaluation(80)])
    assert (ledger.steps, ledger.evals, ledger.hints, ledger.penalty) == (1, 3, 1, 10.0)
    assert [scored.net for scored in ledger.scores] == [40, 50, 70]


def test_final_evaluation_of_what_was_interrupted_is_taken_back() -> None:
    resumed_at = {"kind": "resumed", "t": 5.0}
    assert replay([*EVENTS, evaluation(70, final=True), resumed_at]) == replay(EVENTS)
    assert replay([*EVENTS, resumed_at]) == replay(EVENTS)
    failed = {**evaluation(0, final=True), "score": None, "fault": "machine", "error": "full"}
    assert replay([*EVENTS, failed, resumed_at]) == replay(EVENTS)
    cheated = {**evaluation(1, final=True), "violation": "cheated"}
    assert replay([*EVENTS, cheated, resumed_at]).violation == "cheated"


def test_log_goes_on_behind_the_last_whole_event(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_text('{"kind":"a","t":7.5}\n{"kind":"cut')
    log = EventLog(file, worked=7.5, goes_on=True)
    log("b")
    log.start_clock()
    log("c")
    log.close()
    events = list(read_events(file))
    assert [event["kind"] for event in events] == ["a", "b", "c"]
    assert events[1]["t"] == 7.5
    assert 7.5 <= events[2]["t"] < 8


def test_clock_stands_still_before_its_start_and_in_pauses(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "events.jsonl", worked=3.0)
    with log.paused():
        assert log.seconds() == 3.0
    log.start_clock()
    with log.paused():
        paused = log.seconds()
        assert log.seconds() == paused
    assert 3.0 <= log.seconds() < 4
    log.close()


def record(folder: Path) -> Path:
    folder.mkdir()
    (folder / "attempt.json").write_text(json.dumps({"agent": "a", "allowance": {}}))
    lines = [*EVENTS, {"kind": "snapshot", "t": 6.5, "id": "0123", "layer": "upper"}]
    (folder / "events.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


def test_record_tells_what_an_attempt_goes_on_from(tmp_path: Path) -> None:
    folder = record(tmp_path / "attempt")
    (folder / "agent.json").write_text('{"count": 3}')
    begun = resumed(folder, tmp_path / "store")
    assert begun.files == Files(store=tmp_path / "store", snapshot="0123", layer="upper")
    assert (begun.seconds, begun.ledger.evals, begun.state, begun.agent) == (6.5, 2, {"count": 3}, "a")


@pytest.mark.parametrize("text", ["", "{", "[]", "null"])
def test_state_that_is_damaged_is_done_without(tmp_path: Path, text: str) -> None:
    folder = record(tmp_path / "attempt")
    (folder / "agent.json").write_text(text)
    assert resumed(folder, tmp_path).state is None


def payload(**changes: Any) -> dict[str, Any]:
    values = {
        "version": 1,
        "task": "toy",
        "agent": "a",
        "seed": 3,
        "allowance": {"seconds": 60.0, "evals": 3, "steps": 9},
        "ledger": Ledger(evals=1).to_dict(),
        "seconds": 12.5,
        "layer": "upper",
        "state": None,
    }
    return {**values, **changes}


def test_snapshot_tells_what_attempts_begin_with(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    taken = Store(tmp_path / "store").save(tmp_path / "work", payload=payload()).id
    found = origin(tmp_path / "store", taken[:6])
    assert (found.task, found.agent, found.seed) == ("toy", "a", 3)
    assert found.allowance == Allowance(seconds=60, evals=3, steps=9)
    begun = found.beginning
    assert (begun.kind, begun.parent, begun.seconds, begun.ledger.evals) == ("snapshot", taken, 12.5, 1)


def test_what_attempts_cannot_begin_with_is_refused(tmp_path: Path) -> None:
    store, work = tmp_path / "store", tmp_path / "work"
    work.mkdir()
    with pytest.raises(
        UserError, match=r"^there are no snapshots in .*store: take some: --ibench-snapshot-every"
    ):
        origin(store, "abcd")
    other = Store(store).save(work, payload={"n": 1}).id
    with pytest.raises(SnapshotError, match=f"^snapshot {other} is not of an attempt: choose one of ibench"):
        origin(store, other)
    later = Store(store).save(work, payload=payload(version=2)).id
    with pytest.raises(SnapshotError, match=f"^snapshot {later} is of version 2: use a newer version"):
        origin(store, later)


def test_workspace_is_laid_out_from_a_snapshot_only_where_none_is(tmp_path: Path) -> None:
    work, private = tmp_path / "work", tmp_path / "private"
    work.mkdir()
    (work / "file").write_text("kept")
    taken = Store(tmp_path / "store").save(work, payload={}).id
    files = Files(store=tmp_path / "store", snapshot=taken, layer="upper")
    begun = Beginning(kind="resumed", files=files)
    assert lay_out(FRESH, tmp_path / "fresh", tmp_path) is None
    assert list((tmp_path / "fresh").iterdir()) == []
    assert lay_out(begun, private, tmp_path) == taken
    assert (private / "upper/file").read_text() == "kept"
    (private / "upper/file").write_text("as it lies")
    assert lay_out(begun, private, tmp_path) is None
    assert (private / "upper/file").read_text() == "as it lies"


@pytest.mark.parametrize("layer", ["upper", "copy"])
def test_workspace_is_laid_out_whole_where_no_sandbox_layers_it(tmp_path: Path, layer: str) -> None:
    work, lower, whole = tmp_path / "work", tmp_path / "lower", tmp_path / "elsewhere/box/mirror"
    work.mkdir()
    lower.mkdir()
    (lower / "start").write_text("given")
    (work / "file").write_text("kept")
    taken = Store(tmp_path / "store").save(work, payload={}).id
    begun = Beginning(kind="snapshot", files=Files(store=tmp_path / "store", snapshot=taken, layer=layer))
    private = tmp_path / "private"
    assert lay_out(begun, private, lower, whole) == taken
    there = {"upper": ["file", "start"], "copy": ["file"]}[layer]
    assert sorted(file.name for file in whole.iterdir()) == there
    assert list(private.iterdir()) == []
    assert [place.name for place in whole.parent.iterdir()] == ["mirror"]
    (whole / "file").write_text("as it lies")
    assert lay_out(begun, private, lower, whole) is None
    assert (whole / "file").read_text() == "as it lies"


@pytest.mark.parametrize("kind", ["file", "link"])
def test_what_is_no_workspace_is_replaced(tmp_path: Path, kind: str) -> None:
    work, private, outside = tmp_path / "work", tmp_path / "private", tmp_path / "outside"
    for folder in (work, private, outside):
        folder.mkdir()
    (work / "file").write_text("kept")
    taken = Store(tmp_path / "store").save(work, payload={}).id
    if kind == "file":
        (private / "upper").write_text("in the way")
    else:
        (private / "upper").symlink_to(outside)
    files = Files(store=tmp_path / "store", snapshot=taken, layer="upper")
    assert lay_out(Beginning(kind="resumed", files=files), private, tmp_path) == taken
    assert (private / "upper/file").read_text() == "kept"
    assert list(outside.iterdir()) == []


def test_pruned_snapshot_says_so(tmp_path: Path) -> None:
    Store(tmp_path / "store")
    files = Files(store=tmp_path / "store", snapshot="0" * 16, layer="upper")
    with pytest.raises(UnknownNameError, match="unknown snapshot '0000000000000000': known: none"):
        lay_out(Beginning(kind="snapshot", files=files), tmp_path / "private", tmp_path)


def test_what_goes_on_knows_its_computers_and_those_it_worked_on(tmp_path: Path) -> None:
    given = [
        {"name": name, "kind": "ssh", "role": role, "gpus": [{"index": number} for number in gpus]}
        for name, role, gpus in (
            ("a", "main", ()),
            ("b", "main", (1, 3)),
            ("c", "train", (0,)),
            ("d", "idle", ()),
        )
    ]
    events = [
        {"kind": "computers", "t": 0.0, "given": [{**given[0], "name": "former"}]},
        {"kind": "computers", "t": 1.0, "given": given},
        {"kind": "action", "t": 1.0, "name": "run_command", "arguments": {"computer_ip": "train"}},
        {"kind": "action", "t": 1.0, "name": "sleep", "arguments": {"unreadable": "object"}},
        {"kind": "action", "t": 1.0, "name": "run_command", "arguments": {"session_id": "b:job"}},
    ]
    (tmp_path / "attempt.json").write_text('{"agent": "nop"}')
    (tmp_path / "events.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events))
    assert resumed(tmp_path, tmp_path).computers == (
        Former(name="a", is_used=True),
        Former(name="b", gpus=(1, 3), is_used=True),
        Former(name="c", gpus=(0,), is_used=True),
        Former(name="d"),
    )
    (tmp_path / "events.jsonl").write_text(json.dumps(events[1]) + "\n")
    assert not any(former.is_used for former in resumed(tmp_path, tmp_path).computers)


def test_time_that_was_given_back_is_no_working_time(tmp_path: Path) -> None:
    folder = record(tmp_path / "attempt")
    with (folder / "events.jsonl").open("a") as file:
        file.write('{"kind":"trouble","t":60.0}\n{"kind":"model_failed","t":7.0}\n')
    assert resumed(folder, tmp_path).seconds == 7.0
