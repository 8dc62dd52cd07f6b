"""What a hostile machine can send in the place of files."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from typing import Any

import pytest

from pytest_innovatorbench.researchgym.tree_program import Source, Taker, TreeError, pack, serve_taking, walk

FILE = {"path": "a", "kind": "file", "mode": 0o644, "size": 3, "time": 10**18}


def stream(*entries: dict[str, Any] | bytes) -> bytes:
    """Entries, each followed by the bytes that stand after it, and the end."""
    return b"".join(e if isinstance(e, bytes) else json.dumps(e).encode() + b"\n" for e in entries) + b"\n"


def take(root: Path, data: bytes, quota: int = 1000, **options: Any) -> int:
    root.mkdir(exist_ok=True)
    return Taker(str(root), quota, **options).take(Source(io.BytesIO(data).read))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (stream({**FILE, "path": "/etc/x"}), "/etc/x leads out of the folder"),
        (stream({**FILE, "path": "../x"}), "../x leads out of the folder"),
        (stream({**FILE, "path": "a/../../x"}), "a/../../x leads out of the folder"),
        (stream({**FILE, "path": "a//x"}), "a//x leads out of the folder"),
        (stream({**FILE, "path": ""}), " leads out of the folder"),
        (stream({**FILE, "path": "."}), ". leads out of the folder"),
        (stream({**FILE, "kind": "device"}), "a is a device, which is not taken"),
        (stream({**FILE, "kind": "fifo"}), "a is a fifo, which is not taken"),
        (stream({**FILE, "size": 1001}), "a exceeds the quota"),
        (stream({**FILE, "size": 600}, b"x" * 600, {**FILE, "size": 600}, b"x" * 600), "a exceeds the quota"),
        (stream(FILE)[:-1] + b"ab", "it ended early"),
        (stream(FILE)[:-1], "it ended early"),
        (b"", "it ended early"),
        (b"{" * 70_000, "an entry is too long"),
        (b"[" * 30_000 + b"\n", "this is no entry"),
        (b"nonsense\n", "this is no entry: b'nonsense'"),
        (b"[]\n", "this is no entry"),
        (stream({**FILE, "path": "a\0b"}), "this is no entry"),
        (stream({**FILE, "path": 7}), "this is no entry"),
        (stream({**FILE, "mode": 0o4755}), "this is no entry"),
        (stream({**FILE, "mode": 0.5}), "this is no entry"),
        (stream({**FILE, "size": -1}), "this is no entry"),
        (stream({**FILE, "size": True}), "this is no entry"),
        (stream({**FILE, "time": 10**30}), "this is no entry"),
        (stream({"path": "l", "kind": "link", "mode": 0o777, "target": ""}), "this is no entry"),
        (stream({"path": "n" * 300, "kind": "folder", "mode": 0o755}), "n: File name too long"),
    ],
)
def test_what_is_no_proper_entry_is_refused(tmp_path: Path, data: bytes, message: str) -> None:
    with pytest.raises(TreeError) as caught:
        take(tmp_path / "mirror", data)
    assert message in str(caught.value)
    left = [path.name for path in tmp_path.rglob("*")]
    assert set(left) <= {"mirror", "a"}, "nothing is elsewhere, nothing half-written is left"


def test_no_way_leads_over_a_link(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir(mode=0o755)
    (outside / "kept").write_text("kept")
    link = {"path": "d", "kind": "link", "mode": 0o777, "target": str(outside)}
    for entry in (
        {**FILE, "path": "d/a"},
        {"path": "d/kept", "kind": "gone"},
        {"path": "d/sub", "kind": "folder", "mode": 0o755},
        {"path": "d/x", "kind": "link", "mode": 0o777, "target": "y"},
    ):
        with pytest.raises(TreeError, match=r"^(d|mirror|.*/mirror): Not a directory$"):
            take(tmp_path / "mirror", stream(link, entry, b"abc"))
    # A folder that is taken, and a link in its place by the time its mode is set.
    take(tmp_path / "mirror", stream({"path": "d", "kind": "folder", "mode": 0o777}, link))
    assert outside.stat().st_mode & 0o777 == 0o755
    assert [path.name for path in outside.iterdir()] == ["kept"]
    # A file in the place of a link replaces it, and does not go where it leads.
    (tmp_path / "mirror/f").symlink_to(outside / "kept")
    take(tmp_path / "mirror", stream({**FILE, "path": "f"}, b"abc"))
    assert (outside / "kept").read_text() == "kept"
    assert (tmp_path / "mirror/f").read_bytes() == b"abc"


def test_what_was_not_asked_for_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TreeError, match=r"^a was not asked for$"):
        take(tmp_path / "mirror", stream(FILE, b"abc"), allowed=lambda _: False)
    assert list((tmp_path / "mirror").iterdir()) == []


def test_a_mirror_can_always_be_read_by_its_owner(tmp_path: Path) -> None:
    entries = ({"path": "d", "kind": "folder", "mode": 0}, {**FILE, "path": "d/a", "mode": 0}, b"abc")
    take(tmp_path / "mirror", stream(*entries), is_mirror=True)
    assert (tmp_path / "mirror/d").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "mirror/d/a").stat().st_mode & 0o777 == 0o600


def test_a_tree_arrives_as_it_was(tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "d/e").mkdir(parents=True)
    (source / "d/a").write_bytes(b"x" * 700_000)
    (source / "d/e/run").write_text("#!/bin/sh\n")
    (source / "d/e/run").chmod(0o755)
    (source / os.fsdecode(b"\xff\nb")).write_text("")
    (source / "l").symlink_to("../nowhere")
    os.mkfifo(source / "f")
    sent: list[bytes] = []
    wanted = [entry for entry in walk(str(source)) if entry["kind"] in {"file", "folder", "link"}]
    pack([(str(source), entry) for entry in wanted], sent.append)
    assert take(tmp_path / "copy", b"".join(sent), quota=10**6) == 6

    def facts(root: Path) -> list[dict[str, Any]]:
        return [{k: v for k, v in entry.items() if k != "version"} for entry in walk(str(root))]

    assert facts(tmp_path / "copy") == [entry for entry in facts(source) if entry["kind"] != "fifo"]


def test_the_taking_end_says_what_was_wrong(tmp_path: Path) -> None:
    said: list[bytes] = []
    data = stream({**FILE, "path": "../x"})
    serve_taking(str(tmp_path / "new"), "1000", io.BytesIO(data).read, said.append)
    assert b"".join(said) == b'\n{"error": "../x leads out of the folder"}\n'
