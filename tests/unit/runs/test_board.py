from __future__ import annotations

from pytest_innovatorbench.runs.board import Board


def test_the_board_tells_what_runs_the_longest_first() -> None:
    board = Board()
    heard: list[tuple[str, str, str]] = []
    board.hear = lambda *event: heard.append(event)
    board.begin("a")
    board.begin("b")
    board.tell("b", "run_command")
    board.scored("b", 1, 50.25)
    board.announce("a", "building")
    first, second = board.running()
    assert (first.attempt, first.what) == ("a", "building")
    assert (second.attempt, second.what, second.evals, second.last_score) == ("b", "run_command", 1, 50.25)
    board.end("a")
    board.tell("a", "too late")
    assert [doing.attempt for doing in board.running()] == ["b"]
    assert heard == [("b", "evaluated", "50.2"), ("a", "note", "building")]
