"""Putting our programs on a computer, and finding out what is there already."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from pytest_innovatorbench.researchgym.computers.belongings import BROUGHT
from pytest_innovatorbench.researchgym.computers.exchange import Station
from pytest_innovatorbench.researchgym.computers.transport import UnusableError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_innovatorbench.researchgym.computers.transport import Finished, Transport

SECONDS = 30.0
_PROGRAMS = ("session_server.py", "standing_server.py", "file_program.py", "tree_program.py")
_MARK = "ibench"
ISOLATED = ("-I", "-S", "-X", "utf8")
# Prints where the root is, and which of three things there are.
_LOOK = f"""
echo {_MARK}
umask 077
root=$1
case $root in "~") root=$HOME ;; "~/"*) root=$HOME/${{root#"~/"}} ;; esac
mkdir -p -- "$root/$4" && cd -- "$root" && pwd -P || exit 3
"$2" -c 'import sys; sys.exit(sys.version_info < (3, 8))' && echo python
test -d "programs/$3" && echo programs
test -e "$4/prepared" && echo workspace
test "$5" = alone || exit 0
for left in */{BROUGHT}; do
    test "$left" = "$4/{BROUGHT}" || {{ chmod -R u+rwx -- "$left"; rm -rf -- "$left"; }} 2>/dev/null
done
true
"""
_INSTALL = """
import json, os, sys, tempfile
target = sys.argv[1]
os.makedirs(os.path.dirname(target), 0o700, True)
new = tempfile.mkdtemp(dir=os.path.dirname(target))
for name, text in json.load(sys.stdin).items():
    with open(os.path.join(new, name), "w", encoding="utf-8") as file:
        file.write(text)
try:
    os.rename(new, target)
except OSError:
    if not os.path.isdir(target):
        raise
"""


def install(
    transport: Transport, *, root: str, python: str, name: str, is_alone: bool
) -> tuple[Station, bool]:
    """Have programs and the private folder of an attempt on a computer.

    Args:
        transport: The way to it.
        root: Folder there for what is written there.
        python: Interpreter there.
        name: Of the attempt.
        is_alone: Whether what agents of other attempts brought was left behind, so that it is removed.

    Returns:
        The computer, and whether the workspace of the attempt is there already.

    Raises:
        UnreachableError: It cannot be reached now.
        UnusableError: It cannot be used until somebody mends something.
    """
    digest, programs = _programs()
    words = (root, python, digest, name, "alone" if is_alone else "")
    look = run_there(transport, ["sh", "-c", _LOOK, "sh", *words])
    first, real, *found = look.output.decode("utf-8", "surrogateescape").splitlines()
    _check(transport.place, python, first, found)
    place = PurePosixPath(real, "programs", digest)
    if "programs" not in found:
        run_there(transport, [python, "-I", "-c", _INSTALL, str(place)], data=programs)
    program = (python, *ISOLATED, str(place / "tree_program.py"))
    station = Station(transport=transport, program=program, folder=PurePosixPath(real, name))
    return station, "workspace" in found


def run_there(
    transport: Transport, argv: Sequence[str], *, data: bytes = b"", timeout: float = SECONDS
) -> Finished:
    """Run a short program on a computer that has to succeed.

    Raises:
        UnreachableError: It cannot be reached now.
        UnusableError: The program failed.
    """
    done = transport.run(argv, timeout=timeout, data=data)
    if done.status:
        raise UnusableError(f"{transport.place} could not be set up: {done.complaint()}")
    return done


def _check(place: str, python: str, first: str, found: Sequence[str]) -> None:
    if first != _MARK:
        raise UnusableError(
            f"{place} prints {first[:80]!r} when programs are started: "
            "have its shell's start-up files print nothing where there is no terminal"
        )
    if "python" not in found:
        raise UnusableError(
            f"{place} has no Python 3.8 or later as {python}: "
            "install it, or say in the inventory which one by python: PATH"
        )


@cache
def _programs() -> tuple[str, bytes]:
    """Return what computers need of us, and its digest."""
    folder = Path(__file__).parents[1]
    sources = json.dumps({name: (folder / name).read_text("utf-8") for name in _PROGRAMS}).encode()
    return hashlib.sha256(sources).hexdigest()[:16], sources
