"""Speaking to an attempt through the pipe in its record."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from pytest_innovatorbench.errors import UserError
from pytest_innovatorbench.runs.ear import LONGEST, Ear, tell


@pytest.fixture
def attempt(tmp_path: Path) -> Path:
    folder = tmp_path / "toy-nop-0"
    folder.mkdir()
    (folder / "attempt.json").write_text("{}")
    return folder


def test_what_is_said_is_heard_in_order_and_before_the_end(attempt: Path) -> None:
    heard: list[str] = []
    ear = Ear(attempt, heard.append)
    said = ["Mind the outliers.", "two\nlines", "\udcff ünï", *map(str, range(100))]
    for text in said:
        tell(attempt, text)
    ear.close()
    assert heard == said
    assert not (attempt / "ear").exists()


def test_nobody_else_can_speak(attempt: Path) -> None:
    ear = Ear(attempt, lambda _: None)
    assert (attempt / "ear").stat().st_mode & 0o777 == 0o600
    ear.close()


def test_several_who_speak_at_once_do_not_mix(attempt: Path) -> None:
    heard: list[str] = []
    ear = Ear(attempt, heard.append)
    texts = [letter * 3000 for letter in "abcd"]

    def say_often(text: str) -> None:
        for _ in range(4):
            tell(attempt, text)

    threads = [threading.Thread(target=say_often, args=(text,)) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ear.close()
    assert sorted(heard) == sorted(texts * 4)


def test_what_tell_did_not_write_is_passed_over(attempt: Path) -> None:
    heard: list[str] = []
    ear = Ear(attempt, heard.append)
    with (attempt / "ear").open("wb", buffering=0) as pipe:
        pipe.write(b'{"a": 1}\n17\n\xff\xfe\n["x"]\nnot json\n')
    tell(attempt, "a word")
    ear.close()
    assert heard == ["a word"]


def test_a_blank_line_is_not_the_end(attempt: Path) -> None:
    heard: list[str] = []
    ear = Ear(attempt, heard.append)
    with (attempt / "ear").open("wb", buffering=0) as pipe:
        pipe.write(b"\n")
    tell(attempt, "a word")
    ear._thread.join(0.2)
    assert ear._thread.is_alive()
    tell(attempt, "another")
    ear.close()
    assert heard == ["a word", "another"]


def test_where_words_cannot_be_passed_on_nobody_listens(
    attempt: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raised: list[threading.ExceptHookArgs] = []
    monkeypatch.setattr(threading, "excepthook", raised.append)

    def hear(_: str) -> None:
        raise OSError("No space left on device")

    ear = Ear(attempt, hear)
    fd = os.open(attempt / "ear", os.O_WRONLY)
    tell(attempt, "hello")
    ear._thread.join(10)
    assert "No space left" in str(raised[0].exc_value)
    with pytest.raises(UserError, match=r"^the attempt toy-nop-0 does not go on now"):
        tell(attempt, "hello?")
    with pytest.raises(BrokenPipeError):
        os.write(fd, b"x\n")
    os.close(fd)
    ear.close()


def test_a_full_pipe_can_be_closed(attempt: Path) -> None:
    heard, go_on = list[str](), threading.Event()

    def hear(text: str) -> None:
        go_on.wait(10)
        heard.append(text)

    ear = Ear(attempt, hear)
    told: list[str] = []

    def say_often() -> None:
        while len(told) < 1000:
            tell(attempt, "x" * 4000)
            told.append("x" * 4000)

    with pytest.raises(UserError, match=r"^the attempt toy-nop-0 is too busy to listen: try again$"):
        say_often()
    closing = threading.Thread(target=ear.close)
    closing.start()
    closing.join(0.1)
    go_on.set()
    closing.join(10)
    assert not closing.is_alive()
    assert heard == told


def test_the_pipe_of_a_killed_harness_hears_nothing_and_is_replaced(attempt: Path) -> None:
    os.mkfifo(attempt / "ear")
    with pytest.raises(
        UserError, match=r"^the attempt toy-nop-0 does not go on now: wait until its agent works"
    ):
        tell(attempt, "hello")
    heard: list[str] = []
    ear = Ear(attempt, heard.append)
    tell(attempt, "hello")
    ear.close()
    assert heard == ["hello"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"^there is nothing to say: give a text$"),
        (" \n", r"^there is nothing to say: give a text$"),
        ("x" * LONGEST, r"^the text takes 4,099 bytes, of at most 4,096: say it in several$"),
    ],
)
def test_a_text_that_cannot_be_said_is_refused(attempt: Path, text: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        tell(attempt, text)


def test_where_nobody_listens_that_is_said(attempt: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"elsewhere is no attempt: give RUN/attempts/ATTEMPT below"):
        tell(tmp_path / "elsewhere", "hello")
    (attempt / "result.json").write_text("{}")
    with pytest.raises(UserError, match=r"^the attempt toy-nop-0 is over: nobody listens any more$"):
        tell(attempt, "hello")
