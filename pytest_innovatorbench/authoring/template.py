"""The template of a task: where it is, what marks the text to replace, and baking it."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_innovatorbench.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# One of a line's own, above what has to be replaced: <!-- TEMPLATE: advice --> or # TEMPLATE: advice
_MARKER = re.compile(r"^[ \t]*(?:<!--|#) TEMPLATE: (?P<advice>.+?)(?: -->)?[ \t]*$", re.MULTILINE)
_DATA = ".csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class Boilerplate:
    """What of the template is there to be replaced.

    Attributes:
        advice: What the markers say.
        data: Contents of the data files.
        endings: Endings of the files that have markers.
    """

    advice: frozenset[str]
    data: frozenset[bytes]
    endings: frozenset[str]

    @property
    def sizes(self) -> frozenset[int]:
        """Sizes of the data files, in bytes."""
        return frozenset(map(len, self.data))

    def markers(self, text: str) -> Iterator[tuple[int, str]]:
        """Yield line, from 1, and advice of each marker that is left in a text."""
        if "TEMPLATE: " not in text:
            return
        for marker in _MARKER.finditer(text):
            if marker["advice"] in self.advice:
                yield text.count("\n", 0, marker.start()) + 1, marker["advice"]


def template_folder() -> Path:
    """Return the template's folder, of the installed package or of a checkout.

    Raises:
        UserError: There is none.
    """
    packaged = Path(str(files("pytest_innovatorbench"))) / "_template"
    folder = packaged if packaged.is_dir() else Path(__file__).resolve().parents[2] / "task_template"
    if not (folder / "cookiecutter.json").is_file():
        raise UserError(f"the template of a task is not at {folder}", remedy="install the package again")
    return folder


@cache
def boilerplate() -> Boilerplate:
    """Read what of the template is there to be replaced."""
    advice: set[str] = set()
    data: set[bytes] = set()
    endings: set[str] = set()
    for file in template_folder().rglob("*.*"):
        if file.suffix == _DATA:
            data.add(file.read_bytes())
        elif file.is_file() and file.suffix != ".pyc":
            found = [marker["advice"] for marker in _MARKER.finditer(file.read_text("utf-8"))]
            advice.update(found)
            endings.update([Path(_plain(file.name)).suffix] if found else [])
    return Boilerplate(advice=frozenset(advice), data=frozenset(data), endings=frozenset(endings))


def bake(folder: Path, values: Mapping[str, str]) -> Path:
    """Make a task of the template.

    The values are pasted as they are: cookiecutter's own prompts and hooks, which would render answers
    as templates and keep them in the home, stay out of it.

    Args:
        folder: Existing folder to make the task's in.
        values: Value of every variable of ``cookiecutter.json``.

    Returns:
        The made folder, with ``evaluations/``, ``gym/`` and ``tests/``.

    Raises:
        UserError: The folder's path would be taken for a template.
    """
    from cookiecutter.generate import generate_files  # type: ignore[import-untyped]  # noqa: PLC0415 - 400 ms

    if re.search(r"\{[{%#]", str(folder)):
        raise UserError(f"braces in {folder} would be taken for a template", remedy="rename the folder")
    context = {"cookiecutter": {**values, "_copy_without_render": [f"*{_DATA}"]}}
    baked = Path(generate_files(template_folder(), context, folder, accept_hooks=False))
    for bytecode in list(baked.rglob("__pycache__")):  # pip compiles the files of an installed template
        shutil.rmtree(bytecode)
    return baked


def _plain(name: str) -> str:
    return re.sub(r"\{[{%].*?[%}]\}", "", name)
