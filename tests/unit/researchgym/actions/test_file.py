"""Actions on files, through a real session server in a real sandbox."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pytest_innovatorbench.researchgym.actions.reader import Reader
from pytest_innovatorbench.researchgym.actions.table import ACTIONS
from pytest_innovatorbench.researchgym.computers.local import LocalComputer
from pytest_innovatorbench.researchgym.model import Observation
from pytest_innovatorbench.sandbox import Limits, open_sandbox


class Desk:
    """What actions on files use."""

    def __init__(self, computer: LocalComputer) -> None:
        self.computer = computer
        self.reader = Reader()

    def act(self, name: str, **given: Any) -> Observation:
        arguments = ACTIONS[name].arguments(given)
        assert isinstance(arguments, dict), arguments
        return ACTIONS[name].perform(self, arguments)  # type: ignore[arg-type]  # the rest is not for files

    def sh(self, command: str) -> str:
        return self.computer.run_command(command).output


@pytest.fixture
def limits() -> Limits | None:
    return None


@pytest.fixture
def desk(tmp_path: Path, limits: Limits | None) -> Iterator[Desk]:
    lower, folder = tmp_path / "gym", tmp_path / "computer"
    (lower / "code").mkdir(parents=True)
    (lower / "code/long.txt").write_text("".join(f"line {n}\n" for n in range(1, 251)))
    (lower / "code/train.py").write_text("import sys\n\nLR = 0.1\nprint(LR)\n")
    folder.mkdir()
    sandbox = open_sandbox("bubblewrap")
    computer = LocalComputer(sandbox, workspace_lower=lower, folder=folder, limits=limits)
    yield Desk(computer)
    computer.close()


def test_a_file_is_read_window_by_window(desk: Desk) -> None:
    first = desk.act("open_file", path="code/long.txt")
    assert first.message.startswith("[/workspace/code/long.txt: lines 1 to 100 of 250]\n     1|line 1\n")
    assert (first.kind, first.data["end_line"], first.data["total_lines"]) == ("file_read", 100, 250)
    assert desk.act("file_scroll_down").data["start_line"] == 101
    assert desk.act("file_scroll_down").data == {
        "file_path": "/workspace/code/long.txt", "current_line": 201, "start_line": 201, "end_line": 250,
        "total_lines": 250, "file_exists": True,
    }  # fmt: skip
    assert desk.act("file_scroll_down").message == "this is the end of code/long.txt"
    assert desk.act("file_scroll_up").data["start_line"] == 101
    around = desk.act("file_goto_line", line_number=180)
    assert (around.data["start_line"], "   180|line 180\n" in around.message) == (130, True)
    assert desk.act("file_goto_line", line_number=9000).data["end_line"] == 250


def test_nothing_is_scrolled_before_a_file_is_open(desk: Desk) -> None:
    for name, arguments in (("file_scroll_down", {}), ("file_goto_line", {"line_number": 3})):
        assert desk.act(name, **arguments).message == "no file is open; open one with open_file"


def test_an_edit_shows_what_it_did(desk: Desk) -> None:
    seen = desk.act("edit_file", path="code/train.py", start=3, end=3, content="LR = 0.01\nEPOCHS = 3")
    assert seen.message == (
        "[/workspace/code/train.py, now 5 lines, around the edit]\n"
        "     1|import sys\n     2|\n     3|LR = 0.01\n     4|EPOCHS = 3\n     5|print(LR)"
    )
    assert desk.sh("cat code/train.py") == "import sys\n\nLR = 0.01\nEPOCHS = 3\nprint(LR)\n"


@pytest.mark.parametrize(
    ("start", "end", "content", "after"),
    [
        (1, 0, "new", "new\na\nb\n"),
        (3, 2, "new", "a\nb\nnew\n"),
        (1, 2, "", ""),
        (2, 2, "", "a\n"),
        (2, 2, "x\n\ny\n", "a\nx\n\ny\n"),
        (-1, -1, "new", "a\nb\nnew\n"),
        (2, -1, "new", "a\nnew\n"),
    ],
)
def test_lines_are_inserted_and_removed(desk: Desk, start: int, end: int, content: str, after: str) -> None:
    desk.sh("printf 'a\\nb\\n' >f")
    assert desk.act("edit_file", path="f", start=start, end=end, content=content).success
    assert desk.sh("cat f") == after


@pytest.mark.parametrize(("start", "end"), [(4, 4), (1, 3), (3, 1)])
def test_a_range_that_is_not_there_is_refused_with_the_one_that_is(desk: Desk, start: int, end: int) -> None:
    desk.sh("printf 'a\\nb\\n' >f")
    seen = desk.act("edit_file", path="f", start=start, end=end, content="x")
    assert not seen.success
    assert seen.message.startswith("/workspace/f has 2 lines: start must be 1 to 3, or -1 to append")
    assert desk.sh("cat f") == "a\nb\n"


@pytest.mark.parametrize(
    ("written", "after"),
    [
        (rb"a\r\nb\r\n", b"a\r\nnew\r\n"),
        (rb"\xef\xbb\xbfa\nb", b"\xef\xbb\xbfa\nnew"),
        (rb"\xff\xfea\0\n\0b\0\n\0", "\ufeffa\nnew\n".encode("utf-16-le")),
        (rb"caf\xe9\nb\n", b"caf\xe9\nnew\n"),
        (rb"a\r\nb", b"a\r\nnew"),
        (rb"unix\ndos\r\nunix\nunix\n", b"unix\nnew\nunix\nunix\n"),
        (rb"dos\r\ndos\r\nunix\ndos\r\n", b"dos\r\nnew\r\nunix\ndos\r\n"),
    ],
)
def test_encoding_line_ends_and_mode_are_kept(
    desk: Desk, written: bytes, after: bytes, tmp_path: Path
) -> None:
    desk.sh(f"printf '{written.decode()}' >f; chmod 751 f")
    assert desk.act("edit_file", path="f", start=2, end=2, content="new").success
    file = tmp_path / "computer/upper/f"
    assert (file.read_bytes(), file.stat().st_mode & 0o777) == (after, 0o751)


def test_files_are_created_with_their_folders(desk: Desk) -> None:
    seen = desk.act("create_file", filename="a/b/c.txt", content="hé\n")
    assert (seen.message, seen.success) == ("/workspace/a/b/c.txt created, 4 bytes", True)
    assert desk.act("create_file", filename="a/b/c.txt").message == "/workspace/a/b/c.txt replaced, 0 bytes"
    assert desk.act("create_file", filename="a/b").message == "/workspace/a/b is a folder; name a file in it"


def test_a_file_with_two_names_keeps_both_and_a_link_leads_on(desk: Desk) -> None:
    desk.sh("echo old >one; ln one two; ln -s one three")
    assert desk.act("create_file", filename="three", content="new\n").success
    assert desk.sh("cat one two; readlink three") == "new\nnew\none\n"


def test_searches_find_lines(desk: Desk) -> None:
    seen = desk.act("search_dir", search_term="LR", dir_path="code")
    assert seen.message == (
        "2 lines in 1 files hold 'LR'\n/workspace/code/train.py:3: LR = 0.1\n/workspace/code/train.py:4: print(LR)"
    )
    desk.act("open_file", path="code/long.txt")
    assert desk.act("search_file", search_term="line 25").data["num_matches"] == 2
    assert desk.act("search_file", search_term="LR", file_path="code/long.txt").data["num_matches"] == 0
    assert desk.act("search_file", search_term="x", file_path="gone").message == (
        "/workspace/gone: No such file or directory"
    )


def test_searches_with_too_much_to_show_are_cut_and_say_so(desk: Desk) -> None:
    desk.sh(
        "for i in $(seq 40); do echo word >many$i; done; head -c 100 /dev/zero >zeros; yes word | head -200 >big"
    )
    seen = desk.act("search_dir", search_term="word")
    assert seen.success
    assert seen.data["truncated"]
    assert "search more narrowly for others" in seen.message
    seen = desk.act("search_file", search_term="word", file_path="big")
    assert (seen.data["num_matches"], seen.data["truncated"]) == (100, True)


def test_a_search_that_shows_all_does_not_say_that_it_was_cut(desk: Desk) -> None:
    desk.sh("mkdir d; for i in $(seq 30); do echo word >d/many$i; done; echo other >d/zzz")
    seen = desk.act("search_dir", search_term="word", dir_path="d")
    assert (seen.data["num_files"], seen.data["truncated"]) == (30, False)
    desk.sh("yes word | head -70 >d/many31")
    seen = desk.act("search_dir", search_term="word", dir_path="d")
    assert (seen.data["num_files"], seen.data["num_matches"], seen.data["truncated"]) == (30, 99, True)
    desk.sh("yes word | head -100 >d2")
    assert desk.act("search_file", search_term="word", file_path="d2").data["truncated"] is False


def test_lines_are_found_in_any_encoding_and_shown_around_what_was_sought(desk: Desk) -> None:
    desk.sh(
        "printf '\\xff\\xfew\\0o\\0r\\0d\\0' >wide; head -c 5000 /dev/zero | tr '\\0' x >long; echo word >>long"
    )
    assert desk.act("search_file", search_term="word", file_path="wide").message.endswith("wide:1: word")
    shown = desk.act("search_file", search_term="word", file_path="long").data["search_matches"][0]["text"]
    assert shown == "... " + 200 * "x" + "word"


def test_files_are_found_by_name(desk: Desk) -> None:
    assert (
        desk.act("find_file", file_name="train").message
        == "1 found below /workspace\n/workspace/code/train.py"
    )
    assert desk.act("find_file", file_name="*.txt").data["num_matches"] == 1
    assert (
        desk.act("find_file", file_name="x", dir_path="gone").message == "there is no folder /workspace/gone"
    )


def test_folders_are_listed(desk: Desk) -> None:
    desk.sh("cd code; mkdir sub; ln -s train.py link; mkfifo pipe; printf x >$'bad\\xff'")
    assert desk.act("list_files", path="code").message.splitlines() == [
        "/workspace/code: 6 entries",
        "sub/",
        "bad\\xff  1 bytes",
        "link -> train.py",
        "long.txt  2142 bytes",
        "pipe  (fifo)",
        "train.py  31 bytes",
    ]


def test_what_begins_with_a_dot_is_listed_if_asked_for(desk: Desk) -> None:
    desk.sh("mkdir d; touch d/.hidden d/seen")
    seen = desk.act("list_files", path="d")
    assert (seen.data["list_files"], seen.data["total_items"]) == (["seen"], 1)
    assert desk.act("list_files", path="d", show_hidden=True).data["list_files"] == [".hidden", "seen"]


def test_the_open_file_is_described(desk: Desk) -> None:
    assert desk.act("get_file_info").message == "no file is open; open one with open_file"
    desk.act("open_file", path="code/long.txt", line_number=180, context_lines=10)
    seen = desk.act("get_file_info")
    assert (seen.data["current_line"], seen.data["total_lines"], seen.data["window_size"]) == (180, 250, 10)
    assert seen.message.endswith(", open at line 180 of 250")


def test_a_file_is_described(desk: Desk) -> None:
    seen = desk.act("get_file_info", file_path="code/train.py")
    assert (seen.data["kind"], seen.data["size"], seen.data["path"]) == (
        "file",
        31,
        "/workspace/code/train.py",
    )


@pytest.mark.parametrize(
    ("make", "message"),
    [
        ("mkfifo f", "/workspace/f is no regular file"),
        ("mkdir f", "/workspace/f is a folder; use list_files"),
        (
            "head -c 9 /dev/zero >f",
            "/workspace/f is binary (9 bytes); look at it with run_command, as by xxd",
        ),
        ("ln -s f f", "/workspace/f: Too many levels of symbolic links"),
        ("true", "/workspace/f: No such file or directory"),
    ],
)
def test_what_cannot_be_read_is_said(desk: Desk, make: str, message: str) -> None:
    desk.sh(make)
    seen = desk.act("open_file", path="f")
    assert (seen.success, seen.message) == (False, message)


def test_long_lines_and_large_files_are_shown_in_part(desk: Desk) -> None:
    desk.sh("head -c 50000 /dev/zero | tr '\\0' x >wide; (echo; seq 3000000) >tall; : >empty")
    assert "... (50,000 characters)" in desk.act("open_file", path="wide").message
    seen = desk.act("open_file", path="tall", line_number=2_500_001)
    assert seen.data["total_lines"] == 3_000_001
    assert "2500001|2500000" in seen.message
    assert desk.act("open_file", path="empty").message == "[/workspace/empty is empty]"


def test_names_at_the_limit_and_beyond(desk: Desk) -> None:
    assert desk.act("create_file", filename="n" * 255, content="x").success
    assert desk.act("open_file", path="n" * 255).message.endswith("     1|x")
    assert desk.act("create_file", filename="n" * 256, content="x").message.endswith(": File name too long")
    assert desk.act("open_file", path="a\0b").message == "give a path"


def test_files_are_those_that_the_agents_commands_see(desk: Desk) -> None:
    for path in ("/etc/shadow", str(Path(__file__)), "/workspace/../root/.bashrc"):
        assert not desk.act("open_file", path=path).success
    assert not desk.act("create_file", filename="/usr/new", content="").success
    assert not Path("/usr/new").exists()
    desk.sh("ln -s /etc out")
    seen = desk.act("create_file", filename="out/new", content="")
    assert "Read-only file system" in seen.message or os.geteuid() != 0
    assert not Path("/etc/new").exists()


@pytest.mark.parametrize("limits", [Limits(file_size=1_000_000)])
def test_a_write_that_fails_leaves_the_file_as_it_was(desk: Desk) -> None:
    desk.sh("mkdir d; echo old >d/f")
    seen = desk.act("create_file", filename="d/f", content="new\n" * 300_000)
    assert (seen.success, seen.message.endswith(": File too large")) == (False, True)
    assert desk.sh("cat d/f; ls -A d") == "old\nf\n"
