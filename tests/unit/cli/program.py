"""The command ``ibench`` as a program, and what it leaves on disk."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path


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
