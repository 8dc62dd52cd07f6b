"""A good task gets no finding; broken in one place, it gets that code and no other."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from pytest_innovatorbench.authoring.checks import environment_requirements, environment_tests
from pytest_innovatorbench.authoring.checks.environment_requirements import _is_pinned, _line
from pytest_innovatorbench.authoring.findings import Options
from pytest_innovatorbench.errors import EnvironmentBuildError
from pytest_innovatorbench.runs import furnishing
from pytest_innovatorbench.tasks.environment import Environment
from tests.unit.authoring.checks.test_evaluator import evaluation, found, only
from tests.unit.authoring.good import Good

TEST = """\
import sys
import unittest
from pathlib import Path

class OwnTest(unittest.TestCase):
    def test_it(self):
        {code}
"""


SEES_WHAT_IT_SHOULD = """\
import os, pytest, yaml, evaluations.base.scoring
        assert 'SECRET' not in os.environ
        assert not Path(__file__).parents[1].joinpath('.git').exists()
"""


def agent_requirements(good: Good, text: str) -> None:
    (good.gym / "task" / "requirements.txt").write_text(text)


def write_test(good: Good, code: str) -> None:
    (good.root / "tests" / "test_toy.py").write_text(TEST.format(code=code))


def make_wheel(folder: Path) -> Path:
    """Make a wheel, so that a real installation needs no package index."""
    wheel = folder / "tinything-1.2-py3-none-any.whl"
    info = "tinything-1.2.dist-info"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("tinything.py", "ANSWER = 42\n")
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: tinything\nVersion: 1.2\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", f"tinything.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n")
    return wheel


@pytest.mark.slow
def test_requirements_that_cannot_be_installed(good: Good) -> None:
    own = good.evaluations / "requirements.txt"
    own.write_text("# nothing of the kind\n--no-index\nnothing-like-this==1.0\n")
    (finding,) = good.findings("IB701")
    assert finding.message.startswith("the packages cannot be installed: ERROR: Could not find a version")
    assert (finding.file, finding.line) == ("evaluations/toy/requirements.txt", 3)


def test_what_cannot_be_installed_is_one_finding_and_tried_for_once(
    good: Good, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The installation itself is tested above; here it fails at once, and for every rule that asks."""
    tried: list[Path] = []

    def fail(requirements: Path, _: object = None) -> Environment:
        tried.append(requirements)
        raise EnvironmentBuildError(f"the packages of {requirements} cannot be installed: ERROR: no x")

    monkeypatch.setattr(environment_requirements, "build", fail)
    monkeypatch.setattr(furnishing, "build", fail)
    agent_requirements(good, "x==1.0\n")
    assert only(good, "IB701").message == "the packages cannot be installed: ERROR: no x"
    assert len(tried) == 2  # by the rule, and by whoever evaluates first


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ("ERROR: Invalid requirement: 'numpy is nice': Expected end (from line 2 of /x/requirements.txt)", 2),
        ("ERROR: No matching distribution found for Numpy==0.1", 1),
        ("ERROR: something else", None),
    ],
)
def test_the_line_that_pip_complains_of(good: Good, said: str, line: int | None) -> None:
    agent_requirements(good, "numpy==0.1\nnumpy is nice\n")
    assert _line(good.subject(), good.gym / "task" / "requirements.txt", said) == line


def test_environments_that_are_left_out(good: Good) -> None:
    agent_requirements(good, "nothing-like-this==1.0\n")
    options = Options(environment=False)
    assert good.skipped("IB701", options) == "environments were left out (--no-environment)"


def test_requirements_without_a_version_reach_evaluator_and_tests(good: Good, tmp_path: Path) -> None:
    folder = make_wheel(tmp_path).parent
    agent_requirements(good, f"--no-index\n-f {folder}\ntinything\n")
    good.edit(
        evaluation(good), "import math\n", "import math\nimport tinything\nassert tinything.ANSWER == 42\n"
    )
    finding = only(good, "IB705")
    assert finding.message == "'tinything' names no version"
    assert (finding.severity, finding.line) == ("warning", 3)


@pytest.mark.parametrize(
    ("line", "is_pinned"),
    [
        ("numpy==2.3.5", True),
        ("numpy == 2.3.5 ; python_version > '3.8'", True),
        ("torch[extra]===2.1+cu121", True),
        ("numpy --hash=sha256:00", True),
        ("x @ git+https://example.org/x.git@0123456789abcdef0123456789abcdef01234567", True),
        ("git+https://example.org/x.git@0123456#egg=x", True),
        ("-e git+https://example.org/x.git@main#egg=x", False),
        ("-e /workspace/task/repositories/x", True),
        ("https://example.org/x-1.2-py3-none-any.whl", True),
        ("https://example.org/latest.zip", False),
        ("x @ https://example.org/x-1.2.tar.gz", True),
        ("numpy", False),
        ("numpy>=2", False),
        ("numpy==2.*", False),
        ("numpy~=2.3", False),
        ("git+https://example.org/x.git", False),
    ],
)
def test_what_names_a_version(line: str, is_pinned: bool) -> None:  # noqa: FBT001 - a table
    assert _is_pinned(line) == is_pinned


