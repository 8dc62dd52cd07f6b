"""``ibench snapshots``: what attempts left to go on from."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pytest_innovatorbench.cli.root import Root, open_root
from pytest_innovatorbench.hostile import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_innovatorbench.researchgym.snapshots import Change, Snapshot, Store

app = typer.Typer(
    help="List, compare, restore and remove snapshots of attempts. "
    "New attempts start from one with pytest --ibench-from-snapshot=ID.",
    no_args_is_help=True,
)

Name = Annotated[str, typer.Argument(help="Its name, or the first four or more digits of it.", metavar="ID")]
RunDir = Annotated[Path, typer.Option(help="Folder of all runs.")]
RUNS = Path(".ibench/runs")
_MARKS = {"added": "+", "removed": "-", "changed": "~"}
_NAME_WIDTH = 40
_COLUMNS = "step  evals  best  left     files      size"


@app.command("list")
def list_snapshots(run_dir: RunDir = RUNS) -> None:
    """List the snapshots, oldest first."""
    store = _open(run_dir)
    typer.echo(
        f"{'id':16}  {'taken':16}  {'attempt':{_NAME_WIDTH}}  step  evals  best  left     files      size"
    )
    for snapshot in store.list():
        typer.echo(_row(snapshot, _payload(store, snapshot)))
    for name in store.damaged():
        typer.echo(f"{name}  DAMAGED; ibench snapshots prune removes it")


@app.command()
def show(snapshot: Name, run_dir: RunDir = RUNS) -> None:
    """Show all that is known of a snapshot, as JSON."""
    import json  # noqa: PLC0415

    store = _open(run_dir)
    found = store.show(snapshot)
    document = {
        **store.payload(found.id),
        "id": found.id,
        "parent": found.parent,
        "created": _time(found.created, "%Y-%m-%dT%H:%M:%SZ"),
        "files": found.files,
        "size": found.size,
        "stored": found.stored,
        "not_saved": {mark.path: mark.reason for mark in found.marks},
    }
    typer.echo(json.dumps(document, indent=1))


@app.command()
def diff(
    before: Annotated[str, typer.Argument(metavar="ID")],
    after: Annotated[str, typer.Argument(metavar="ID")],
    run_dir: RunDir = RUNS,
) -> None:
    """List the files in which two snapshots differ: + added, - removed, ~ changed."""
    for change in _open(run_dir).diff(before, after):
        typer.echo(f"{_MARKS[change.kind]} {one_line(change.path, 4096)}{_slash(change)}")


@app.command()
def restore(
    snapshot: Name,
    folder: Annotated[Path, typer.Argument(help="A new folder.")],
    *,
    run_dir: RunDir = RUNS,
    root: Root = None,
    changes: Annotated[
        bool, typer.Option("--changes", help="Only what the agent wrote, as its layer lay on gym/TASK.")
    ] = False,
) -> None:
    """Write the workspace as the agent saw it into a new folder: what it wrote on top of gym/TASK."""
    from pytest_innovatorbench.errors import UserError  # noqa: PLC0415

    store = _open(run_dir)
    found = store.show(snapshot)
    payload = store.payload(found.id)
    if folder.is_symlink() or folder.exists():
        raise UserError(f"{folder} exists", remedy="name a new folder")
    if changes or payload.get("layer") != "upper":
        skipped = store.restore(found.id, folder).skipped
    else:
        skipped = _merge(store, found.id, payload["task"], folder, root)
    for path in skipped:
        typer.echo(f"not restored: {one_line(path, 4096)}", err=True)
    typer.echo(f"restored: {folder}")


@app.command()
def branch(snapshot: Name, run_dir: RunDir = RUNS) -> None:
    """Make a snapshot of the same state with a name of its own, which stays when the first is pruned."""
    store = _open(run_dir)
    typer.echo(store.branch(snapshot, payload=store.payload(snapshot)).id)


@app.command()
def prune(
    *,
    run_dir: RunDir = RUNS,
    keep_last: Annotated[int, typer.Option(min=0, help="How many of each attempt to keep.")] = 1,
    keep: Annotated[
        list[str] | None, typer.Option(help="A snapshot to keep in any case.", metavar="ID")
    ] = None,
) -> None:
    """Remove snapshots but the last ones of each attempt, and what only they needed."""
    store = _open(run_dir)
    kept = {store.show(name).id for name in keep or ()}
    owners = {snapshot.id: _owner(_payload(store, snapshot)) for snapshot in store.list()}

    def chosen(there: tuple[Snapshot, ...]) -> Iterable[Snapshot]:
        for snapshot in there:
            later = [one for one in there if owners.get(one.id) == owners.get(snapshot.id)]
            place = len(later) - later.index(snapshot)
            if snapshot.id in kept or snapshot.id not in owners or place <= keep_last:
                yield snapshot

    pruned = store.prune(chosen)
    typer.echo(f"removed: {len(pruned.snapshots)} snapshots, {_size(pruned.freed)} freed")


@app.command()
def take(
    attempt: Annotated[Path, typer.Argument(help="RUN/attempts/ATTEMPT, which goes on.")],
) -> None:
    """Ask an attempt for a snapshot, which it takes at the end of the action it is at."""
    from pytest_innovatorbench.errors import UserError  # noqa: PLC0415
    from pytest_innovatorbench.runs.keeping import REQUEST_FILE  # noqa: PLC0415
    from pytest_innovatorbench.runs.records import RESULT_FILE, SPEC_FILE  # noqa: PLC0415

    if not (attempt / SPEC_FILE).is_file():
        raise UserError(f"{attempt} is no attempt", remedy="give RUN/attempts/ATTEMPT below .ibench/runs")
    if (attempt / RESULT_FILE).exists():
        raise UserError(f"the attempt {attempt.name} is over", remedy="its files lie in its folder")
    (attempt / REQUEST_FILE).touch()
    typer.echo("asked: the event snapshot in events.jsonl will say that it was taken")


def _open(run_dir: Path) -> Store:
    from pytest_innovatorbench.errors import UserError  # noqa: PLC0415
    from pytest_innovatorbench.runs.keeping import open_store  # noqa: PLC0415
    from pytest_innovatorbench.settings import store_below  # noqa: PLC0415

    folder = store_below(run_dir)
    if not folder.is_dir():
        raise UserError(
            f"there are no snapshots in {folder}", remedy="take some: --ibench-snapshot-every=15m"
        )
    return open_store(folder)


def _payload(store: Store, snapshot: Snapshot) -> dict[str, Any]:
    from pytest_innovatorbench.errors import SnapshotError  # noqa: PLC0415

    try:
        return store.payload(snapshot.id)
    except SnapshotError as error:
        sys.stderr.write(f"ibench: {error}\n")
        return {}


def _merge(store: Store, name: str, task: str, folder: Path, root: Path | None) -> tuple[str, ...]:
    from pytest_innovatorbench.sandbox.merging import merge_into  # noqa: PLC0415

    gym = open_root(root).load(task).gym
    folder.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".ibench-"))
    try:
        restored = store.restore(name, beside / "upper")
        return (*restored.skipped, *merge_into([beside / "upper", gym], folder))
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _owner(payload: dict[str, Any]) -> tuple[Any, Any]:
    return payload.get("run"), payload.get("attempt")


def _row(snapshot: Snapshot, payload: dict[str, Any]) -> str:
    ledger = payload.get("ledger", {})
    scores = [scored["net"] for scored in ledger.get("scores", ())]
    best = f"{max(scores):.1f}" if scores else "-"
    attempt = one_line(f"{payload.get('run', '?')}/{payload.get('attempt', '?')}")
    attempt = attempt if len(attempt) <= _NAME_WIDTH else f"...{attempt[3 - _NAME_WIDTH :]}"
    left = f"{payload.get('remaining', 0) / 60:.0f} min"
    return (
        f"{snapshot.id}  {_time(snapshot.created, '%Y-%m-%d %H:%M')}  {attempt:{_NAME_WIDTH}}"
        f"  {ledger.get('steps', 0):4}  {ledger.get('evals', 0):5}  {best:>4}  {left:8} {snapshot.files:5}"
        f"  {_size(snapshot.size):>8}"
    )


def _time(nanoseconds: int, form: str) -> str:
    from datetime import UTC, datetime  # noqa: PLC0415

    return datetime.fromtimestamp(nanoseconds / 1e9, UTC).strftime(form)


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"  # noqa: PLR2004 - units


def _slash(change: Change) -> str:
    entry = change.after or change.before
    return "/" if entry is not None and entry.kind == "folder" else ""
