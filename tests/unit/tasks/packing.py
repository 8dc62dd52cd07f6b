"""Packed conda environments as small as can be."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

from pytest_innovatorbench.tasks.environment import base_python

# A real environment has an interpreter of its own; this one borrows that of the machine.
SCRIPT = f"""#!/bin/sh
own=$(readlink -f "$0")
export PYTHONPATH="${{own%/bin/*}}/lib/python3.11/site-packages"
exec {base_python()} "$@"
"""


def add(archive: tarfile.TarFile, name: str, text: str = "", *, mode: int = 0o644, mtime: int = 1000) -> None:
    """Add a file."""
    member = tarfile.TarInfo(name)
    member.size, member.mode, member.mtime = len(text.encode()), mode, mtime
    archive.addfile(member, io.BytesIO(text.encode()))


def add_special(archive: tarfile.TarFile, name: str, kind: bytes, target: str = "") -> None:
    """Add a link, a device or a folder."""
    member = tarfile.TarInfo(name)
    member.type, member.linkname, member.mode = kind, target, 0o777
    archive.addfile(member)


def pack_environment(file: Path, *, prefix: str = "workspace/conda", points: str = "7") -> Path:
    """Pack an environment whose one package has POINTS."""
    file.parent.mkdir(parents=True, exist_ok=True)
    version = "python3.11"
    with tarfile.open(file, "w") as archive:
        add_special(archive, f"{prefix}/bin", tarfile.DIRTYPE)
        add(archive, f"{prefix}/bin/python3", SCRIPT, mode=0o6755)
        add_special(archive, f"{prefix}/bin/python", tarfile.SYMTYPE, "python3")
        add(archive, f"{prefix}/lib/{version}/site-packages/parcel.py", f"POINTS = {points}\n")
        info = f"{prefix}/lib/{version}/site-packages/parcel-1.0.dist-info"
        add(archive, f"{info}/METADATA", "Metadata-Version: 2.1\nName: parcel\nVersion: 1.0\n")
        add_special(archive, f"{prefix}/share", tarfile.SYMTYPE, "/workspace/conda/lib")
        add_special(
            archive, f"{prefix}/same.py", tarfile.LNKTYPE, f"{prefix}/lib/{version}/site-packages/parcel.py"
        )
    return file
