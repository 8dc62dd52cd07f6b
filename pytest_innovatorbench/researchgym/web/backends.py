"""What ``web_search`` asks: the task's own documents, or an engine of the web."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_innovatorbench.errors import SettingsError, UserError
from pytest_innovatorbench.researchgym.web.searching import BING, SERPER, Corpus

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pytest_innovatorbench.researchgym.web.searching import Engine, SearchEngine
    from pytest_innovatorbench.tasks.model import Task


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchBackend:
    """A way to answer ``web_search``.

    Attributes:
        name: Its name.
        open: Makes what searches for the attempts at a task; ``None`` if this is no backend for it.
        is_local: It asks nothing of the web, so that tasks without the web have it as well, and what
            it finds is shown whatever the task's policy is.
    """

    name: str
    open: Callable[[Task], SearchEngine | None]
    is_local: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What searches in one attempt.

    Attributes:
        engine: It searches.
        is_local: See `SearchBackend`.
    """

    engine: SearchEngine
    is_local: bool = False


def choose(backends: Sequence[SearchBackend], task: Task) -> Search | None:
    """Return what searches for a task: of the first backend that is one for it.

    Raises:
        SettingsError: A backend is broken.
    """
    for backend in backends:
        try:
            engine = backend.open(task)
        except UserError:
            raise
        except Exception as error:
            raise SettingsError(
                f"search backend {backend.name!r} cannot be opened: {type(error).__name__}: {error}",
                remedy="mend its package",
            ) from error
        if engine is not None:
            return Search(engine=engine, is_local=backend.is_local)
    return None


def _open_corpus(task: Task) -> SearchEngine | None:
    return Corpus(task.web.corpus) if task.web.corpus else None


def _engine(engine: Engine) -> SearchBackend:
    return SearchBackend(name=engine.name, open=lambda _: engine if os.environ.get(engine.key) else None)


BUILTIN_BACKENDS = (
    SearchBackend(name="corpus", open=_open_corpus, is_local=True),
    _engine(SERPER),
    _engine(BING),
)
