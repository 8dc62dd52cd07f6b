"""What earlier attempts left: for going on with them, and for beginning others from their snapshots."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from pytest_innovatorbench.errors import SnapshotError, UserError
from pytest_innovatorbench.researchgym.ledger import Allowance, read_ledger, replay
from pytest_innovatorbench.runs.beginning import Beginning, Files, Former
from pytest_innovatorbench.runs.events import EVENTS_FILE, read_events, worked_until
from pytest_innovatorbench.runs.keeping import PAYLOAD_VERSION, STATE_FILE, open_store
from pytest_innovatorbench.runs.model import AttemptResult, Status
from pytest_innovatorbench.runs.records import SPEC_FILE, read_json, read_results

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

Key: TypeAlias = tuple[str, str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """An attempt of a run that goes on.

    Attributes:
        result: What it came to; of one that was cut short, until then.
        is_over: Whether that stands.
    """

    result: AttemptResult
    is_over: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """A snapshot from which attempts begin.

    Attributes:
        task: The task.
        agent: The agent that was at work.
        seed: Its seed.
        allowance: What it might spend in all.
        beginning: What attempts start from.
    """

    task: str
    agent: str
    seed: int
    allowance: Allowance
    beginning: Beginning


def earlier_attempts(run: Path) -> Mapping[Key, Earlier]:
    """Return the attempts of a run by task, agent and seed.

    Raises:
        RecordError: There is no run, or a record is damaged.
    """
    return {
        (result.task, result.agent, result.seed): Earlier(
            result=result, is_over=result.status is not Status.INTERRUPTED
        )
        for result in read_results(run)
    }


def resumed(folder: Path, store: Path) -> Beginning:
    """Return what an attempt that was cut short goes on from.

    Args:
        folder: Its record.
        store: Folder of the snapshots.

    Raises:
        RecordError: Its record is damaged.
    """
    file = folder / EVENTS_FILE
    events = list(read_events(file)) if file.is_file() else []
    taken = [event for event in events if event["kind"] == "snapshot"]
    spec = read_json(folder / SPEC_FILE)
    return Beginning(
        kind="resumed",
        folder=folder,
        ledger=replay(events),
        seconds=worked_until(events),
        files=_files(store, taken[-1]) if taken else None,
        state=_kept_state(folder),
        agent=spec["agent"],
        parent=spec.get("parent"),
        computers=_computers(events),
    )


def allowed(folder: Path) -> Allowance:
    """Return what an attempt might spend when it began.

    Raises:
        RecordError: Its record is damaged.
    """
    return _allowance(read_json(folder / SPEC_FILE)["allowance"])


def origin(store: Path, name: str) -> Origin:
    """Return what attempts from a snapshot begin with.

    Raises:
        UserError: There is no such snapshot, or it is damaged or of no attempt.
    """
    if not store.is_dir():
        raise UserError(f"there are no snapshots in {store}", remedy="take some: --ibench-snapshot-every=15m")
    opened = open_store(store)
    snapshot = opened.show(name).id
    payload = opened.payload(snapshot)
    try:
        return _origin(store, snapshot, payload)
    except (KeyError, TypeError):
        raise SnapshotError(
            f"snapshot {snapshot} is not of an attempt", remedy="choose one of ibench snapshots list"
        ) from None


def _origin(store: Path, snapshot: str, payload: Mapping[str, Any]) -> Origin:
    if payload["version"] != PAYLOAD_VERSION:
        raise SnapshotError(
            f"snapshot {snapshot} is of version {payload['version']}",
            remedy="use a newer version of this package",
        )
    return Origin(
        task=payload["task"],
        agent=payload["agent"],
        seed=payload["seed"],
        allowance=_allowance(payload["allowance"]),
        beginning=Beginning(
            kind="snapshot",
            ledger=read_ledger(payload["ledger"]),
            seconds=payload["seconds"],
            files=Files(store=store, snapshot=snapshot, layer=payload["layer"]),
            state=payload["state"],
            agent=payload["agent"],
            parent=snapshot,
        ),
    )


def _computers(events: Sequence[Mapping[str, Any]]) -> tuple[Former, ...]:
    """Return the computers that an attempt had last, and whether the agent has ever worked on each."""
    given = [event["given"] for event in events if event["kind"] == "computers"]
    if not given:
        return ()
    has_begun = any(event["kind"] == "action" for event in events)
    used = set(_named(events))
    return tuple(
        Former(
            name=one["name"],
            gpus=tuple(gpu["index"] for gpu in one["gpus"]),
            is_used=not used.isdisjoint({one["name"], one["role"]}) or (has_begun and index == 0),
        )
        for index, one in enumerate(given[-1])
    )


def _named(events: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield what an agent called the computers it worked on."""
    for event in events:
        if event["kind"] == "observation":
            yield event.get("computer_ip", "")
        elif event["kind"] == "action" and isinstance(event.get("arguments"), dict):
            asked = (event["arguments"].get(key) for key in ("computer_ip", "session_id"))
            yield from (name.partition(":")[0] for name in asked if isinstance(name, str))


def _files(store: Path, event: Mapping[str, Any]) -> Files:
    return Files(store=store, snapshot=event["id"], layer=event["layer"])


def _allowance(values: Mapping[str, Any]) -> Allowance:
    known = {name: values[name] for name in Allowance.__dataclass_fields__ if name in values}
    return Allowance(**known)


def _kept_state(folder: Path) -> Mapping[str, Any] | None:
    try:
        state = json.loads((folder / STATE_FILE).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return state if isinstance(state, dict) else None