def test_lines_that_go_on_and_comments(good: Good) -> None:
    agent_requirements(
        good, "numpy==2.3.5 \\\n  --hash=sha256:00  # of the wheel\n\n-r other.txt\r\nscipy # any\n"
    )
    (finding,) = good.findings("IB705")
    assert (finding.message, finding.line) == ("'scipy' names no version", 5)


def test_requirements_elsewhere(good: Good) -> None:
    with (good.evaluations / "task.yaml").open("a") as file:
        file.write("environment:\n  requirements: ../../secret.txt\n")
    (good.root / "secret.txt").write_text("numpy\n")
    assert good.findings("IB705") == ()


def pack(good: Good, *members: tarfile.TarInfo, cut: int | None = None) -> Path:
    archive = good.root / "conda" / "toy" / "conda.tar"
    archive.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(archive, "w", format=tarfile.GNU_FORMAT) as file:
        for member in members:
            file.addfile(member, io.BytesIO(bytes(member.size)))
    if cut is not None:
        archive.write_bytes(archive.read_bytes()[:cut])
    return archive


def member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "", size: int = 0) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size = kind, target, size
    return info


GOOD_MEMBERS = (
    member("workspace/conda", tarfile.DIRTYPE),
    member("workspace/conda/bin/python3.10", size=2000),
    member("workspace/conda/bin/python", tarfile.SYMTYPE, "python3.10"),
    member("workspace/conda/lib/x", tarfile.SYMTYPE, "/workspace/conda/bin/python"),
    member("workspace/conda/bin/copy", tarfile.LNKTYPE, "workspace/conda/bin/python3.10"),
    member("workspace/conda/" + "long" * 60),
)


def test_a_conda_environment_that_is_named_and_there(good: Good) -> None:
    good.edit(good.description, "Python 3 without", "Python in /workspace/conda, without")
    pack(good, *GOOD_MEMBERS)
    assert found(good) == {}


def test_a_conda_environment_that_is_named_and_missing(good: Good) -> None:
    good.edit(good.description, "Python 3 without", "Python in /workspace/conda, without")
    finding = only(good, "IB702")
    assert finding.message == (
        "the description names a conda environment, but there is no conda/toy/conda.tar"
    )
    assert finding.file == "gym/toy/task/task_description.md"
    assert finding.line is not None
    assert "/workspace/conda" in good.description.read_text().split("\n")[finding.line - 1]


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (member("../x"), "'../x' would be unpacked outside of the folder"),
        (member("a/../../x"), "'a/../../x' would be unpacked outside of the folder"),
        (member("/etc/x"), "'/etc/x' would be unpacked outside of the folder"),
        (member("x", tarfile.SYMTYPE, "/etc/passwd"), "'x' points out of the folder, to '/etc/passwd'"),
        (member("a/x", tarfile.SYMTYPE, "../../y"), "'a/x' points out of the folder, to '../../y'"),
        (member("x", tarfile.LNKTYPE, "../y"), "'x' is a hard link to something outside, '../y'"),
        (member("x", tarfile.FIFOTYPE), "'x' is a device or a pipe"),
        (member("x", tarfile.CHRTYPE), "'x' is a device or a pipe"),
    ],
)
def test_members_that_leave_the_folder(good: Good, bad: tarfile.TarInfo, said: str) -> None:
    pack(good, *GOOD_MEMBERS, bad)
    assert [finding.message for finding in good.findings("IB702")] == [said]


@pytest.mark.parametrize(
    ("cut", "said"),
    [
        (0, "is no plain tar archive that can be read: empty file"),
        (300, "is no plain tar archive that can be read: truncated header"),
        (512, "is cut off"),
        (1800, "is no plain tar archive that can be read: unexpected end of data"),
        (3072, "is cut off"),
        (3200, "is cut off"),
    ],
)
def test_an_archive_that_is_cut_off(good: Good, cut: int, said: str) -> None:
    archive = pack(good, *GOOD_MEMBERS, cut=cut)
    assert archive.stat().st_size == cut
    assert [finding.message for finding in good.findings("IB702")] == [said]


def test_archives_that_are_none(good: Good, tmp_path: Path) -> None:
    archive = pack(good)
    assert [finding.message for finding in good.findings("IB702")] == ["holds nothing"]
    archive.write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    assert good.skipped("IB702") == "conda.tar is kept by git-lfs and was not fetched"
    archive.write_bytes(b"not a tar archive" * 100)
    (finding,) = good.findings("IB702")
    assert finding.message.startswith("is no plain tar archive that can be read: ")
    archive.unlink()
    archive.symlink_to(tmp_path)
    assert [finding.message for finding in good.findings("IB702")] == ["is a link"]


