from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from pytest_innovatorbench.sandbox.merging import merge_into


@pytest.fixture
def layers(tmp_path: Path) -> tuple[Path, Path]:
    """What was written, on what it was written on."""
    upper, lower = tmp_path / "upper", tmp_path / "lower"
    for folder in (upper / "both", lower / "both", upper / "opaque", lower / "opaque"):
        folder.mkdir(parents=True)
    (lower / "both/kept").write_text("lower")
    (lower / "both/changed").write_text("lower")
    (upper / "both/changed").write_text("upper")
    (lower / "opaque/hidden").write_text("lower")
    os.setxattr(upper / "opaque", "user.overlay.opaque", b"y")
    return upper, lower


def test_upper_layers_count(layers: tuple[Path, Path], tmp_path: Path) -> None:
    (layers[0] / "tool").write_text("x")
    (layers[0] / "tool").chmod(0o4755)
    os.utime(layers[0] / "both", ns=(7, 7))
    assert merge_into(layers, tmp_path / "seen") == ()
    seen = tmp_path / "seen"
    assert (seen / "both/kept").read_text() == "lower"
    assert (seen / "both/changed").read_text() == "upper"
    assert list((seen / "opaque").iterdir()) == []
    assert stat.S_IMODE((seen / "tool").stat().st_mode) == 0o755
    assert (seen / "both").stat().st_mtime_ns == 7


def test_links_are_written_and_not_followed(layers: tuple[Path, Path], tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (layers[0] / "a").symlink_to(outside)
    (layers[1] / "a").mkdir()
    (layers[1] / "a/file").write_text("must not get there")
    merge_into(layers, tmp_path / "seen")
    assert (tmp_path / "seen/a").readlink() == outside
    assert list(outside.iterdir()) == []


def test_what_cannot_be_written_is_named(layers: tuple[Path, Path], tmp_path: Path) -> None:
    os.mkfifo(layers[0] / "fifo")
    (layers[0] / "shut").mkdir()
    (layers[0] / "shut/file").write_text("x")
    (layers[0] / "shut").chmod(0o500)
    assert merge_into(layers, tmp_path / "seen") == ("fifo",)
    assert (tmp_path / "seen/shut/file").read_text() == "x"
    with pytest.raises(FileExistsError):
        merge_into(layers, tmp_path / "seen")
