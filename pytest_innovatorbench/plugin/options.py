"""The options of a run, each as ``--ibench-NAME`` and as ``ibench_NAME`` in the ini file."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from pytest_innovatorbench.authoring.findings import Options
    from pytest_innovatorbench.runs.earlier import Origin
    from pytest_innovatorbench.settings import Hints, Settings

Value = TypeVar("Value")
Mode: TypeAlias = Literal["attempts", "validation"]

RUN_ID = "ibench_run_id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One option.

    Attributes:
        name: Name behind ``--ibench-``.
        metavar: What stands for its value in the help.
        help: What it does.
        repeatable: Whether it may be given several times.
        choices: The values it takes, where they are few.
        is_flag: Whether it is given without a value.
        modes: What it is of use for.
    """

    name: str
    metavar: str
    help: str
    repeatable: bool = False
    choices: tuple[str, ...] = ()
    is_flag: bool = False
    modes: tuple[Mode, ...] = ("attempts",)

    @property
    def key(self) -> str:
        """Its name in the ini file and in pytest's namespace of options."""
        return "ibench_" + self.name.replace("-", "_")


OPTIONS = (
    Option(
        name="agent",
        metavar="NAME[:MODEL]",
        repeatable=True,
        help="agents to run, comma-separated; this switches the benchmark on",
    ),
    Option(
        name="task",
        modes=("attempts", "validation"),
        metavar="TASK",
        repeatable=True,
        help="tasks: all (default), an id, a glob, or domain:LD",
    ),
    Option(
        name="root",
        modes=("attempts", "validation"),
        metavar="DIR",
        help="folder with evaluations/ and gym/ (default: rootdir, else the built-in tasks)",
    ),
    Option(
        name="seeds",
        metavar="SEEDS",
        help="number of seeds (5), range (0-4) or list (1,7); default 1",
    ),
    Option(
        name="concurrency",
        metavar="N",
        help="attempts at once in this process; default 1",
    ),
    Option(
        name="run-dir",
        metavar="DIR",
        help="folder of all runs; default .ibench/runs",
    ),
    Option(
        name="run-id",
        metavar="ID",
        help="name of this run; default is the time",
    ),
    Option(
        name="fail-under",
        metavar="SCORE",
        help="fail attempts whose final score is below this",
    ),
    Option(
        name="sandbox",
        modes=("attempts", "validation"),
        metavar="NAME",
        choices=("bubblewrap", "none"),
        help="what confines agents and evaluators: bubblewrap (default) or none",
    ),
    Option(
        name="computers",
        metavar="FILE",
        help="file that lists the computers attempts may use; default: this machine",
    ),
    Option(
        name="working-time",
        metavar="TIME",
        help="working time of an attempt, such as 90, 15m or 36h; default: the task's",
    ),
    Option(
        name="max-evals",
        metavar="N",
        help="evaluations an agent may ask for; default: the task's",
    ),
    Option(
        name="max-steps",
        metavar="N",
        help="actions an agent may take; default: the task's",
    ),
    Option(
        name="max-tokens",
        metavar="N",
        help="tokens that an attempt's model may read and write; default: no limit",
    ),
    Option(
        name="max-cost",
        metavar="USD",
        help="US dollars that an attempt's model may cost; default: no limit",
    ),
    Option(
        name="agent-config",
        metavar="FILE",
        help="models, prompts, tools and prices of agents, as YAML; see docs/agents.md",
    ),
    Option(
        name="model-base-url",
        metavar="URL",
        help="where models that agents ask are served, in place of their providers' own addresses",
    ),
    Option(
        name="native-tools",
        metavar="",
        is_flag=True,
        help="let claude-code and codex work with their own tools, inside the sandbox",
    ),
    Option(
        name="hints",
        metavar="allow|deny",
        choices=("allow", "deny"),
        help="whether agents may view hints; default allow",
    ),
    Option(
        name="report",
        metavar="KIND:PATH",
        repeatable=True,
        help="write a report: json:PATH, md:PATH or html:PATH",
    ),
    Option(
        name="snapshot-every",
        metavar="TIME|STEPS",
        help="take snapshots: every 15m or 200steps, and at evaluations; or eval for at these alone",
    ),
    Option(
        name="from-snapshot",
        metavar="ID",
        help="start new attempts from a snapshot, with its agent and seed unless others are named",
    ),
    Option(
        name="resume",
        metavar="RUN_ID",
        help="go on with a run that was cut short, as it began",
    ),
    Option(
        name="validate",
        metavar="",
        is_flag=True,
        modes=("validation",),
        help="check tasks by rules, in place of running agents",
    ),
    Option(
        name="attack",
        metavar="",
        is_flag=True,
        modes=("validation",),
        help="with --ibench-validate, also try submissions that nobody should be paid for",
    ),
    Option(
        name="repeat",
        metavar="N",
        modes=("validation",),
        help="with --ibench-validate, run oracle, baseline and nop N times; default: not at all",
    ),
)

