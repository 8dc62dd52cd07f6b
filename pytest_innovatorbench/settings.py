"""What a user asked for, read once and shared by pytest and the command line."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from pytest_innovatorbench.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterable

Hints: TypeAlias = Literal["allow", "deny"]

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd]?)")
_SECONDS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_MAX_SEEDS = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """How often snapshots are taken; at each evaluation in any case.

    Attributes:
        seconds: Working time between two.
        steps: Actions between two.
    """

    seconds: float | None = None
    steps: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of one run.

    Attributes:
        agents: Agents as ``NAME[:MODEL]``.
        tasks: Patterns that select tasks.
        root: Folder of the benchmark.
        seeds: Seeds of the attempts of each task and agent.
        concurrency: Attempts at once in one process.
        run_dir: Folder of all runs.
        run_id: Name of this run.
        fail_under: Least final score that passes, if any.
        sandbox: ``bubblewrap`` or ``none``.
        computers: File that lists the computers; without one there is this machine.
        working_time: Seconds an agent may work, in place of the task's.
        max_evals: Evaluations an agent may ask for, in place of the task's.
        max_steps: Actions an agent may take, in place of the task's.
        max_tokens: Tokens that an attempt's model may read and write, if limited.
        max_cost: US dollars that an attempt's model may cost, if limited.
        agent_config: File with the settings of agents.
        model_base_url: Where models are served, in place of their providers' own addresses.
        native_tools: Whether programs of vendors work with their own tools, in the sandbox.
        hints: Whether agents may view hints.
        reports: Report files to write, as ``KIND:PATH``.
        snapshot_every: How often snapshots are taken, if any are.
        from_snapshot: Snapshot that attempts start from, if they do.
        resumes: Whether the run goes on that has this name.
    """

    agents: tuple[str, ...]
    tasks: tuple[str, ...] = ("all",)
    root: Path
    seeds: tuple[int, ...] = (0,)
    concurrency: int = 1
    run_dir: Path
    run_id: str
    fail_under: float | None = None
    sandbox: str = "bubblewrap"
    computers: Path | None = None
    working_time: float | None = None
    max_evals: int | None = None
    max_steps: int | None = None
    max_tokens: int | None = None
    max_cost: float | None = None
    agent_config: Path | None = None
    model_base_url: str | None = None
    native_tools: bool = False
    hints: Hints = "allow"
    reports: tuple[str, ...] = field(default=())
    snapshot_every: Interval | None = None
    from_snapshot: str | None = None
    resumes: bool = False

    @property
    def run_folder(self) -> Path:
        """Folder of this run's records."""
        return self.run_dir / self.run_id

    @property
    def store(self) -> Path:
        """Folder of the snapshots of all runs; like their records, never shown to an agent."""
        return store_below(self.run_dir)


def store_below(run_dir: Path) -> Path:
    """Return where the snapshots of all runs below a folder lie; no run can have this name."""
    return run_dir / ".snapshots"


def parse_list(values: Iterable[str]) -> tuple[str, ...]:
    """Split comma-separated values, drop blanks and repeats, keep the order."""
    parts = (part.strip() for value in values for part in value.split(","))
    return tuple(dict.fromkeys(part for part in parts if part))


def parse_seeds(option: str, text: str) -> tuple[int, ...]:
    """Read seeds: ``5`` is five seeds from 0, ``2-4`` a range, ``1,7`` a list.

    Raises:
        SettingsError: The text is none of these.
    """
    remedy = "give a number of seeds (5), a range (0-4) or a list (1,7)"
    try:
        if "," in text:
            seeds = [int(part) for part in text.split(",") if part.strip()]
        elif "-" in text:
            first, _, last = text.partition("-")
            seeds = list(range(int(first), min(int(last), int(first) + _MAX_SEEDS) + 1))
        else:
            seeds = list(range(min(int(text), _MAX_SEEDS + 1)))
    except ValueError:
        raise SettingsError(f"{option}: {text!r} is not understood", remedy=remedy) from None
    if not seeds or len(seeds) > _MAX_SEEDS or min(seeds) < 0:
        raise SettingsError(
            f"{option}: {text!r} gives no usable seeds", remedy=f"{remedy}, at most {_MAX_SEEDS:,}"
        )
    return tuple(dict.fromkeys(seeds))


def parse_duration(option: str, text: str) -> float:
    """Read a duration such as ``90``, ``15m`` or ``36h``, in seconds.

    Raises:
        SettingsError: The text is not a duration above 0.
    """
    match = _DURATION.fullmatch(text.strip().lower())
    seconds = float(match[1]) * _SECONDS[match[2]] if match else 0.0
    if seconds <= 0:
        raise SettingsError(f"{option}: {text!r} is not a duration", remedy="give seconds, or 15m, 36h, 2d")
    return seconds


def parse_whole(option: str, text: str, *, least: int) -> int:
    """Read a whole number.

    Raises:
        SettingsError: The text is no whole number of at least ``least``.
    """
    try:
        value = int(text)
    except ValueError:
        value = least - 1
    if value < least:
        raise SettingsError(
            f"{option}: {text!r} is not allowed", remedy=f"give a whole number from {least} up"
        )
    return value


def parse_interval(option: str, text: str) -> Interval:
    """Read how often: ``15m``, ``200steps``, or ``eval`` for at evaluations alone.

    Raises:
        SettingsError: The text is none of these.
    """
    told = text.strip().lower()
    if told == "eval":
        return Interval()
    if (steps := re.fullmatch(r"(\d{1,9})\s*steps?", told)) and int(steps[1]):
        return Interval(steps=int(steps[1]))
    try:
        return Interval(seconds=parse_duration(option, told))
    except SettingsError:
        raise SettingsError(
            f"{option}: {text!r} is not understood", remedy="give a time (15m), steps (200steps) or eval"
        ) from None


def parse_amount(option: str, text: str) -> float:
    """Read an amount of money.

    Raises:
        SettingsError: The text is no number above 0.
    """
    try:
        value = float(text.strip().removeprefix("$"))
    except ValueError:
        value = 0.0
    if not 0 < value < math.inf:
        raise SettingsError(f"{option}: {text!r} is no amount", remedy="give US dollars, such as 2.50")
    return value


def parse_url(option: str, text: str) -> str:
    """Check the address of a server.

    Raises:
        SettingsError: It is none that is spoken to by HTTP, or holds a password, which records would show.
    """
    if re.match(r"\w+://[^/]*@", text):
        raise SettingsError(
            f"{option}: the address holds a name or password",
            remedy="leave it out; keys come from environment variables",
        )
    if not re.fullmatch(r"https?://[^\s/]+(/\S*)?", text):
        raise SettingsError(
            f"{option}: {text!r} is no address", remedy="give one such as http://127.0.0.1:8000/v1"
        )
    return text


def parse_score(option: str, text: str) -> float:
    """Read a score, 0-100.

    Raises:
        SettingsError: The text is no such number.
    """
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 100:  # noqa: PLR2004 - scores are 0-100; NaN fails as well
        raise SettingsError(f"{option}: {text!r} is not a score", remedy="give a number from 0 to 100")
    return value


def parse_run_id(option: str, text: str) -> str:
    """Check a run id: it names a folder.

    Raises:
        SettingsError: It has characters that do not belong into a folder's name.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._+=@-]{0,99}", text):
        raise SettingsError(
            f"{option}: {text!r} cannot name a folder", remedy="use letters, digits and . _ - + = @"
        )
    return text
