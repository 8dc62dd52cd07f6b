"""What checks task pull requests: the action, its workflow and the hook for pre-commit, run as they are."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from benchmarks.ground import leave_nothing_of_the_template
from tests.acceptance.conftest import ROOT, commit, copy_project, git

ACTION = ROOT / "action.yml"
WORKFLOW = ROOT / ".github" / "workflows" / "task-pr.yml"
HOOKS = ROOT / ".pre-commit-hooks.yaml"


def load(file: Path) -> Any:
    return yaml.load(file.read_text("utf-8"), yaml.BaseLoader)  # noqa: S506 - plain text only, "on" as well


@pytest.mark.parametrize(
    ("schema", "file"),
    [
        ("vendor.github-actions", ACTION),
        ("vendor.github-workflows", WORKFLOW),
        ("custom.github-workflows-require-timeout", WORKFLOW),
    ],
)
def test_files_follow_the_public_schemas(schema: str, file: Path) -> None:
    program = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema]
    done = subprocess.run([*program, file], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_schemas_are_looked_at(tmp_path: Path) -> None:
    broken = tmp_path / "action.yml"
    broken.write_text(ACTION.read_text("utf-8").replace("using: composite", "using: magic"))
    program = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-actions"]
    done = subprocess.run([*program, broken], capture_output=True, text=True, check=False)
    assert done.returncode == 1


def test_the_hooks_are_what_pre_commit_takes() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pre_commit", "validate-manifest", HOOKS],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def steps() -> Iterator[dict[str, Any]]:
    """Every step of the action and of the workflow."""
    yield from load(ACTION)["runs"]["steps"]
    for job in load(WORKFLOW)["jobs"].values():
        yield from job["steps"]


def test_actions_of_others_are_pinned() -> None:
    used = [step["uses"] for step in steps() if "uses" in step]
    assert all(use.startswith("./") or re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", use) for use in used), used
    for file in (ACTION, WORKFLOW):
        pins = [line for line in file.read_text("utf-8").splitlines() if "uses: actions/" in line]
        assert all(re.search(r"@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line) for line in pins)


def test_code_of_strangers_gets_no_rights() -> None:
    workflow = load(WORKFLOW)
    assert list(workflow["on"]) == ["pull_request"]
    assert workflow["on"]["pull_request"]["paths"] == ["evaluations/**", "gym/**", "tests/**"]
    assert workflow["permissions"] == {"contents": "read"}
    assert not any("permissions" in job for job in workflow["jobs"].values())
    for file in (ACTION, WORKFLOW):
        assert "secrets" not in file.read_text("utf-8")
    checkouts = [step for step in steps() if step.get("uses", "").startswith("actions/checkout@")]
    assert [step["with"]["persist-credentials"] for step in checkouts] == ["false", "false"]


def test_what_strangers_write_is_never_part_of_a_script() -> None:
    assert [step["name"] for step in steps() if "${{" in step.get("run", "")] == []


def test_the_checks_are_those_of_the_base() -> None:
    (job,) = load(WORKFLOW)["jobs"].values()
    (checks,) = [step for step in job["steps"] if step.get("with", {}).get("path") == ".checks"]
    assert checks["with"]["ref"] == "${{ github.event.pull_request.base.sha }}"
    assert [step["uses"] for step in job["steps"] if step.get("uses", "").startswith("./")] == ["./.checks"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What the steps of the action came to, as GitHub would see it."""

    status: int
    printed: str
    summary: str
    outputs: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Runner:
    """A machine that runs the scripts of the action."""

    temporary: Path
    checkout: Path

    @property
    def packages(self) -> Path:
        """Where pip keeps what it has downloaded."""
        return self.temporary / "pip"

    def run(self, name: str, folder: Path, **inputs: str) -> Outcome:
        """Run the script of one step, as GitHub does."""
        (step,) = [step for step in load(ACTION)["runs"]["steps"] if step.get("name") == name]
        known = {f"inputs.{key}": value for key, value in inputs.items()}
        known["github.action_path"] = str(self.checkout)
        variables = {
            key: re.sub(r"\$\{\{ (.*?) \}\}", lambda found: known[found[1]], text)
            for key, text in step.get("env", {}).items()
        }
        files = {key: self.temporary / key for key in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
        for file in files.values():
            file.write_text("")
        done = self._bash(
            step["run"], folder, {**variables, **{key: str(file) for key, file in files.items()}}
        )
        outputs = dict(line.split("=", 1) for line in files["GITHUB_OUTPUT"].read_text().splitlines())
        summary = files["GITHUB_STEP_SUMMARY"].read_text("utf-8")
        return Outcome(
            status=done.returncode, printed=done.stdout + done.stderr, summary=summary, outputs=outputs
        )

    def _bash(self, script: str, folder: Path, variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "PYTEST"))}
        places = {"RUNNER_TEMP": str(self.temporary), "GITHUB_WORKSPACE": str(folder), "CI": "true"}
        places["PIP_CACHE_DIR"] = str(self.packages)
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        file = self.temporary / "step.sh"
        file.write_text(script, "utf-8")
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", file],
            cwd=folder,
            env={**clean, **places, **variables, "PATH": path},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Runner:
    """A machine on which the steps before the validation have been run."""
    folder = tmp_path_factory.mktemp("runner with spaces")
    made = Runner(temporary=folder / "temp", checkout=folder / "checkout")
    made.temporary.mkdir()
    copy_project(made.checkout)
    plant_modules(folder / "pull request", ran_by(made))
    for name in ("Allow sandboxes", "Install the checks", "Try the sandbox"):
        outcome = made.run(name, folder / "pull request")
        assert outcome.status == 0, outcome.printed
    return made


