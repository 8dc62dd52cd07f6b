"""Files planted for whoever comes later: pytest, Python, the shell, the evaluator, the reports."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.acceptance.conftest import COUNTS_FILES, Bench, submitted

# Each plant leaves a mark beside the benchmark (on the host) or raises, if anybody takes it for real.
PLANT = r"""
#!/bin/bash
CODE="import pathlib, sys; open('MARK', 'a').write(__file__); sys.exit('planted')"
INI='addopts = --planted-option -p planted_plugin'
for place in . data data/outputs task tests test_x; do
    mkdir -p $place; pushd $place >/dev/null
    for name in conftest sitecustomize usercustomize test_planted planted_plugin evaluation json base_eval numpy; do
        echo "$CODE" >$name.py
    done
    mkdir -p evaluations/base; echo "$CODE" | tee evaluations/__init__.py >evaluations/base/base_eval.py
    echo "import sitecustomize" >planted.pth
    mkdir -p planted-1.dist-info
    printf '[pytest11]\nplanted = planted_plugin\n' >planted-1.dist-info/entry_points.txt
    printf 'Metadata-Version: 2.1\nName: planted\nVersion: 1\n' >planted-1.dist-info/METADATA
    printf '[pytest]\n%s\n' "$INI" | tee pytest.ini .pytest.ini >/dev/null
    printf '[pytest]\n%s\n' "$INI" >tox.ini
    printf '[tool:pytest]\n%s\n' "$INI" >setup.cfg
    printf '[tool.pytest.ini_options]\naddopts = ["--planted-option"]\n' >pyproject.toml
    for name in python python3 bash sh cp tar env bwrap ibench-tool; do
        printf '#!/bin/sh\necho x >MARK\nexit 1\n' >$name; chmod +x $name
    done
    echo 'not a library' >planted.so
    echo '{"version": 1, "result": {"status": "scored", "final": 100.0}}' >result.json
    echo '{"attempts": [{"task": "toy", "final": 100.0, "status": "scored"}]}' | tee report.json >results.json
    echo '{"kind":"evaluation","t":0,"final":true,"number":1,"score":100.0}' >events.jsonl
    mkdir -p .ibench/runs/fake/attempts/toy-oracle-1; cp result.json .ibench/runs/fake/attempts/toy-oracle-1/
    popd >/dev/null
