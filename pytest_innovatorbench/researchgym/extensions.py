"""What plug-ins add to ResearchGym, the built-ins among them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pytest_innovatorbench.errors import SettingsError
from pytest_innovatorbench.researchgym.actions.declaration import ActionKind
from pytest_innovatorbench.researchgym.actions.table import ACTIONS
from pytest_innovatorbench.researchgym.web.backends import BUILTIN_BACKENDS, SearchBackend

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Extensions:
    """What agents may do and what answers their searches.

    Attributes:
        actions: Actions by wire name.
        backends: Backends of ``web_search``; the first that is one for a task is asked.
    """

    actions: Mapping[str, ActionKind] = field(default_factory=lambda: ACTIONS)
    backends: tuple[SearchBackend, ...] = BUILTIN_BACKENDS


def collect(actions: Iterable[object], backends: Iterable[object]) -> Extensions:
    """Put together what plug-ins offer; of two actions with one name the earlier counts.

    Raises:
        SettingsError: A plug-in offers something else.
    """
    table: dict[str, ActionKind] = {}
    for kind in actions:
        if not isinstance(kind, ActionKind):
            raise SettingsError(f"{kind!r} is no ActionKind", remedy="mend pytest_ibench_actions")
        table.setdefault(kind.name, kind)
    kept: list[SearchBackend] = []
    for backend in backends:
        if not isinstance(backend, SearchBackend):
            raise SettingsError(
                f"{backend!r} is no SearchBackend", remedy="mend pytest_ibench_search_backends"
            )
        kept.append(backend)
    return Extensions(actions=table, backends=tuple(kept))
