"""Taking snapshots of an attempt, between its steps where that is possible."""

from __future__ import annotations

import json
import threading
import time
from contextlib import nullcontext, suppress
from typing import TYPE_CHECKING, Any

from pytest_innovatorbench.agents.base import RecallingAgent, ResumableAgent
from pytest_innovatorbench.errors import MachineFaultError, UnknownNameError, UserError
from pytest_innovatorbench.hostile import one_line
from pytest_innovatorbench.researchgym.computers.base import ComputerClosedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from pytest_innovatorbench.agents.base import Agent
    from pytest_innovatorbench.researchgym.gym import ResearchGym
    from pytest_innovatorbench.researchgym.model import Action
    from pytest_innovatorbench.researchgym.snapshots import Store
    from pytest_innovatorbench.settings import Interval

PAYLOAD_VERSION = 1
STATE_FILE = "agent.json"
REQUEST_FILE = "snapshot.wanted"
_LONGEST_WAIT = 30.0  # seconds that a snapshot which is due waits for the end of a step
_LOOK = 1.0  # seconds between looks while a step lasts


def open_store(folder: Path) -> Store:
    """Open the store of snapshots, made where there is none.

    Raises:
        SnapshotError: It cannot be used.
        MachineFaultError: It cannot be made.
    """
    from pytest_innovatorbench.researchgym.snapshots import Store  # noqa: PLC0415 - few attempts need it

    store = Store(folder)
    ignored = folder / ".gitignore"
    if not ignored.exists():
        ignored.write_text("*\n")
    return store


class Keeper:
    """Keeps what an attempt could go on from: its agent's state after each step, and snapshots.

    Args:
        gym: The environment of the attempt.
        agent: Its agent.
        folder: Its record.
        tree: Returns the folder that holds what was written.
        store: Folder of the store.
        every: How often; ``None`` for on demand only.
        about: What is kept along with each snapshot.
        seconds: Working time so far.
        parent: The snapshot that the attempt comes from.
    """

    def __init__(
        self,
        *,
        gym: ResearchGym,
        agent: Agent,
        folder: Path,
        tree: Callable[[], Path],
        store: Path,
        every: Interval | None,
        about: Mapping[str, Any],
        seconds: Callable[[], float],
        parent: str | None,
    ) -> None:
        self._gym = gym
        self._agent = agent
        self._folder = folder
        self._tree = tree
        self._store = store
        self._every = every
        self._about = about
        self._seconds = seconds
        self._last = parent
        self._state: Mapping[str, Any] | None = None
        self._taking = threading.Lock()
        self._over = threading.Event()
        self._taken_at, self._steps = seconds(), gym.ledger.steps
        gym.after_step = self.after_step
        if every is not None and every.seconds is not None:
            threading.Thread(target=self._watch, daemon=True, name="ibench-snapshots").start()

    def close(self) -> None:
        """Take no more."""
        self._gym.after_step = lambda _: None
        self._over.set()
        with self._taking:  # one that is being taken is let finish
            pass

    def after_step(self, action: Action) -> None:
        """Keep the agent's state, and take a snapshot if one is due."""
        self._keep_state()
        reason = self._due()
        if reason is None and action.name == "eval" and self._every is not None:
            reason = "eval"
        if reason is not None:
            self.take(reason, is_between=True)

    def take(self, reason: str, *, is_between: bool) -> None:
        """Take a snapshot, and say in an event that it was taken or why not.

        Args:
            reason: Why: ``time``, ``steps``, ``eval`` or ``asked``.
            is_between: Whether the agent waits for it meanwhile, so that the time is not its own.
        """
        with self._taking, self._gym.paused() if is_between else nullcontext():
            if self._over.is_set():
                return
            (self._folder / REQUEST_FILE).unlink(missing_ok=True)
            began = time.monotonic()
            try:
                told = self._save(reason)
            except (MachineFaultError, UserError, ComputerClosedError, OSError) as error:
                self._gym.note("snapshot_failed", reason=reason, error=one_line(str(error)))
            else:
                took = round(time.monotonic() - began, 3)
                self._gym.note("snapshot", **told, reason=reason, took=took, between_steps=is_between)
            self._taken_at, self._steps = self._seconds(), self._gym.ledger.steps

    def _save(self, reason: str) -> dict[str, Any]:
        store = open_store(self._store)
        tree = self._tree()
        layer = "upper" if tree.name == "upper" else "copy"
        payload = {
            "version": PAYLOAD_VERSION,
            **self._about,
            "reason": reason,
            "layer": layer,
            "ledger": self._gym.ledger.to_dict(),
            "seconds": self._seconds(),
            "remaining": self._gym.remaining_seconds(),
            "state": self._agent.state() if isinstance(self._agent, RecallingAgent) else self._state,
        }
        taken = store.save(tree, payload=payload, parent=_if_known(store, self._last))
        self._last = taken.id
        return {
            "id": taken.id,
            "layer": layer,
            "files": taken.files,
            "stored": taken.stored,
            "marks": len(taken.marks),
        }

    def _keep_state(self) -> None:
        if not isinstance(self._agent, ResumableAgent) or isinstance(self._agent, RecallingAgent):
            return
        try:
            state = self._agent.state()
            text = json.dumps(state, allow_nan=False)
        except Exception as error:  # noqa: BLE001 - an agent may raise anything, and works on all the same
            self._gym.note(
                "snapshot_failed", reason="state", error=one_line(f"{type(error).__name__}: {error}")
            )
            return
        self._state = json.loads(text)
        unfinished = self._folder / f".{STATE_FILE}"
        with suppress(OSError):
            unfinished.write_text(text)
            unfinished.replace(self._folder / STATE_FILE)

    def _due(self) -> str | None:
        if (self._folder / REQUEST_FILE).exists():
            return "asked"
        every = self._every
        if every is None:
            return None
        if every.steps is not None and self._gym.ledger.steps - self._steps >= every.steps:
            return "steps"
        return "time" if every.seconds is not None and self._age() >= every.seconds else None

    def _age(self) -> float:
        return self._seconds() - self._taken_at

    def _watch(self) -> None:
        """Take one in the middle of a step that lasts: the agent would be without for hours else."""
        since: float | None = None
        while not self._over.wait(_LOOK):
            reason = self._due()
            if reason is None:
                since = None
            elif since is None:
                since = time.monotonic()
            elif time.monotonic() - since >= _LONGEST_WAIT:
                self.take(reason, is_between=False)
                since = None


def _if_known(store: Store, name: str | None) -> str | None:
    """Return a snapshot's name unless it was pruned meanwhile."""
    try:
        return None if name is None else store.show(name).id
    except UnknownNameError:
        return None
