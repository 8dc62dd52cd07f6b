from __future__ import annotations

import io

from pytest_innovatorbench.authoring.rules import BUILTIN_RULES, find
from pytest_innovatorbench.cli.counter import Counter


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_sees_what_is_done_and_nothing_of_it_in_the_end() -> None:
    terminal = Terminal()
    with Counter(terminal, 2) as counter:
        counter.watch("a\x1b[2J", find("IB403", BUILTIN_RULES))
        counter.watch("a", None)
    assert terminal.getvalue().split("\r\x1b[K") == [
        "",
        "0/2 tasks: a\\x1b[2J IB403 reference-score",
        "1/2 tasks: a",
        "",
    ]


def test_where_nobody_watches_nothing_is_shown() -> None:
    log = io.StringIO()
    with Counter(log, 1) as counter:
        counter.watch("a", None)
    assert log.getvalue() == ""
