"""The command ``ibench`` as a program, and what it leaves on disk."""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from tests.unit.authoring.good import Good


def environment(**more: str) -> dict[str, str]:
    """This environment outside of any CI."""
    return {
        name: value for name, value in os.environ.items() if name not in {"CI", "GITHUB_WORKSPACE"}
    } | more


def ibench(
    *args: str | Path, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest_innovatorbench", *map(str, args)],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**environment(), **(env or {})},
        check=False,
    )


def digest(root: Path) -> str:
    """Names, kinds, modes, times and contents of everything below a folder."""
    found = hashlib.sha256()
    for path in sorted(root.rglob("*")):
        state = path.lstat()
        found.update(repr((str(path), state.st_mode, state.st_mtime_ns)).encode("utf-8", "surrogateescape"))
        if path.is_file() and not path.is_symlink():
            found.update(path.read_bytes())
    return found.hexdigest()


def interrupted(good: Good, scratch: Path, *args: str) -> subprocess.CompletedProcess[str]:
    """Interrupt a command while it evaluates, and see that it ends soon and leaves nothing behind."""
    evaluation = good.evaluations / "task/evaluation.py"
    good.edit(evaluation, "import math\n", "import math\nimport time\n")
    good.edit(evaluation, "        outputs = Path(", "        time.sleep(50)\n        outputs = Path(")
    folder = scratch / "scratch"
    folder.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest_innovatorbench", *args, "--root", good.root],
        env=environment(TMPDIR=str(folder)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not _evaluates(process.pid):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert list(folder.iterdir()) == []
    return subprocess.CompletedProcess(args, process.returncode, out, err)


def _evaluates(pid: int) -> bool:
    return any(b"evaluations" in _command(child) for child in _below(pid))


def _below(pid: int) -> list[str]:
    found: list[str] = []
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in children.read_text().split():
                found += [child, *_below(int(child))]
    return found


def _command(pid: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
