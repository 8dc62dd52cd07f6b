"""A good task gets no finding; broken in one place, it gets that code and no other."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pytest_innovatorbench.authoring.checks import description, layout
from pytest_innovatorbench.authoring.findings import Finding, Options
from pytest_innovatorbench.authoring.rules import BUILTIN_RULES, find
from pytest_innovatorbench.authoring.validation import check, examined
from tests.unit.authoring.good import TASK, Good

REPOSITORY = Path(__file__).parents[4]


def found(good: Good, task: str = TASK) -> dict[str, list[Finding]]:
    """Return what all rules on layout and description find, in one examination."""
    with examined(good.root, task, Options()) as subject:
        results = [check(rule, subject) for rule in (*layout.RULES, *description.RULES)]
    return {result.rule.code: list(result.findings) for result in results if result.findings}


def only(good: Good, code: str) -> Finding:
    """Return the one finding there is."""
    findings = found(good)
    assert list(findings) == [code], findings
    assert len(findings[code]) == 1, findings
    return findings[code][0]


def said(good: Good, code: str) -> tuple[str, str, int | None, str | None]:
    """Return message, file, line and severity of the one finding there is."""
    finding = only(good, code)
    return finding.message, finding.file, finding.line, finding.severity


def test_a_good_task_has_no_finding_and_every_rule_looks_at_it(good: Good) -> None:
    assert found(good) == {}
    assert {rule.code for rule in layout.RULES if good.skipped(rule)} == set()


@pytest.mark.parametrize("task", ["loss_noisy_labels", "filter_noisy_pool"])
def test_the_built_in_tasks_have_no_finding(task: str) -> None:
    with examined(REPOSITORY, task, Options()) as subject:
        results = [check(rule, subject) for rule in (*layout.RULES, *description.RULES)]
    assert {result.rule.code: result.findings for result in results if result.findings} == {}
    assert {result.rule.code: result.skipped for result in results if result.skipped} == {}


@pytest.mark.parametrize(
    ("folder", "severity"),
    [
        ("gym/toy", "error"),
        ("gym/toy/data", "error"),
        ("gym/toy/data/datasets", "error"),
        ("gym/toy/task", "error"),
        ("gym/toy/task/repositories", "note"),
        ("gym/toy/task/scripts", "note"),
        ("evaluations/toy/data", "error"),
        ("evaluations/toy/data/references", "error"),
        ("evaluations/toy/data/baselines", "error"),
        ("evaluations/toy/data/outputs", "note"),
        ("evaluations/toy/task", "error"),
    ],
)
def test_a_missing_folder_is_one_finding(good: Good, folder: str, severity: str) -> None:
    shutil.rmtree(good.root / folder)
    assert said(good, "IB101") == ("the folder is missing", folder, None, severity)


@pytest.mark.parametrize(
    ("folder", "severity"),
    [
        ("gym/toy/data/datasets", "warning"),
        ("evaluations/toy/data/references", "error"),
        ("evaluations/toy/data/baselines", "error"),
    ],
)
def test_an_empty_folder(good: Good, folder: str, severity: str) -> None:
    shutil.rmtree(good.root / folder)
    (good.root / folder / "deeper").mkdir(parents=True)
    (good.root / folder / ".gitkeep").touch()
    assert said(good, "IB101") == ("holds no file", folder, None, severity)


def test_a_folder_that_is_a_file(good: Good) -> None:
    (good.gym / "data" / "outputs").write_text("x")
    assert said(good, "IB101") == ("is no folder", "gym/toy/data/outputs", None, "error")


def test_a_folder_of_almost_the_right_name(good: Good) -> None:
    (good.gym / "data" / "datasets").rename(good.gym / "data" / "Dataset")
    assert only(good, "IB101").remedy == "rename Dataset to datasets"


@pytest.mark.parametrize(
    ("file", "remedy"),
    [
        ("gym/toy/task/task_description.md", "write it: what the agent reads"),
        ("evaluations/toy/task/config.py", "write it: class TaskConfig(Config)"),
        ("evaluations/toy/task/evaluation.py", "write it: class TaskBenchmark(BaseBenchmark)"),
    ],
)
@pytest.mark.parametrize(
    ("content", "message", "line"),
    [
        (None, "is missing", None),
        (b"", "is empty", None),
        (b"\xef\xbb\xbf \n", "is empty", None),
        (b"# One\n\n\xff\xfe", "is not UTF-8", 3),
        (b"# One\0", "holds NUL bytes", None),
    ],
)
def test_files(
    good: Good, file: str, remedy: str, content: bytes | None, message: str, line: int | None
) -> None:
    if content is None:
        (good.root / file).unlink()
    else:
        (good.root / file).write_bytes(content)
    finding = only(good, "IB102")
    assert (finding.message, finding.file, finding.line) == (message, file, line)
    if message in {"is missing", "is empty"}:
        assert finding.remedy == remedy


@pytest.mark.parametrize(
    ("file", "most"),
    [("gym/toy/task/task_description.md", 100_000), ("evaluations/toy/task/config.py", 5_000_000)],
)
def test_files_that_are_too_large(good: Good, file: str, most: int) -> None:
    content = (good.root / file).read_bytes()
    (good.root / file).write_bytes(content.ljust(most, b"\n"))
    assert good.findings("IB102") == ()
    (good.root / file).write_bytes(content.ljust(most + 1, b"\n"))
    assert said(good, "IB102") == (f"has more than {most:,} bytes", file, None, "error")


def test_a_file_of_almost_the_right_name(good: Good) -> None:
    good.description.rename(good.description.with_name("Task-Description.md"))
    assert only(good, "IB102").remedy == "rename Task-Description.md to task_description.md"


def test_a_file_that_is_a_folder(good: Good) -> None:
    good.description.unlink()
    good.description.mkdir()
    assert said(good, "IB102") == ("is no file", "gym/toy/task/task_description.md", None, "error")


def test_an_empty_hint(good: Good) -> None:
    (good.evaluations / "hint.md").write_text("")
    assert said(good, "IB102") == ("is empty", "evaluations/toy/hint.md", None, "error")


@pytest.mark.parametrize(
    ("content", "message", "line"),
    [
        (b"id: toy\ndomain: LD: x", "line 2, column 11: mapping values are not allowed in this context", 2),
        (b"", "is empty", None),
        (b"- a\n", "is not a mapping", None),
        (b"id: \xff\n", "is not UTF-8", None),
        (b"id: toy\nlimits:\n  evals: many\n", 'limits.evals: "many" is not allowed', 3),
        (b"id: toy\n\nmetric: []\n", "unknown key 'metric'", None),
        (b"id: toy\nid: toy\n", "line 2, column 1: the key 'id' is given twice", 2),
        (b"\nid: tow\n", "id: 'tow' is not the folder's name 'toy'", 2),
        (
            b"metrics:\n- {name: rmse, baseline: 1, reference: 1}\n",
            "metrics.0: the reference is not better than the baseline",
            2,
        ),
    ],
)
def test_a_broken_manifest(good: Good, content: bytes, message: str, line: int | None) -> None:
    (good.evaluations / "task.yaml").write_bytes(content)
    findings = found(good)
    (finding,) = findings.pop("IB103")
    assert (finding.message, finding.line) == (message, line)
    assert finding.file == "evaluations/toy/task.yaml"
    assert set(findings) <= {"IB211"}, findings  # without task.yaml, the hint costs nothing


def test_no_manifest(good: Good) -> None:
    (good.evaluations / "task.yaml").unlink()
    assert said(good, "IB103") == (
        "is missing, so limits and the hint's price are the description's or defaults",
        "evaluations/toy/task.yaml",
        None,
        "warning",
    )


def test_a_manifest_of_another_ending(good: Good) -> None:
    (good.evaluations / "task.yaml").rename(good.evaluations / "task.yml")
    assert said(good, "IB103")[:2] == ("has the wrong ending", "evaluations/toy/task.yml")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("my-task", "'my-task' is not a name Python can import"),
        ("class", "'class' is not a name Python can import"),
        ("1st", "'1st' is not a name Python can import"),
        ("a\nb", "'a\\nb' is not a name Python can import"),
        ("all", "'all' is what selects every task"),
    ],
)
def test_names_of_tasks(good: Good, name: str, message: str) -> None:
    for folder in (good.gym, good.evaluations):
        folder.rename(folder.with_name(name))
    good.edit(good.root / "evaluations" / name / "task.yaml", "id: toy\n", "")
    findings = found(good, name)
    assert list(findings) == ["IB104"], findings
    assert [finding.message for finding in findings["IB104"]] == [message]


def test_names_of_tasks_that_differ_in_case(good: Good) -> None:
    (good.root / "gym" / "TOY").mkdir()
    assert said(good, "IB104") == (
        "differs from gym/TOY in the case of letters only",
        "evaluations/toy",
        None,
        "error",
    )


@pytest.mark.parametrize(
    ("name", "shown", "message", "severity"),
    [
        (b"a\nb", "a b", "'a b' is a name with line ends or other control characters", "error"),
        (
            b"\x1b[31m",
            "\\x1b[31m",
            "'\\\\x1b[31m' is a name with line ends or other control characters",
            "error",
        ),
        (b"caf\xe9", "caf\\udce9", "'caf\\\\udce9' is a name that is not UTF-8", "error"),
        (b"a\\b", "a\\b", "'a\\\\b' is a name with a backslash", "error"),
        (b"a:b", "a:b", "'a:b' is no name on Windows", "warning"),
        (b"what?", "what?", "'what?' is no name on Windows", "warning"),
        (b"end.", "end.", "'end.' is no name on Windows", "warning"),
        (b"aux.txt", "aux.txt", "'aux.txt' is no name on Windows", "warning"),
        (b"TRAIN.csv", "train.csv", "differs from TRAIN.csv in the case of letters only", "warning"),
    ],
)
def test_names_of_files(good: Good, name: bytes, shown: str, message: str, severity: str) -> None:
    folder = good.gym / "data" / "datasets"
    with open(os.path.join(os.fsencode(folder), name), "wb") as file:  # noqa: PTH118, PTH123 - names of bytes
        file.write(b"x")
    assert said(good, "IB105") == (message, f"gym/toy/data/datasets/{shown}", None, severity)


def test_names_beyond_the_usual_are_fine(good: Good) -> None:
    for name in ("caf\u00e9 (1).txt", "\u4e2d\u6587.md", "a'b,c;d=e+f@g#h", "-x", ".hidden", "console.py"):
        (good.gym / "data" / "datasets" / name).write_text("x")
    assert found(good) == {}


def test_many_odd_names_are_counted(good: Good) -> None:
    for number in range(1_025):
        (good.gym / "data" / "datasets" / f"{number}?").write_text("x")
    findings = found(good)
    assert list(findings) == ["IB105"]
    assert len(findings["IB105"]) == 21
    assert findings["IB105"][-1].message == "and 1,005 more such names"
    assert findings["IB105"][-1].severity == "warning"


def test_a_nested_repository(good: Good) -> None:
    folder = good.gym / "task" / "repositories" / "smoother"
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    (folder / ".git" / "hooks" / "a:b").write_text("x")
    finding = only(good, "IB106")
    assert finding.message == "is a repository"
    assert finding.file == "gym/toy/task/repositories/smoother/.git"
    assert finding.remedy.endswith("rm -rf gym/toy/task/repositories/smoother/.git")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (".git", "ties the folder to a repository elsewhere"),
        (".gitmodules", "names the repositories of submodules"),
    ],
)
def test_what_submodules_leave(good: Good, name: str, message: str) -> None:
    (good.gym / "task" / name).write_text("gitdir: ../../x\n")
    assert said(good, "IB106") == (message, f"gym/toy/task/{name}", None, "error")


@pytest.mark.parametrize(
    "name",
    [
        "gym/toy/task/repositories/smoother/__pycache__/smooth.cpython-312.pyc",
        "gym/toy/task/repositories/smoother.egg-info/PKG-INFO",
        "gym/toy/data/.ipynb_checkpoints/x.ipynb",
        "evaluations/toy/task/__pycache__/evaluation.cpython-312.pyc",
        "evaluations/toy/.pytest_cache/README.md",
        "evaluations/toy/.venv/bin/python",
    ],
)
def test_caches(good: Good, name: str) -> None:
    (good.root / name).parent.mkdir(parents=True)
    (good.root / name).write_text("x")
    (good.root / name).with_name("away").symlink_to("/usr/bin")
    message, file, line, severity = said(good, "IB107")
    assert (message, line, severity) == ("is made by a program, and can be made again", None, "error")
    assert name.startswith(f"{file}/")


@pytest.mark.parametrize("name", [".DS_Store", "notes.md~", "old.pyc"])
def test_files_of_programs(good: Good, name: str) -> None:
    (good.gym / "task" / name).write_text("x")
    assert said(good, "IB107")[1] == f"gym/toy/task/{name}"


def test_bytecode_beside_the_evaluator_is_an_error_once_git_has_it(good: Good) -> None:
    subprocess.run(["git", "init", "-q", str(good.root)], check=True)
    folder = good.evaluations / "task/__pycache__"
    folder.mkdir()
    (folder / "evaluation.cpython-312.pyc").write_text("x")
    assert said(good, "IB107")[3] == "warning"
    subprocess.run(["git", "-C", str(good.root), "add", "evaluations"], check=True)
    assert said(good, "IB107")[3] == "error"


def test_bytecode_beside_the_evaluator_is_an_error_where_git_cannot_tell(
    good: Good, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = good.evaluations / "task/__pycache__"
    folder.mkdir()
    (folder / "evaluation.cpython-312.pyc").write_text("x")
    assert said(good, "IB107")[3] == "error"  # this is no repository
    subprocess.run(["git", "init", "-q", str(good.root)], check=True)
    assert said(good, "IB107")[3] == "warning"
    monkeypatch.setenv("PATH", "")
    assert said(good, "IB107")[3] == "error"


def test_caches_that_git_ignores_are_none_of_the_evaluator(good: Good) -> None:
    subprocess.run(["git", "init", "-q", str(good.root)], check=True)
    (good.root / ".gitignore").write_text("__pycache__/\n")
    for folder in (good.evaluations / "task", good.gym / "task"):
        (folder / "__pycache__").mkdir()
        (folder / "__pycache__" / "x.pyc").write_text("x")
    assert said(good, "IB107")[1] == "gym/toy/task/__pycache__"


@pytest.mark.parametrize(
    ("place", "target", "message"),
    [
        ("gym", "/etc/passwd", "is a link to /etc/passwd, a path of one machine"),
        (
            "gym",
            "../../../tests/test_toy.py",
            "is a link to ../../../tests/test_toy.py, which leaves gym/toy",
        ),
        (
            "gym",
            "../../../evaluations/toy/data",
            "is a link to ../../../evaluations/toy/data, which leaves gym/toy",
        ),
        ("gym", "nowhere", "is a link to nowhere, which is not there"),
        ("gym", "odd", "is a link to odd, which is not there"),
        ("gym", "/workspace/nowhere", "is a link to /workspace/nowhere, which is not there"),
        ("gym", "/workspace/../x", "is a link to /workspace/../x, which leaves gym/toy"),
        ("evaluations", "/workspace/data", "is a link to /workspace/data, a path of one machine"),
        (
            "evaluations",
            "../../../gym/toy/data",
            "is a link to ../../../gym/toy/data, which leaves evaluations/toy",
        ),
        ("evaluations", "\x1b[0m\n", "is a link to \\x1b[0m, which is not there"),
    ],
)
def test_links(good: Good, place: str, target: str, message: str) -> None:
    (good.root / place / "toy" / "task" / "odd").symlink_to(target)
    assert said(good, "IB108") == (message, f"{place}/toy/task/odd", None, "error")


@pytest.mark.parametrize(
    "target",
    ["../data/datasets", "task_description.md", "/workspace/data/datasets", "/workspace/data/outputs"],
)
def test_links_within_a_task(good: Good, target: str) -> None:
    (good.gym / "task" / "fine").symlink_to(target)
    assert found(good) == {}


@pytest.mark.parametrize("folder", ["gym/toy", "evaluations/toy", "gym/toy/data", "gym/toy/data/datasets"])
def test_a_folder_of_the_task_that_lies_elsewhere(good: Good, tmp_path: Path, folder: str) -> None:
    shutil.move(good.root / folder, tmp_path / "elsewhere")
    (good.root / folder).symlink_to(tmp_path / "elsewhere")
    finding = only(good, "IB108")
    assert finding.file == folder
    assert finding.message in {
        "is a link itself",
        f"is a link to {tmp_path}/elsewhere, a path of one machine",
    }


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("gym/toy/data/datasets/big.csv", "compress it, write it as Parquet or take a part of it, or "),
        (
            "gym/toy/data/checkpoints/big.safetensors",
            "name the model and where it comes from in the description",
        ),
        ("evaluations/toy/data/references/big.npz", "take a part of it, or "),
    ],
)
def test_a_large_file_is_listed_at_once(good: Good, name: str, remedy: str) -> None:
    (good.root / name).parent.mkdir(exist_ok=True)
    (good.root / name).touch()
    os.truncate(good.root / name, 2_000_000_000)
    started = time.perf_counter()
    assert said(good, "IB109") == ("has 2.0 GB", name, None, "warning")
    assert time.perf_counter() - started < 5
    finding = only(good, "IB109")
    assert finding.remedy.startswith(remedy)
    assert finding.remedy.endswith("track it with git lfs, and waive the rule")


def test_large_files_are_listed_from_the_largest(good: Good) -> None:
    for number in range(30):
        file = good.gym / "data" / "datasets" / f"{number}.bin"
        file.touch()
        os.truncate(file, 60_000_000 + 1_000_000 * number)
    findings = found(good)["IB109"]
    assert [finding.message for finding in findings[:2]] == ["has 89 MB", "has 88 MB"]
    assert findings[20].message == "and 10 more files that large"


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(path))


@pytest.mark.parametrize(("make", "message"), [(_fifo, "is a FIFO"), (_socket, "is a socket")])
def test_kinds_of_files(
    good: Good, monkeypatch: pytest.MonkeyPatch, make: Callable[[Path], None], message: str
) -> None:
    monkeypatch.chdir(good.gym / "data" / "datasets")  # the address of a socket has to be short
    make(Path("odd"))
    assert said(good, "IB110") == (message, "gym/toy/data/datasets/odd", None, "error")


@pytest.fixture
def ordinary(good: Good) -> Iterator[Good]:
    """Yield the task where an ordinary user can read it, and be one."""
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o755)  # pytest's folders are their user's alone
        shutil.copytree(good.root, Path(place, "benchmark"))
        user = os.geteuid()
        if not user:
            os.seteuid(65534)
        try:
            yield Good(Path(place, "benchmark"), good.open_things)
        finally:
            os.seteuid(user)
            for odd in Path(place).rglob("odd*"):
                odd.chmod(0o700)


@pytest.mark.parametrize("name", ["odd-file", "odd-folder"])
def test_what_cannot_be_read(ordinary: Good, name: str) -> None:
    odd = ordinary.gym / "data" / "datasets" / name
    user = os.geteuid()
    os.seteuid(os.getuid())
    (odd.mkdir if name == "odd-folder" else odd.touch)()
    odd.chmod(0)
    os.seteuid(user)
    assert said(ordinary, "IB110") == ("cannot be read", f"gym/toy/data/datasets/{name}", None, "error")


def test_nothing_is_written_into_the_task(good: Good) -> None:
    before = sorted((path, path.lstat().st_mtime_ns) for path in good.root.rglob("*"))
    found(good)
    assert sorted((path, path.lstat().st_mtime_ns) for path in good.root.rglob("*")) == before


def test_codes_are_those_that_others_refer_to() -> None:
    names = {rule.code: rule.name for rule in layout.RULES}
    assert (names["IB106"], names["IB109"]) == ("nested-git", "large-files")
    assert [find(rule.code, BUILTIN_RULES) for rule in layout.RULES] == list(layout.RULES)
