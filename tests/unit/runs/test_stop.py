from __future__ import annotations

from pytest_innovatorbench.runs.stop import Stop


def test_listeners_hear_once_asked_and_late_ones_at_once() -> None:
    stop = Stop()
    heard: list[str] = []
    forget = stop.listen(lambda: heard.append("forgotten"))
    stop.listen(lambda: heard.append("early"))
    forget()
    assert not stop.asked
    stop.ask()
    stop.listen(lambda: heard.append("late"))
    assert heard == ["early", "late"]
    assert stop.asked
    assert not stop.now.is_set()
    stop.insist()
    assert stop.now.is_set()
