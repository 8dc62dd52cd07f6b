from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from pytest_innovatorbench.authoring.rules import BUILTIN_RULES
from tests.unit.authoring.good import Good
from tests.unit.cli.program import digest, ibench, interrupted

QUICK = ("--no-environment",)
KINDS = ("json", "github", "sarif", "junit", "md")


def validated(good: Good, *args: str | Path, **env: str) -> tuple[int, Any]:
    """The status and the document of a run, which left the benchmark as it was."""
    before = digest(good.root)
    shown = ibench("validate", "--root", good.root, "--format", "json", *args, env=env)
    assert shown.stderr == ""
    assert digest(good.root) == before
    return shown.returncode, json.loads(shown.stdout)


def test_a_good_task_is_good_and_left_as_it_is(good: Good) -> None:
    before = digest(good.root)
    shown = ibench("validate", "toy", "--root", good.root, *QUICK)
    assert shown.returncode == 0
    assert shown.stdout.startswith("1 task: nothing found; ")
    assert shown.stdout.endswith("rules not checked (-v says which, and why)\n")
    assert (shown.stderr, digest(good.root)) == ("", before)


def test_errors_end_with_1_and_name_place_and_remedy(good: Good) -> None:
    good.edit(
        good.evaluations / "task/evaluation.py", "reference=0.10", "reference=0.08, reference_points=70"
    )
    shown = ibench("validate", "--root", good.root, "--select", "ib403", "-v")
    assert shown.returncode == 1
    name, finding, remedy, blank, summary = shown.stdout.splitlines()
    assert (name, blank, summary) == ("toy", "", "1 task: 1 error")
    assert finding.startswith("  evaluations/toy/")
    assert ": IB403 error: the reference scores " in finding
    assert remedy == "      ibench calibrate toy proposes anchors for score curves"


def test_warnings_alone_end_with_0(good: Good) -> None:
    (good.gym / "task/requirements.txt").write_text("tinything\n")
    shown = ibench("validate", "--root", good.root, "--select", "IB705")
    assert (shown.returncode, shown.stdout.splitlines()[-1]) == (0, "1 task: 1 warning")


def test_a_task_that_cannot_be_loaded_does_not_look_good(good: Good) -> None:
    (good.evaluations / "task.yaml").write_text("a: [")
    shown = ibench("validate", "--root", good.root, "--select", "IB402,IB403")
    assert (shown.returncode, shown.stdout) == (
        1,
        "1 task: nothing found; 2 rules not checked; 1 task not validated (-v says which, and why)\n",
    )
    some = ibench("validate", "--root", good.root, "--select", "IB101,IB403")
    assert (some.returncode, "1 task not validated" in some.stdout) == (1, True)
    told = ibench("validate", "--root", good.root, "--select", "IB103,IB403")
    assert (told.returncode, "not validated" in told.stdout) == (1, False)


def test_rules_that_were_all_left_out_do_not_look_kept(good: Good) -> None:
    shown = ibench("validate", "--root", good.root, "--select", "IB601")
    assert (shown.returncode, "1 task not validated" in shown.stdout) == (1, True)


def test_every_format_is_written_in_one_run(good: Good, tmp_path: Path) -> None:
    outputs = [f"--format={kind}:{tmp_path}/out/{kind}" for kind in KINDS]
    shown = ibench("validate", "--root", good.root, "--select=IB4", *outputs, "--format=text", cwd=tmp_path)
    assert (shown.returncode, shown.stdout) == (
        0,
        "1 task: nothing found; 4 rules not checked (-v says which, and why)\n",
    )
    assert {file.name for file in (tmp_path / "out").iterdir()} == set(KINDS)
    text = {kind: (tmp_path / "out" / kind).read_text("utf-8") for kind in KINDS}
    assert json.loads(text["json"])["tasks"][0]["scores"][0]["name"] == "baseline"
    assert json.loads(text["sarif"])["version"] == "2.1.0"
    assert ET.fromstring(text["junit"]).find("testsuite").get("name") == "toy"  # type: ignore[union-attr]  # noqa: S314 - our own
    assert "\n| reference | 7" in text["md"]
    assert text["github"].startswith("1 task: nothing found")


