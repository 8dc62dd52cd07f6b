from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_innovatorbench.errors import RecordError
from pytest_innovatorbench.runs.events import EventLog, read_events, worked_until


@pytest.fixture
def log(tmp_path: Path) -> Iterator[EventLog]:
    log = EventLog(tmp_path / "events.jsonl")
    yield log
    log.close()


def test_events_are_readable_as_soon_as_they_are_written(log: EventLog, tmp_path: Path) -> None:
    log("action", name="run_command", text="a\nb\udc80")
    (event,) = read_events(tmp_path / "events.jsonl")
    assert (event["kind"], event["name"], event["text"]) == ("action", "run_command", "a\nb\udc80")
    assert event["t"] >= 0


def test_a_line_that_was_cut_by_the_end_of_the_process_is_left_out(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_text('{"kind":"a","t":0}\n{"kind":"b","t":1')
    assert [event["kind"] for event in read_events(file)] == ["a"]


def test_a_damaged_line_in_the_middle_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_text('{"kind":"a","t":0}\nnonsense\n{"kind":"b","t":1}\n')
    with pytest.raises(RecordError, match="line 2: is no event"):
        list(read_events(file))


def test_a_log_is_never_written_over(tmp_path: Path) -> None:
    EventLog(tmp_path / "events.jsonl").close()
    with pytest.raises(FileExistsError):
        EventLog(tmp_path / "events.jsonl")


def test_numbers_that_json_does_not_have_are_refused(log: EventLog) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        log("evaluation", score=float("nan"))


def test_a_closed_log_takes_no_more(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "events.jsonl")
    log.close()
    log("late")
    assert list(read_events(tmp_path / "events.jsonl")) == []


def test_threads_do_not_mix_their_lines(log: EventLog, tmp_path: Path) -> None:

    def write(number: int) -> None:
        for index in range(50):
            log("action", number=number, index=index, text="x" * 1000)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = (tmp_path / "events.jsonl").read_text().splitlines()
    assert len({(event["number"], event["index"]) for event in map(json.loads, lines)}) == 200


def test_the_clock_counts_from_its_start_to_its_stop(log: EventLog) -> None:
    log.start_clock()
    log.stop_clock()
    stopped = log.seconds()
    log.stop_clock()
    assert log.seconds() == stopped < 1


def test_time_that_has_passed_can_be_given_back(log: EventLog) -> None:
    log.start_clock()
    since = time.monotonic()
    time.sleep(0.3)
    assert log.seconds() >= 0.3
    with log.paused(since):
        assert log.seconds() < 0.1
        time.sleep(0.1)
    assert log.seconds() < 0.1


def test_time_that_was_given_back_is_not_charged_on_resuming(log: EventLog, tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    assert worked_until(list(read_events(file))) == 0
    log.start_clock()
    since = time.monotonic()
    time.sleep(0.3)
    log("trouble")  # of another thread, before anybody knew
    with log.paused(since):
        log("model_failed")
        assert worked_until(list(read_events(file))) < 0.1