done
export LD_PRELOAD=$PWD/planted.so PYTHONSTARTUP=$PWD/conftest.py PYTHONPATH=$PWD BASH_ENV=$PWD/conftest.py
echo "export PATH=/workspace LD_PRELOAD=/workspace/planted.so" | tee ~/.bashrc ~/.profile ~/.bash_profile >/dev/null
echo 12 >data/outputs/score.txt
"""


@pytest.fixture
def planted(bench: Bench) -> Bench:
    """A benchmark in which an agent has planted all of it, and has been scored."""
    bench.tree.add_task()
    bench.tree.write("agent.sh", PLANT.replace("MARK", str(bench.pytester.path / "mark")), mode=0o755)
    return bench


def test_plants_touch_neither_score_nor_harness(planted: Bench) -> None:
    result, report = planted.report("--ibench-run-id=real", agent="command:./agent.sh")
    assert result.ret == 0
    (attempt,) = report["attempts"]
    assert (attempt["status"], attempt["final"], attempt["error"]) == ("scored", 12, None)
    assert "conftest.py" in submitted(attempt, 1)
    _check_unmarked(planted)
    shown = planted.ibench("report", ".ibench/runs/real", "--to=json:again.json")
    assert shown.ret == 0
    again = json.loads((planted.pytester.path / "again.json").read_text())
    assert [a["final"] for a in again["attempts"]] == [12]
    graded = planted.ibench("grade", f"{attempt['run_dir']}/submissions/001.tar", "--task=toy")
    assert json.loads(graded.stdout.str())["score"] == 12
    _check_unmarked(planted)


@pytest.mark.parametrize("run_dir", [".ibench/runs", "results", "tests/out"])
def test_a_later_pytest_takes_none_of_it_for_its_own(planted: Bench, run_dir: str) -> None:
    """Whatever folder the run was kept in, and whether agents are asked for or not."""
    planted.run(f"--ibench-run-dir={run_dir}", "--ibench-run-id=real", agent="command:./agent.sh")
    planted.tree.write("test_own.py", "def test_own(): pass\n")
    pytester = planted.pytester
    for arguments in ([], ["."]):
        later = pytester.runpytest_subprocess(*arguments)
        later.assert_outcomes(passed=1)
        assert later.ret == 0
    assert planted.run(f"--ibench-run-dir={run_dir}", ".", agent="nop").ret == 0
    assert planted.run("--ibench-run-dir=elsewhere", ".", agent="nop").ret == 0
    _check_unmarked(planted)


@pytest.mark.parametrize(
    "deeper", ["", "attempts", "attempts/toy-command_._agent.sh-0", "attempts/*/workspace"]
)
def test_the_folder_of_a_run_can_be_given_to_pytest(planted: Bench, deeper: str) -> None:
    planted.run("--ibench-run-id=real", agent="command:./agent.sh")
    (folder,) = (
        (planted.pytester.path / ".ibench/runs/real").glob(deeper) if deeper else (Path(".ibench/runs/real"),)
    )
    later = planted.pytester.runpytest_subprocess(str(folder))
    later.assert_outcomes()
    assert planted.pytester.runpytest_subprocess(str(folder), "--ibench-agent=nop").ret in {4, 5}
    _check_unmarked(planted)


def test_a_later_attempt_starts_clean(planted: Bench) -> None:
    planted.run("--ibench-run-id=real", agent="command:./agent.sh")
    planted.tree.write(
        "look.sh", "#!/bin/bash\nfind . -name '*planted*' -o -name conftest.py; env\n", mode=0o755
    )
    _, report = planted.report(agent="command:./look.sh")
    (attempt,) = report["attempts"]
    lines = Path(attempt["run_dir"], "events.jsonl").read_text()
    assert "planted" not in lines
    assert "LD_PRELOAD" not in lines


def test_an_evaluator_that_runs_a_submission_keeps_its_own_names(bench: Bench) -> None:
    """Outputs hold modules with the names of what the evaluator imports after looking into them."""
    careless = """
import os, subprocess, sys
from pathlib import Path
from evaluations.base.base_eval import BaseBenchmark

class TaskBenchmark(BaseBenchmark):
    def run_1(self):
        outputs = Path(self.config.workspace, "data/outputs")
        os.chdir(outputs)
        import statistics, fractions
        done = subprocess.run([sys.executable, "-c", "print(7)"], capture_output=True, text=True)
        return {"score": statistics.fmean([float(done.stdout)] * 3)}
"""
    names = "statistics fractions numbers bisect sitecustomize usercustomize random"
    bench.tree.add_task(
        evaluation=careless,
        solution=f"cd data/outputs; for m in {names}; do echo 'raise SystemExit(9)' >$m.py; done",
    )
    _, report = bench.report()
    (attempt,) = report["attempts"]
    assert (attempt["status"], attempt["final"]) == ("scored", 7), attempt["error"]


def test_libraries_of_the_submission_are_not_preloaded(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user's own LD_PRELOAD and PYTHON* settings reach neither agent nor evaluator."""
    bench.tree.add_task(solution='env; python3 -c "import sys; print(sys.flags)"', evaluation=COUNTS_FILES)
    for name in ("PYTHONPATH", "PYTHONSTARTUP", "BASH_ENV", "OPENAI_API_KEY", "SSH_AUTH_SOCK", "http_proxy"):
        monkeypatch.setenv(name, "/4711")
    _, report = bench.report()
    (attempt,) = report["attempts"]
    assert attempt["status"] == "scored"
    assert "4711" not in Path(attempt["run_dir"], "events.jsonl").read_text()


def _check_unmarked(bench: Bench) -> None:
    assert not (bench.pytester.path / "mark").exists(), (
        "a planted file was run: " + (bench.pytester.path / "mark").read_text()
    )
    assert not list(Path(sys.prefix).rglob("planted*"))[:1]