def test_annotations_name_files_from_the_root_of_the_repository(good: Good) -> None:
    (good.gym / "task/requirements.txt").write_text("tinything\n")
    for cwd, env in ((good.root.parent, {}), (None, {"GITHUB_WORKSPACE": str(good.root.parent)})):
        shown = ibench("validate", "--root", good.root, "--select=IB705", "--format=github", cwd=cwd, env=env)
        assert f"::warning file={good.root.name}/gym/toy/task/requirements.txt,line=1," in shown.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["other"], "unknown task 'other': known: all, toy"),
        (
            ["--format", "xml"],
            "cannot show findings as 'xml': use FORMAT or FORMAT:PATH of text, json, github",
        ),
        (["--format", "json:"], "cannot show findings as 'json:'"),
        (
            ["--format", "json", "--format", "md"],
            "two formats cannot both go to standard output: give all but",
        ),
        (
            ["--format", "json:/dev/null", "--select", "IB703"],
            "cannot write /dev/null: it is not a plain file",
        ),
        (["--select", "XX1"], "unknown rule 'XX1': known: IB001, "),
        (["--sandbox", "paper"], "unknown sandbox 'paper': known: bubblewrap, none"),
        (["--ignore", "IB4,IB999"], "unknown rule 'IB999'"),
        (["--changed", "nowhere"], " is in no git repository (not a git repository"),
        (["--root", "/nowhere"], "no evaluations/ folder in /nowhere"),
    ],
)
def test_a_mistake_is_one_line_and_status_2(good: Good, arguments: list[str], message: str) -> None:
    env = {"GIT_CEILING_DIRECTORIES": str(good.root.parent)}
    shown = ibench("validate", "--root", good.root, *arguments, env=env)
    assert (shown.returncode, shown.stdout) == (2, "")
    assert shown.stderr.startswith("ibench: ")
    assert message in shown.stderr
    assert shown.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("setting", "flags", "tried"),
    [
        (None, [], False),
        (None, ["--attack"], True),
        ("true", [], True),
        ("true", ["--no-attack"], False),
        ("false", [], False),
    ],
)
def test_attacks_are_tried_in_ci_unless_said_otherwise(
    good: Good, setting: str | None, flags: list[str], *, tried: bool
) -> None:
    env = {} if setting is None else {"CI": setting}
    _, read = validated(good, "--select", "IB601", *flags, **env)
    (task,) = read["tasks"]
    assert task["checked"] == (["IB601"] if tried else [])
    reasons = [] if tried else [{"code": "IB601", "reason": "attacks were not asked for (--attack)"}]
    assert task["skipped"] == reasons


def test_only_changed_tasks_are_validated(good: Good) -> None:
    def git(*arguments: str) -> None:
        identity = ("-c", "user.name=a", "-c", "user.email=a@example.org")
        subprocess.run(["git", *identity, *arguments], cwd=good.root, check=True, capture_output=True)

    git("init", "-q", "-b", "main")
    git("add", "-A")
    git("commit", "-q", "-m", "a task")
    shown = ibench("validate", "--root", good.root, "--changed", "main", "--select", "IB703")
    assert (shown.returncode, shown.stdout, shown.stderr) == (0, "no task to validate\n", "")
    (good.gym / "more.txt").write_text("new\n")
    shown = ibench("validate", "--root", good.root, "--changed", "main", "--select", "IB703")
    assert (shown.returncode, shown.stdout) == (0, "1 task: nothing found\n")


