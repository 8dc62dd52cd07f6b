"""A benchmark on disk: where its tasks are, and how one is loaded."""

from __future__ import annotations

import fnmatch
import keyword
import os
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from pytest_innovatorbench.errors import Problem, TaskError, UnknownNameError, UserError
from pytest_innovatorbench.tasks.description import MOST_BYTES, sections, stated_limits
from pytest_innovatorbench.tasks.manifest import read_manifest
from pytest_innovatorbench.tasks.model import (
    DOMAINS,
    Hint,
    Metric,
    Paper,
    Resources,
    Role,
    Task,
    TaskLimits,
    Web,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_NOT_TASKS = {"base"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """A folder with ``evaluations/`` and ``gym/``.

    Attributes:
        root: The folder.
        task_ids: Names of its tasks, sorted.
    """

    root: Path
    task_ids: tuple[str, ...]

    def load(self, task_id: str) -> Task:
        """Load one task.

        Raises:
            TaskError: The task is broken; the error holds everything that is wrong with it.
        """
        return _load(self.root, task_id)

    def select(self, patterns: Iterable[str]) -> list[str]:
        """Return the ids of the tasks that any of the patterns takes.

        Args:
            patterns: ``all``, an id, a glob such as ``task_1*``, or ``domain:LD``.

        Returns:
            Task ids, sorted.

        Raises:
            UnknownNameError: A pattern takes no task.
        """
        chosen: set[str] = set()
        for pattern in patterns:
            taken = set(self._matching(pattern))
            if not taken:
                raise UnknownNameError("task", pattern, ("all", *self.task_ids))
            chosen |= taken
        return sorted(chosen)

    def _matching(self, pattern: str) -> Iterator[str]:
        if pattern == "all":
            yield from self.task_ids
        elif pattern.startswith("domain:"):
            domain = pattern.removeprefix("domain:")
            if domain.upper() not in {name.upper() for name in DOMAINS}:
                raise UnknownNameError("domain", domain, DOMAINS)
            yield from (name for name in self.task_ids if self.domain(name).upper() == domain.upper())
        else:
            yield from fnmatch.filter(self.task_ids, pattern)

    def domain(self, task_id: str) -> str:
        """Return the domain of a task, also of a broken one that states a domain there is."""
        values, _ = read_manifest(self.root / "evaluations" / task_id / "task.yaml", "task.yaml")
        stated = values.get("domain")
        return stated if stated in DOMAINS else "other"


def open_benchmark(root: Path) -> Benchmark:
    """Find the tasks below a folder.

    Args:
        root: A folder with ``evaluations/`` and ``gym/``.

    Raises:
        UserError: There is no ``evaluations/`` folder.
    """
    folder = root / "evaluations"
    if not folder.is_dir():
        raise UserError(f"no evaluations/ folder in {root}", remedy="give the benchmark with --ibench-root")
    with os.scandir(folder) as entries:
        names = sorted(entry.name for entry in entries if _looks_like_task(entry))
    if not names:
        raise UserError(f"no task in {folder}", remedy="write one, or give another folder with --ibench-root")
    return Benchmark(root=root.resolve(), task_ids=tuple(names))


def builtin_root() -> Path:
    """Return the folder of the tasks that come with the package."""
    packaged = Path(str(files("pytest_innovatorbench"))) / "_suite"
    return packaged if packaged.is_dir() else Path(__file__).resolve().parents[2]


def find_root(start: Path) -> Path:
    """Return ``start`` if it is a benchmark, otherwise the built-in one."""
    return start if (start / "evaluations").is_dir() and (start / "gym").is_dir() else builtin_root()


def _looks_like_task(entry: os.DirEntry[str]) -> bool:
    if entry.name in _NOT_TASKS or entry.name.startswith((".", "_")) or not entry.is_dir():
        return False
    return any(
        os.path.exists(os.path.join(entry.path, name))  # noqa: PTH110, PTH118 - 100 tasks x 4, Path costs 10x
        for name in ("task.yaml", "task.yml", "task", "hint.md")
    )


def _load(root: Path, task_id: str) -> Task:
    evaluations, gym = root / "evaluations" / task_id, root / "gym" / task_id
    shown = f"evaluations/{task_id}/task.yaml"
    values, problems = read_manifest(evaluations / "task.yaml", shown)
    problems += _layout_problems(evaluations, gym, task_id)
    usable = values if not problems else {}
    text, text_problems = _description(gym / "task" / "task_description.md", f"gym/{task_id}/task")
    problems += text_problems
    problems += _consistency_problems(usable, task_id, evaluations, gym, shown)
    if problems:
        raise TaskError(task_id, problems)
    return _build(task_id, evaluations, gym, usable, text)


def _layout_problems(evaluations: Path, gym: Path, task_id: str) -> Iterator[Problem]:
    name = f"evaluations/{task_id}"
    if not task_id.isidentifier() or keyword.iskeyword(task_id):
        yield Problem(
            file=name, message="is not a name Python can import", remedy="rename it: letters, digits and _"
        )
    if (evaluations / "task.yml").exists():
        both = (evaluations / "task.yaml").exists()
        yield Problem(
            file=f"{name}/task.yml",
            message="stands beside task.yaml" if both else "has the wrong ending",
            remedy="delete one of the two" if both else "rename it to task.yaml",
        )
    for file, what in (("evaluation.py", "class TaskBenchmark"), ("config.py", "class TaskConfig")):
        if not (evaluations / "task" / file).is_file():
            yield Problem(file=f"{name}/task/{file}", message="is missing", remedy=f"write it, with {what}")
    if not gym.is_dir():
        yield Problem(file=f"gym/{task_id}", message="is missing", remedy="create what the agent starts from")


def _description(file: Path, shown: str) -> tuple[str, list[Problem]]:
    name = f"{shown}/{file.name}"
    try:
        if file.stat().st_size > MOST_BYTES:
            return "", [
                Problem(
                    file=name,
                    message=f"has more than {MOST_BYTES:,} bytes",
                    remedy="say what an agent has to know, and put data into data/",
                )
            ]
        text = file.read_text("utf-8")
    except FileNotFoundError:
        return "", [Problem(file=name, message="is missing", remedy="write the description for the agent")]
    except UnicodeDecodeError:
        return "", [Problem(file=name, message="is not UTF-8", remedy="save it as UTF-8")]
    except OSError as error:
        return "", [Problem(file=name, message=f"cannot be read: {error.strerror}", remedy="mend its mode")]
    if not text.strip():
        return "", [Problem(file=name, message="is empty", remedy="write the description for the agent")]
    return text, []


def _consistency_problems(
    values: Mapping[str, Any], task_id: str, evaluations: Path, gym: Path, shown: str
) -> Iterator[Problem]:
    if values.get("id", task_id) != task_id:
        yield Problem(
            file=shown,
            key="id",
            message=f"{values['id']!r} is not the folder's name {task_id!r}",
            remedy="two tasks may not share an id; write the folder's name or leave the key out",
        )
    if "hint" in values and not (evaluations / "hint.md").is_file():
        yield Problem(
            file=shown, key="hint", message="there is no hint.md", remedy="write it or leave hint out"
        )
    for index, metric in enumerate(values.get("metrics", ())):
        better = metric["reference"] - metric["baseline"]
        if better * (1 if metric.get("direction", "maximize") == "maximize" else -1) <= 0:
            yield Problem(
                file=shown,
                key=f"metrics.{index}",
                message="the reference is not better than the baseline",
                remedy="swap them or set direction",
            )
    yield from _requirements_problems(values, gym, shown)
    yield from _conda_problems(values, evaluations.parents[1], shown)
    yield from _downloads_problems(values, gym, shown)
    yield from _roles_problems(values.get("resources", {}), shown)
    yield from _web_problems(values, gym, shown)


def _requirements_problems(values: Mapping[str, Any], gym: Path, shown: str) -> Iterator[Problem]:
    stated = values.get("environment", {}).get("requirements")
    if stated is None:
        return
    file = (gym / stated).resolve()
    if not file.is_relative_to(gym.resolve()):
        problem = f"{stated!r} leaves gym/{gym.name}"
    elif not file.is_file():
        problem = f"there is no {stated!r} in gym/{gym.name}"
    else:
        return
    yield Problem(file=shown, key="environment.requirements", message=problem, remedy="name a file there")


def _conda_problems(values: Mapping[str, Any], root: Path, shown: str) -> Iterator[Problem]:
    environment = values.get("environment", {})
    if "conda" not in environment:
        return
    stated = environment["conda"]
    if not _is_below(stated):
        message, remedy = f"{stated!r} leaves the benchmark", f"name a conda.tar below {root.name}"
        yield Problem(file=shown, key="environment.conda", message=message, remedy=remedy)
    if "requirements" in environment:
        message, remedy = "stands beside requirements", "leave one of the two out"
        yield Problem(file=shown, key="environment.conda", message=message, remedy=remedy)


def _downloads_problems(values: Mapping[str, Any], gym: Path, shown: str) -> Iterator[Problem]:
    for index, stated in enumerate(values.get("resources", {}).get("downloads", ())):
        if not _is_below(stated):
            yield Problem(
                file=shown,
                key=f"resources.downloads.{index}",
                message=f"{stated!r} leaves gym/{gym.name}",
                remedy="name what belongs there",
            )


def _is_below(stated: str) -> bool:
    """Tell whether a path stays in its folder; what it is there, a link perhaps, is the author's affair."""
    return not PurePosixPath(stated).is_absolute() and ".." not in PurePosixPath(stated).parts


def _roles_problems(resources: Mapping[str, Any], shown: str) -> Iterator[Problem]:
    roles = resources.get("roles")
    if roles is None:
        return
    for key in ("computers", "gpus", "gpu_memory_gb"):
        if key in resources:
            yield Problem(
                file=shown,
                key=f"resources.{key}",
                message="stands beside roles, which say it for each role",
                remedy=f"move {key} into the roles",
            )
    collected = [name for name, role in roles.items() if role.get("outputs")]
    if len(collected) > 1:
        yield Problem(
            file=shown,
            key=f"resources.roles.{collected[1]}.outputs",
            message=f"the outputs of {collected[0]!r} count already",
            remedy="leave outputs: true to one role",
        )


def _resources(stated: Mapping[str, Any]) -> Resources:
    """Take what is stated; what holds for the memory of all computers holds for each role."""
    memory = stated.get("memory_gb")
    roles = stated.get("roles", {})
    told = tuple(Role(**{"memory_gb": memory, **role}, name=name) for name, role in roles.items())
    return Resources(**{**_without(stated, "downloads"), "roles": told})


def _without(values: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name != key}


def _web_problems(values: Mapping[str, Any], gym: Path, shown: str) -> Iterator[Problem]:
    web = values.get("web", {})
    if web.get("mode") == "allow" and not web.get("allow"):
        yield Problem(file=shown, key="web.allow", message="is empty", remedy="name a host or set mode: none")
    corpus = web.get("corpus")
    if corpus is not None:
        folder = (gym / corpus).resolve()
        if not folder.is_relative_to(gym.resolve()) or not folder.is_dir():
            message = f"there is no folder {corpus!r} in gym/{gym.name}"
            yield Problem(file=shown, key="web.corpus", message=message, remedy="name a folder there")


def _web(values: Mapping[str, Any], gym: Path) -> Web:
    """Take what is stated; a task whose agents have the network may see the web, but for its source."""
    stated = values.get("web", {})
    paper = values.get("paper", {})
    sources = (paper.get("url", ""), paper.get("repository", ""))
    return Web(
        mode=stated.get("mode", "open" if values.get("network") == "open" else "none"),
        allow=tuple(stated.get("allow", ())),
        block=tuple(stated.get("block", (source for source in sources if source))),
        corpus=gym / stated["corpus"] if "corpus" in stated else None,
    )


def _build(task_id: str, evaluations: Path, gym: Path, values: Mapping[str, Any], text: str) -> Task:
    limits, assumed = _limits(values.get("limits", {}), text)
    calibration = values.get("calibration", {})
    hint_file = evaluations / "hint.md"
    if hint_file.is_file() and "hint" not in values:
        assumed.append("hint.penalty: 0 points, as none is stated")
    environment, resources = values.get("environment", {}), values.get("resources", {})
    requirements = gym / environment.get("requirements", "task/requirements.txt")
    is_packed = "conda" in environment
    return Task(
        id=task_id,
        evaluations=evaluations,
        gym=gym,
        version=str(values.get("version", "1.0")),
        title=values.get("title", task_id.replace("_", " ")),
        domain=values.get("domain", "other"),
        paper=Paper(**values.get("paper", {})),
        limits=limits,
        resources=_resources(resources),
        network=values.get("network", "none"),
        web=_web(values, gym),
        requirements=requirements if requirements.is_file() and not is_packed else None,
        conda=evaluations.parents[1] / environment["conda"] if is_packed else None,
        downloads=tuple(gym / path for path in resources.get("downloads", ())),
        hint=Hint(file=hint_file, **values.get("hint", {})) if hint_file.is_file() else None,
        metrics=tuple(Metric(**metric) for metric in values.get("metrics", ())),
        baseline_points=float(calibration.get("baseline", 0.0)),
        reference_points=float(calibration.get("reference", 80.0)),
        judge=tuple(values["judge"]["environment"]) if "judge" in values else None,
        assumed=tuple(assumed),
    )


def _limits(stated: Mapping[str, Any], text: str) -> tuple[TaskLimits, list[str]]:
    """Take limits from ``task.yaml``, then from the description, then the published defaults."""
    found = stated_limits(sections(text))
    read = {
        "working_hours": found.get("working_seconds", 0) / 3600,
        "training_hours": found.get("training_seconds", 0) / 3600,
        "evaluation_seconds": found.get("evaluation_seconds", 0),
    }
    from_text = {key: value for key, value in read.items() if value and key not in stated}
    limits = TaskLimits(**{**from_text, **stated})
    assumed = [f"limits.{key}: {value:g}, as the description says" for key, value in from_text.items()]
    published = [key for key in TaskLimits.__dataclass_fields__ if key != "evaluation_memory_gb"]
    unstated = [key for key in published if key not in stated and key not in from_text]
    assumed += [f"limits.{key}: {getattr(limits, key):g}, the published default" for key in unstated]
    return limits, assumed