def test_a_name_of_gigabytes_is_not_read(good: Good) -> None:
    archive = pack(good, member("x"))
    huge = member("././@LongLink", tarfile.GNUTYPE_LONGNAME, size=2**33)
    archive.write_bytes(huge.tobuf(tarfile.GNU_FORMAT) + bytes(10_240))
    (finding,) = good.findings("IB702")
    assert finding.message.endswith("a header of 8,589,934,592 bytes")


def test_a_task_without_tests(good: Good) -> None:
    (good.root / "tests" / "test_toy.py").unlink()
    assert only(good, "IB703").message == "there is no tests/test_toy.py"


def test_tests_that_fail(good: Good) -> None:
    test = good.root / "tests" / "test_toy.py"
    good.edit(test, 'assertEqual(result["score"], 0)', 'assertEqual(result["score"], 1)')
    findings = found(good)
    assert set(findings) == {"IB704"}
    first = findings["IB704"][0]
    assert first.message == "test_baseline_scores_0 fails: AssertionError: 0.0 != 1"
    assert first.line is not None
    assert "def test_baseline_scores_0" in test.read_text().split("\n")[first.line - 1]


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("open('/etc/shadow')", "test_it fails: FileNotFoundError: "),
        ("(Path(__file__).parents[1] / 'gym/toy/x').touch()", "test_it fails: OSError: [Errno 30] Read-only"),
        ("import socket; socket.create_connection(('192.0.2.1', 80))", "test_it fails: OSError: [Errno 101]"),
        (
            "import os; print('so', file=sys.stderr, flush=True); os._exit(3)",
            "the run of the tests fails: so",
        ),
        ("import os; os._exit(0)", "the tests ended before all were run"),
        (SEES_WHAT_IT_SHOULD, ""),
    ],
)
def test_tests_are_confined(good: Good, monkeypatch: pytest.MonkeyPatch, code: str, said: str) -> None:
    monkeypatch.setenv("SECRET", "x")
    (good.root / ".git").mkdir()
    write_test(good, code)
    messages = [finding.message for finding in good.findings("IB704")]
    assert len(messages) == bool(said)
    assert all(message.startswith(said) for message in messages)


def test_tests_that_cannot_be_imported(good: Good) -> None:
    (good.root / "tests" / "test_toy.py").write_text("import nothing_like_it\n")
    (finding,) = good.findings("IB704")
    assert finding.message == ("test_toy fails: ModuleNotFoundError: No module named 'nothing_like_it'")


def test_files_without_tests(good: Good) -> None:
    (good.root / "tests" / "test_toy.py").write_text("import evaluations.toy.task.config\n")
    (finding,) = good.findings("IB704")
    assert finding.message == "there is no test in the file"


def test_tests_that_do_not_end(good: Good, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment_tests, "SECONDS", 0.5)
    write_test(good, "print('x' * 10**6); __import__('time').sleep(60)")
    (finding,) = good.findings("IB704")
    assert finding.message == "the tests do not end within 0.5 s"


def test_tests_that_want_too_much_memory(good: Good) -> None:
    good.edit(good.evaluations / "task.yaml", "  evals: 3", "  evals: 3\n  evaluation_memory_gb: 0.3")
    write_test(good, "bytearray(b'x') * 10**9")
    (finding,) = good.findings("IB704")
    assert finding.message in {"the tests ran out of memory", "test_it fails: MemoryError"}


def test_tests_for_pytest(good: Good) -> None:
    (good.root / "tests" / "conftest.py").write_text(
        "import pytest\n\n@pytest.fixture\ndef root():\n    return 'root'\n"
    )
    (good.root / "tests" / "test_toy.py").write_text(
        "from evaluations.toy.task.config import TaskConfig\n\n"
        "def test_settings(root):\n    assert TaskConfig().task_name == root\n\n"
        "class TestOther:\n    def test_fine(self):\n        assert TaskConfig()\n"
    )
    (finding,) = good.findings("IB704")
    assert finding.message == "test_settings fails: AssertionError: assert 'toy' == 'root'"
    assert finding.line == 3


def test_tests_that_fail_for_what_other_rules_report(good: Good) -> None:
    good.edit(evaluation(good), '{"score": 0.0, "error"', '{"score": 5, "error"')
    said = good.skipped("IB704") or ""
    assert said.endswith(" fails: AssertionError: 5 != 0; mend IB308 first")


def test_folders_that_are_links(good: Good, tmp_path: Path) -> None:
    (good.root / "tests").rename(tmp_path / "tests")
    (good.root / "tests").symlink_to(tmp_path / "tests")
    assert good.skipped("IB704") == "tests is a link"
