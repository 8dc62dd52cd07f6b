from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from tests.unit.authoring.good import Good
from tests.unit.cli.program import digest, ibench, interrupted


def test_a_calibrated_task_is_shown_and_written_and_left_as_it_is(good: Good, tmp_path: Path) -> None:
    before = digest(good.root)
    targets = [f"--{kind}={tmp_path}/out/a.{kind}" for kind in ("png", "html", "json")]
    shown = ibench("calibrate", "toy", "--root", good.root, "--seeds=1", "--no-attacks", *targets)
    assert (shown.returncode, shown.stderr) == (0, "")
    lines = shown.stdout.splitlines()
    assert lines[0].split() == ["submission", "score", "rmse", "time", "verdict"]
    assert [line.split()[0] for line in lines[1:6]] == [
        "baseline",
        "reference",
        "reference,",
        "reference,",
        "oracle,",
    ]
    assert lines[-4:] == [
        "toy: in band",
        *(f"written: {tmp_path}/out/a.{kind}" for kind in ("png", "html", "json")),
    ]
    assert (tmp_path / "out/a.png").read_bytes().startswith(b"\x89PNG")
    assert "<h1>Calibration of toy</h1>" in (tmp_path / "out/a.html").read_text("utf-8")
    assert json.loads((tmp_path / "out/a.json").read_text("utf-8"))["in_band"] is True
    assert digest(good.root) == before


def test_a_missed_band_ends_with_1_and_proposes_a_curve(good: Good) -> None:
    good.edit(good.evaluations / "task/evaluation.py", "reference=0.10", "reference=0.30")
    shown = ibench("calibrate", "toy", "--root", good.root, "--seeds=0", "--no-attacks")
    assert shown.returncode == 1
    assert "\nreference: above 80\n" in shown.stdout
    assert "\nproposed for rmse: ScoreCurve(baseline=0.78, reference=0.1, ceiling=0.05) - " in shown.stdout
    assert shown.stdout.endswith("toy: 1 of 4 are off\n")


def test_a_picture_without_matplotlib_names_the_command_before_anything_else(
    good: Good, tmp_path: Path
) -> None:
    (tmp_path / "matplotlib.py").write_text("raise ImportError\n")
    path = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    shown = ibench("calibrate", "toy", "--root", good.root, "--png", "a.png", env={"PYTHONPATH": path})
    assert (shown.returncode, shown.stdout) == (2, "")
    assert shown.stderr == "ibench: a picture needs matplotlib: pip install 'pytest-innovatorbench[plot]'\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["other"], "unknown task 'other': known: toy"),
        (["toy", "--sandbox", "jail"], "unknown sandbox 'jail'"),
        (["toy", "--root", "/nowhere"], "no evaluations/ folder in /nowhere"),
    ],
)
def test_a_mistake_is_one_line_and_status_2(good: Good, arguments: list[str], message: str) -> None:
    shown = ibench("calibrate", "--root", good.root, *arguments)
    assert (shown.returncode, shown.stdout) == (2, "")
    assert message in shown.stderr
    assert shown.stderr.startswith("ibench: ")
    assert shown.stderr.count("\n") == 1


def test_a_broken_task_is_told_in_its_own_words(good: Good) -> None:
    (good.evaluations / "task.yaml").write_text("title: [\n")
    shown = ibench("calibrate", "toy", "--root", good.root)
    assert shown.returncode == 2
    assert shown.stderr.startswith("ibench: task 'toy': evaluations/toy/task.yaml")


def test_every_command_helps_without_the_heavy_parts() -> None:
    for command in ("validate", "explain", "calibrate", "new-task"):
        shown = ibench(command, "--help")
        assert shown.returncode == 0
        assert "Usage:" in shown.stdout
    assert "validate" in ibench("--help").stdout


@pytest.mark.parametrize("command", ["new-task", "validate", "calibrate"])
def test_commands_import_nothing_heavy_for_help(command: str) -> None:
    import subprocess  # noqa: PLC0415

    heavy = ("cookiecutter", "jsonschema", "numpy", "pyarrow", "matplotlib", "pytest", "yaml")
    code = (
        "import sys\nfrom pytest_innovatorbench.cli import app\n"
        f"try:\n    app([{command!r}, '--help'])\nexcept SystemExit:\n    pass\n"
        f"print([name for name in {heavy} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n"


def test_ctrl_c_ends_with_130_and_leaves_nothing(good: Good, tmp_path: Path) -> None:
    ended = interrupted(good, tmp_path, "calibrate", "toy")
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "ibench: interrupted\n")
