from __future__ import annotations

import json
from pathlib import Path

import pytest

from pytest_innovatorbench.errors import RecordError, UserError
from pytest_innovatorbench.runs.model import AttemptResult, Status
from pytest_innovatorbench.runs.records import (
    create_attempt_folder,
    open_run,
    read_results,
    read_settings,
    result_from_dict,
    result_to_dict,
    write_json,
)

RESULT = AttemptResult(
    attempt="toy-oracle-0",
    task="toy",
    domain="LD",
    agent="oracle",
    seed=0,
    status=Status.VIOLATION,
    first=1.0,
    best=2.0,
    final=2.0,
    curve=((0.5, 1.0), (1.0, 2.0)),
    started="2026-11-22T00:00:00.000Z",
    run_dir=Path("/runs/r/attempts/toy-oracle-0"),
)


def test_a_result_survives_json() -> None:
    assert result_from_dict(json.loads(json.dumps(result_to_dict(RESULT)))) == RESULT


def test_keys_of_later_versions_are_passed_over() -> None:
    assert result_from_dict({**result_to_dict(RESULT), "added_later": 1}) == RESULT


def test_a_run_is_opened_once_and_private(tmp_path: Path) -> None:
    open_run(tmp_path / "runs" / "r", {"agents": ["oracle"]})
    assert (tmp_path / "runs/r").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "runs/r/.gitignore").read_text() == "*\n"
    assert read_settings(tmp_path / "runs/r") == {"agents": ["oracle"]}
    with pytest.raises(UserError, match="exists: choose another --ibench-run-id"):
        open_run(tmp_path / "runs" / "r", {})


def test_a_run_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"cannot be written: .*: choose another --ibench-run-dir"):
        open_run(tmp_path / "file" / "r", {})


def test_an_attempt_that_is_made_again_gets_a_folder_of_its_own(tmp_path: Path) -> None:
    folders = [create_attempt_folder(tmp_path / "attempts" / "a-1") for _ in range(3)]
    assert [folder.name for folder in folders] == ["a-1", "a-1.2", "a-1.3"]


def test_json_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    write_json(tmp_path / "x.json", {"a": 1})
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json(tmp_path / "x.json", {"a": float("inf")})
    assert json.loads((tmp_path / "x.json").read_text()) == {"a": 1}
    assert [file.name for file in tmp_path.iterdir()] == ["x.json"]


def test_what_is_no_run_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match=r"is no run: give a folder below \.ibench/runs"):
        list(read_results(tmp_path))


def test_an_attempt_that_was_killed_counts_as_interrupted_with_its_scores(tmp_path: Path) -> None:
    run = tmp_path / "r"
    open_run(run, {})
    folder = create_attempt_folder(run / "attempts" / "toy-x-0")
    spec = {
        "attempt": "toy-x-0",
        "task": "toy",
        "domain": "LD",
        "agent": "x",
        "seed": 0,
        "started": "2026-11-22T00:00:00.000Z",
        "allowance": {"evals": 3},
        "baseline": 0,
        "reference": 80,
    }
    write_json(folder / "attempt.json", spec)
    (folder / "events.jsonl").write_text(
        '{"kind":"action","t":1}\n'
        '{"kind":"evaluation","t":2,"score":31.0,"final":false,"violation":null}\n'
        '{"kind":"action","t":3.5}\n{"kind":"obs'
    )
    done = create_attempt_folder(run / "attempts" / "toy-y-0")
    write_json(done / "result.json", {"version": 1, "result": result_to_dict(RESULT)})
    whole, killed = read_results(run)
    assert whole == RESULT
    assert (killed.status, killed.first, killed.best, killed.final) == (Status.INTERRUPTED, 31.0, 31.0, None)
    assert (killed.evals, killed.seconds, killed.run_dir) == (1, 3.5, folder)
    assert killed.error == "the harness ended before the attempt did"


def test_a_damaged_record_is_named(tmp_path: Path) -> None:
    open_run(tmp_path / "r", {})
    folder = create_attempt_folder(tmp_path / "r" / "attempts" / "a")
    (folder / "result.json").write_text("[")
    with pytest.raises(RecordError, match=r"result\.json cannot be read: the record is damaged"):
        list(read_results(tmp_path / "r"))
