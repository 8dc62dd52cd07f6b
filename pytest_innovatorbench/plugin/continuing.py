"""Going on with earlier runs, and from snapshots: whose settings count, and what attempts begin with."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from pytest_innovatorbench.errors import SettingsError, UnknownNameError
from pytest_innovatorbench.plugin.options import read_root, read_run_dir, read_text, read_texts, typed_options
from pytest_innovatorbench.runs import records
from pytest_innovatorbench.runs.earlier import allowed, resumed
from pytest_innovatorbench.runs.plan import plan_attempt, settings_from_record
from pytest_innovatorbench.settings import parse_interval, parse_run_id, parse_score, parse_whole

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from pytest_innovatorbench.plugin.session import Run
    from pytest_innovatorbench.runs.plan import AttemptSpec
    from pytest_innovatorbench.settings import Settings
    from pytest_innovatorbench.tasks.model import Task

# How attempts are run and told of may change; what they are may not.
_FREE = {"resume", "root", "run-dir", "concurrency", "fail-under", "report", "snapshot-every"}
_LISTED = 10


def settings_to_resume(config: pytest.Config) -> Settings:
    """Return the settings of a run that goes on, with what may be chosen anew.

    Raises:
        UserError: There is no such run, its record is damaged, or an option is typed that was settled.
    """
    settled = sorted(typed_options(config) - _FREE)
    if settled:
        raise SettingsError(
            "--ibench-resume goes on as the run began", remedy=f"leave out --ibench-{settled[0]}"
        )
    run_dir = read_run_dir(config)
    run_id = parse_run_id("--ibench-resume", read_text(config, "resume"))
    if not (run_dir / run_id / records.RUN_FILE).is_file():
        raise UnknownNameError("run", run_id, _runs(run_dir))
    began = settings_from_record(records.read_settings(run_dir / run_id))
    typed = typed_options(config)
    every = read_text(config, "snapshot-every")
    concurrency, least = read_text(config, "concurrency"), read_text(config, "fail-under")
    return replace(
        began,
        root=read_root(config) if "root" in typed else began.root,
        run_dir=run_dir,
        run_id=run_id,
        concurrency=parse_whole("--ibench-concurrency", concurrency, least=1) if concurrency else 1,
        fail_under=parse_score("--ibench-fail-under", least) if least else began.fail_under,
        reports=tuple(read_texts(config, "report")) or began.reports,
        snapshot_every=parse_interval("--ibench-snapshot-every", every) if every else began.snapshot_every,
        resumes=True,
    )


def plan_in(run: Run, task: Task, agent: str, seed: int) -> AttemptSpec:
    """Settle an attempt: afresh, from a snapshot, or where it left off.

    Raises:
        RecordError: What it left is damaged.
    """
    settings = run.settings
    settle = partial(
        plan_attempt,
        task,
        agent,
        run.agents[agent],
        seed,
        settings,
        extensions=run.extensions,
        inventory=run.inventory,
    )
    before = run.earlier.get((task.id, agent, seed))
    if before is not None:
        folder = settings.run_folder / "attempts" / before.result.attempt
        spec = settle(beginning=resumed(folder, settings.store))
        return replace(spec, allowance=allowed(folder))
    if run.origin is not None:
        return settle(beginning=run.origin.beginning, before=run.origin.allowance)
    return settle()


def _runs(run_dir: Path) -> list[str]:
    """Return the names of the latest runs."""
    found = (file.parent for file in run_dir.glob(f"*/{records.RUN_FILE}"))
    return [folder.name for folder in sorted(found, key=lambda folder: folder.stat().st_mtime)][-_LISTED:]