_BY_NAME = {option.name: option for option in OPTIONS}


def add_options(parser: pytest.Parser) -> None:
    """Declare the options."""
    group = parser.getgroup("innovatorbench", "research agents as tests (pytest-innovatorbench)")
    for option in OPTIONS:
        flag, dest = f"--ibench-{option.name}", option.key
        if option.is_flag:
            group.addoption(flag, dest=dest, action="store_true", default=None, help=option.help)
            parser.addini(dest, option.help, type="bool", default=False)
            continue
        action = "append" if option.repeatable else "store"
        group.addoption(
            flag, dest=dest, action=action, default=None, metavar=option.metavar, help=option.help
        )
        if option.repeatable:
            parser.addini(dest, option.help, type="linelist", default=[])
        else:
            parser.addini(dest, option.help, type="string", default="")


def read_settings(config: pytest.Config) -> Settings:
    """Read the options of an active run.

    Raises:
        SettingsError: A value is wrong.
    """
    # Not at the top: this module is loaded in every run of pytest, the settings only in ours.
    from pytest_innovatorbench import settings  # noqa: PLC0415

    def read(name: str, parse: Callable[[str, str], Value]) -> Value | None:
        text = read_text(config, name)
        return parse(f"--ibench-{name}", text) if text else None

    def whole(least: int) -> Callable[[str, str], int]:
        return lambda option, text: settings.parse_whole(option, text, least=least)

    root, tasks = read_tasks(config)
    agents = settings.parse_list(read_texts(config, "agent"))
    seeds = read("seeds", settings.parse_seeds)
    if origin := _origin(config):
        tasks, agents, seeds = (origin.task,), agents or (origin.agent,), seeds or (origin.seed,)
    return settings.Settings(
        agents=_nonempty("agent", agents),
        tasks=tasks,
        root=root,
        seeds=seeds or (0,),
        concurrency=read("concurrency", whole(1)) or 1,
        run_dir=read_run_dir(config),
        run_id=read("run-id", settings.parse_run_id) or _new_run_id(config),
        fail_under=read("fail-under", settings.parse_score),
        sandbox=read_text(config, "sandbox") or "bubblewrap",
        computers=_path(config, "computers"),
        working_time=read("working-time", settings.parse_duration),
        max_evals=read("max-evals", whole(0)),
        max_steps=read("max-steps", whole(1)),
        max_tokens=read("max-tokens", whole(1)),
        max_cost=read("max-cost", settings.parse_amount),
        agent_config=_path(config, "agent-config"),
        model_base_url=read("model-base-url", settings.parse_url),
        native_tools=_is_set(config, "native-tools"),
        hints=cast("Hints", read_text(config, "hints") or "allow"),
        reports=tuple(read_texts(config, "report")),
        snapshot_every=read("snapshot-every", settings.parse_interval),
        from_snapshot=origin.beginning.parent if origin else None,
    )