BROKEN = {
    "crash": ("task/evaluation.py", b"import nonsense_xyz\n", "IB303"),
    "exit": ("task/evaluation.py", b"import sys\nsys.exit(0)\n", "IB303"),
    "no python": ("task/evaluation.py", b"def (\n", "IB301"),
    "empty references": ("data/references/truth.csv", b"", "IB301"),
    "no YAML": ("task.yaml", b"title: [\n", "IB103"),
    "no UTF-8 in YAML": ("task.yaml", b"\xff\xfe", "IB103"),
    "no UTF-8": ("../../gym/toy/task/task_description.md", b"# T\xe4sk\n", "IB102"),
    "empty description": ("../../gym/toy/task/task_description.md", b"", "IB102"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_what_is_broken_is_found_and_the_other_rules_are_checked(good: Good, kind: str) -> None:
    file, content, code = BROKEN[kind]
    (good.evaluations / file).write_bytes(content)
    status, read = validated(good, *QUICK)
    (task,) = read["tasks"]
    assert status == 1
    assert [finding["code"] for finding in task["findings"] if finding["severity"] == "error"] == [code]
    free = {
        rule.code for rule in BUILTIN_RULES if rule.code.startswith(("IB1", "IB5")) and rule.cost == "reading"
    }
    assert free <= set(task["checked"])
    assert len(task["checked"]) + len(task["skipped"]) == len(BUILTIN_RULES)


CALLS = {
    "exit at work": ("sys.exit(0)", "IB301"),
    "crash at work": ("raise KeyError('x')", "IB301"),
    "changed references": ("(references / 'truth.csv').write_text('id,y\\n')", "IB311"),
    "removed references": ("(references / 'truth.csv').unlink()", "IB311"),
}


@pytest.mark.parametrize("kind", CALLS)
def test_an_evaluator_that_misbehaves_at_work_is_found_and_changes_nothing(good: Good, kind: str) -> None:
    call, code = CALLS[kind]
    evaluation = good.evaluations / "task/evaluation.py"
    good.edit(evaluation, "import math\n", "import math\nimport sys\n")
    good.edit(evaluation, "        outputs = Path(", f"        {call}\n        outputs = Path(")
    status, read = validated(good, *QUICK)
    assert status == 1
    assert [f["code"] for f in read["tasks"][0]["findings"] if f["severity"] == "error"] == [code]


def test_ctrl_c_ends_with_130_and_leaves_nothing(good: Good, tmp_path: Path) -> None:
    ended = interrupted(good, tmp_path, "validate", *QUICK)
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "ibench: interrupted\n")


def package(folder: Path, code: str) -> dict[str, str]:
    """Install a package with rules into a folder, as installers do; what puts it on Python's path."""
    (folder / "lab_rules.py").write_text(code)
    info = folder / "lab_rules-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: lab-rules\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[pytest_innovatorbench.rules]\nlab = lab_rules:RULES\n")
    (info / "RECORD").write_text("lab_rules.py,,\n")
    return {"PYTHONPATH": f"{folder}{os.pathsep}{os.environ.get('PYTHONPATH', '')}".rstrip(os.pathsep)}


RULES = """
from pytest_innovatorbench.authoring.findings import Finding
from pytest_innovatorbench.authoring.model import Rule

def look(subject):
    yield Finding(message=f"{subject.task_id} has no paper")

RULES = [Rule(code="LAB100", name="paper", summary="There is a paper.", why="So.", remedy="add one", check=look)]
"""


def test_rules_of_an_installed_package_are_checked_explained_and_waived(good: Good, tmp_path: Path) -> None:
    env = package(tmp_path, RULES)
    shown = ibench("validate", "--root", good.root, "--select", "LAB", env=env)
    assert (shown.returncode, shown.stdout) == (
        1,
        "toy\n  evaluations/toy: LAB100 error: toy has no paper\n      add one\n\n1 task: 1 error\n",
    )
    assert ibench("explain", "lab100", env=env).stdout.startswith("LAB100 paper: error; reads the task\n")
    assert "## Other packages\n\n### LAB100 paper\n" in ibench("explain", "--all", env=env).stdout
    with (good.evaluations / "task.yaml").open("a") as file:
        file.write("waive: {LAB100: it never had a paper}\n")
    waived = "  evaluations/toy: LAB100 waived: toy has no paper"
    shown = ibench("validate", "--root", good.root, "--select", "LAB,IB0", env=env)
    assert (shown.returncode, shown.stdout) == (
        0,
        f"toy\n  LAB100 paper is waived: it never had a paper\n{waived}\n\n1 task: nothing found; 1 waived\n",
    )
    shown = ibench("validate", "--root", good.root, "--select", "IB0")
    assert ": IB002 error: there is no rule LAB100\n" in shown.stdout


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (
            "import nowhere\n",
            "the rules 'lab' cannot be loaded: ModuleNotFoundError: No module named 'nowhere'",
        ),
        ("RULES = [1]\n", "lab_rules:RULES is no sequence of rules: mend its package"),
        (RULES.replace("LAB100", "IB403"), "two rules have the code IB403: rename the one of your own"),
    ],
)
def test_a_package_with_broken_rules_is_one_line(good: Good, tmp_path: Path, code: str, message: str) -> None:
    shown = ibench("validate", "--root", good.root, env=package(tmp_path, code))
    assert (shown.returncode, shown.stdout) == (2, "")
    assert shown.stderr.startswith(f"ibench: {message}")
    assert shown.stderr.count("\n") == 1
