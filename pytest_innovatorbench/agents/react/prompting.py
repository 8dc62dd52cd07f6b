"""The texts that a model is sent, as templates that users can replace."""

from __future__ import annotations

import threading
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from jinja2 import Environment

_compiling = threading.Lock()  # or attempts that begin at once would each compile the same


class Prompts:
    """Templates by name: ours, or the user's of the same file name.

    Args:
        folder: The user's.
    """

    def __init__(self, folder: Path | None) -> None:
        self._environment = _environment(folder)

    def render(self, name: str, **values: Any) -> str:  # noqa: ANN401 - whatever a template takes
        """Return a template with values filled in.

        Args:
            name: Its file's name, without ``.md.j2``.
            values: What it takes.

        Raises:
            SettingsError: The user's template cannot be used.
        """
        from pytest_innovatorbench.errors import SettingsError  # noqa: PLC0415

        try:
            with _compiling:
                template = self._environment.get_template(f"{name}.md.j2")
            return template.render(**values).strip()
        except Exception as error:  # the template may do whatever its author wrote
            raise SettingsError(f"the prompt {name}.md.j2: {error}", remedy="mend the template") from error


@cache
def _environment(folder: Path | None) -> Environment:
    """Return the templates of a folder, which all attempts share: compiled once, and anew if they change."""
    from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PackageLoader, StrictUndefined  # noqa: PLC0415

    own = [FileSystemLoader(folder)] if folder else []
    ours = PackageLoader(__package__ or "", "prompts")
    # Nothing is escaped: what comes out is text for a model, not a page.
    return Environment(  # noqa: S701 - as said
        loader=ChoiceLoader([*own, ours]), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