def read_root(config: pytest.Config) -> Path:
    """Read the folder of the benchmark."""
    from pytest_innovatorbench.tasks.benchmark import find_root  # noqa: PLC0415

    return _path(config, "root") or find_root(config.rootpath)


def read_run_dir(config: pytest.Config) -> Path:
    """Read the folder of all runs."""
    return _path(config, "run-dir") or config.rootpath / ".ibench" / "runs"


def typed_options(config: pytest.Config) -> frozenset[str]:
    """Return the names of the options that stand on the command line."""
    return frozenset(option.name for option in OPTIONS if config.getoption(option.key, None) is not None)


def _origin(config: pytest.Config) -> Origin | None:
    """Return what attempts start from, if that is a snapshot."""
    from pytest_innovatorbench.errors import SettingsError  # noqa: PLC0415
    from pytest_innovatorbench.settings import store_below  # noqa: PLC0415

    name = read_text(config, "from-snapshot")
    if not name:
        return None
    if "task" in typed_options(config):
        raise SettingsError("--ibench-from-snapshot goes on with its task", remedy="leave out --ibench-task")
    from pytest_innovatorbench.runs.earlier import origin  # noqa: PLC0415

    return origin(store_below(read_run_dir(config)), name)


def read_thoroughness(config: pytest.Config) -> Options:
    """Read how thoroughly tasks are to be checked.

    Raises:
        SettingsError: A value is wrong.
    """
    from pytest_innovatorbench.authoring.findings import Options  # noqa: PLC0415
    from pytest_innovatorbench.settings import parse_whole  # noqa: PLC0415

    repeat = read_text(config, "repeat")
    return Options(
        attack=_is_set(config, "attack"),
        repeat=parse_whole("--ibench-repeat", repeat, least=0) if repeat else 0,
        sandbox=read_text(config, "sandbox") or "bubblewrap",
    )


def read_tasks(config: pytest.Config) -> tuple[Path, tuple[str, ...]]:
    """Read where the tasks are, and which are asked for."""
    from pytest_innovatorbench.settings import parse_list  # noqa: PLC0415

    return read_root(config), parse_list(read_texts(config, "task")) or ("all",)


def read_text(config: pytest.Config, name: str) -> str:
    """Return what an option is given as, ``""`` if it is not.

    Raises:
        SettingsError: It is none of the few values that there are.
    """
    from pytest_innovatorbench.errors import SettingsError  # noqa: PLC0415

    option = _BY_NAME[name]
    given = config.getoption(option.key)
    value = str(given if given is not None else config.getini(option.key) or "").strip()
    if option.choices and value and value not in option.choices:
        choices = " or ".join(option.choices)
        raise SettingsError(f"--ibench-{name}: {value!r} is not known", remedy=f"choose {choices}")
    return value


def read_texts(config: pytest.Config, name: str) -> list[str]:
    """Return all that an option is given as."""
    key = _BY_NAME[name].key
    return list(config.getoption(key) or config.getini(key) or ())


def _is_set(config: pytest.Config, name: str) -> bool:
    key = _BY_NAME[name].key
    return bool(config.getoption(key) or config.getini(key))


def _nonempty(name: str, values: tuple[str, ...]) -> tuple[str, ...]:
    from pytest_innovatorbench.errors import SettingsError  # noqa: PLC0415

    if not values:
        raise SettingsError(f"--ibench-{name} is empty", remedy="name at least one, such as oracle")
    return values


def _path(config: pytest.Config, name: str) -> Path | None:
    """Return a path: typed ones start at the working folder, those of the ini file at that file."""
    text = read_text(config, name)
    if not text:
        return None
    typed = config.getoption(_BY_NAME[name].key) is not None
    return Path(config.invocation_params.dir if typed else config.rootpath, Path(text).expanduser()).resolve()


def _new_run_id(config: pytest.Config) -> str:
    """Name the run by its time; workers of xdist are told the name of the run they belong to."""
    told = getattr(config, "workerinput", {}).get(RUN_ID)
    return str(told or f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}")