def ran_by(runner: Runner) -> Path:
    """The file in which modules of a pull request say that they were run."""
    return runner.temporary / "modules that were run"


def plant_modules(folder: Path, ran: Path) -> None:
    """Leave modules that Python would run for its own, if it looked into the working folder."""
    folder.mkdir(exist_ok=True)
    for name in ("venv", "ensurepip", "pip", "subprocess", "json", "typer", "yaml", "pytest_innovatorbench"):
        (folder / f"{name}.py").write_text(f"print({name!r}, file=open({str(ran)!r}, 'a'))\n")


@pytest.fixture(scope="module")
def benchmark(runner: Runner, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with a good task and a broken one that nobody changes."""
    folder = tmp_path_factory.mktemp("benchmark") / "repository"
    folder.mkdir()
    program = runner.temporary / "ibench" / "bin" / "ibench-new-task"
    for name in ("good_task", "old_sin"):
        subprocess.run([program, name, "--no-input"], cwd=folder, check=True, capture_output=True)
    leave_nothing_of_the_template(folder)
    shutil.rmtree(folder / "evaluations" / "old_sin" / "data" / "baselines")
    commit(folder, "Add two tasks")
    return folder


@pytest.fixture
def pull_request(benchmark: Path, tmp_path: Path) -> Path:
    """A clone in which a branch was begun."""
    folder = tmp_path / "clone"
    git(tmp_path, "clone", "-q", str(benchmark), str(folder))
    git(folder, "switch", "-q", "-c", "change")
    return folder


def validate(runner: Runner, folder: Path, base: str = "origin/main") -> Outcome:
    return runner.run("Validate the changed tasks", folder, base=base, root=".", repeat="1")


def test_modules_of_a_pull_request_are_not_run(runner: Runner, pull_request: Path) -> None:
    """The steps before were run in a folder with such modules too."""
    assert not ran_by(runner).exists()
    plant_modules(pull_request, ran_by(runner))
    description = pull_request / "gym/good_task/task/task_description.md"
    description.write_text(description.read_text("utf-8").replace("One would like", "We would like"), "utf-8")
    commit(pull_request, "Say who would like it")
    outcome = validate(runner, pull_request)
    assert (outcome.status, "## good_task" in outcome.summary) == (0, True), outcome.printed
    assert not ran_by(runner).exists()


def test_a_good_change_passes_with_a_summary(runner: Runner, pull_request: Path) -> None:
    description = pull_request / "gym/good_task/task/task_description.md"
    description.write_text(description.read_text("utf-8").replace("One would like", "We would like"), "utf-8")
    commit(pull_request, "Say who would like it")
    outcome = validate(runner, pull_request)
    assert outcome.status == 0, outcome.printed
    assert "::error" not in outcome.printed
    assert "## good_task" in outcome.summary
    assert "old_sin" not in outcome.summary
    for row in ("| baseline | 0.0 | 0.7808 | in band |", "| reference | 79.8 | 0.102 | in band |"):
        assert row in outcome.summary
    sarif = json.loads(Path(outcome.outputs["sarif"]).read_text("utf-8"))
    levels = {result["level"] for run in sarif["runs"] for result in run["results"]}
    assert levels <= {"note"}
    assert ET.parse(outcome.outputs["junit"]).getroot().find(".//failure") is None  # noqa: S314 - our own file
    assert Path(outcome.outputs["summary"]).read_text("utf-8") == outcome.summary


def test_a_broken_change_fails_with_an_annotation_on_its_line(runner: Runner, pull_request: Path) -> None:
    evaluator = pull_request / "evaluations/good_task/task/evaluation.py"
    text = evaluator.read_text("utf-8").replace("reference=0.10", "reference=0.30")
    evaluator.write_text(text, "utf-8")
    line = text.split("RMSE = ScoreCurve(")[0].count("\n") + 1
    commit(pull_request, "Be generous")
    outcome = validate(runner, pull_request)
    assert outcome.status == 1
    place = f"file=evaluations/good_task/task/evaluation.py,line={line}"
    assert (
        f"::error {place},title=IB403 reference-score::the reference scores 95.8, not 70-80"
        in outcome.printed
    )
    assert "| reference | 95.8 | 0.102 | off: above 80 |" in outcome.summary
    sarif = json.loads(Path(outcome.outputs["sarif"]).read_text("utf-8"))
    found = [(result["ruleId"], result["level"]) for run in sarif["runs"] for result in run["results"]]
    assert ("IB403", "error") in found
    failures = ET.parse(outcome.outputs["junit"]).getroot().iter("failure")  # noqa: S314 - our own file
    assert any("the reference scores 95.8" in str(failure.get("message")) for failure in failures)


def test_attacks_are_tried(runner: Runner, pull_request: Path) -> None:
    evaluator = pull_request / "evaluations/good_task/task/evaluation.py"
    text = evaluator.read_text("utf-8")
    evaluator.write_text(text.replace('{"score": 0.0, "error"', '{"score": 60.0, "error"'), "utf-8")
    commit(pull_request, "Pay for anything")
    outcome = validate(runner, pull_request)
    assert outcome.status == 1
    assert "title=IB601 attack-empty::" in outcome.printed


def test_a_change_of_no_task_passes(runner: Runner, pull_request: Path) -> None:
    (pull_request / "README.md").write_text("# A benchmark\n")
    commit(pull_request, "Add a readme")
    outcome = validate(runner, pull_request)
    assert (outcome.status, outcome.printed) == (0, "no task to validate\n")
    assert "no task to validate" in outcome.summary


def test_a_base_that_is_not_there_fails(runner: Runner, pull_request: Path) -> None:
    outcome = validate(runner, pull_request, base="0" * 40)
    assert outcome.status == 2
    assert "ibench: git knows no commit '0000" in outcome.printed


def test_a_machine_without_a_sandbox_fails(runner: Runner, tmp_path: Path) -> None:
    fake = Runner(temporary=tmp_path, checkout=runner.checkout)
    program = tmp_path / "ibench/bin/ibench"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\necho 'sandbox bubblewrap, does not work'\n")
    program.chmod(0o755)
    outcome = fake.run("Try the sandbox", tmp_path)
    assert outcome.status == 1
    assert "::error::this runner has no working sandbox" in outcome.printed


@pytest.mark.slow
def test_the_hook_runs_in_pre_commit(runner: Runner, pull_request: Path, tmp_path: Path) -> None:
    """pre-commit makes an environment of its own and installs this project into it."""
    source = tmp_path / "source"
    shutil.copytree(runner.checkout, source)
    commit(source, "Release")
    passed = try_hook(source, pull_request, runner.packages)
    assert "Skipped" in passed.stdout, passed.stdout
    evaluator = pull_request / "evaluations/good_task/task/evaluation.py"
    evaluator.write_text(evaluator.read_text("utf-8").replace("reference=0.10", "reference=0.30"), "utf-8")
    git(pull_request, "add", "-A")
    failed = try_hook(source, pull_request, runner.packages)
    assert failed.returncode == 1, failed.stdout
    assert "evaluation.py:13: IB403 error: the reference scores 95.8, not 70-80" in failed.stdout
    assert "old_sin" not in failed.stdout


def try_hook(source: Path, folder: Path, packages: Path) -> subprocess.CompletedProcess[str]:
    clean = {
        key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "PYTEST", "GIT"))
    }
    return subprocess.run(
        [sys.executable, "-m", "pre_commit", "try-repo", source, "ibench-validate"],
        cwd=folder,
        env={**clean, "PIP_CACHE_DIR": str(packages)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def test_the_hook_has_what_the_rules_read_with() -> None:
    (hook,) = load(HOOKS)
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    extras = [re.search(rf"^{name} = (\[.*\])$", project, re.MULTILINE) for name in ("secrets", "tables")]
    needed = [name for found in extras if found for name in json.loads(found[1])]
    assert hook["additional_dependencies"] == needed
