"""A good task gets no finding; broken in one place, it gets that code and no other."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pytest_innovatorbench.authoring.checks import environment, evaluator
from pytest_innovatorbench.authoring.findings import Finding, Options
from pytest_innovatorbench.authoring.validation import check
from tests.unit.authoring.good import Good

RETURN = 'return {"score": RMSE(rmse)'
RUN = "        references = Path(self.config.eval_workspace)"
REJECTED = "except RejectedError as error:"


def found(good: Good) -> dict[str, list[Finding]]:
    """Return what all rules on evaluators, environments and tests find, in one examination."""
    subject = good.subject(Options())
    results = [check(rule, subject) for rule in (*evaluator.RULES, *environment.RULES)]
    return {result.rule.code: list(result.findings) for result in results if result.findings}


def only(good: Good, code: str) -> Finding:
    """Return the one finding there is."""
    findings = found(good)
    assert list(findings) == [code], findings
    assert len(findings[code]) == 1, findings
    return findings[code][0]


def evaluation(good: Good) -> Path:
    return good.evaluations / "task" / "evaluation.py"


def config(good: Good) -> Path:
    return good.evaluations / "task" / "config.py"


def append(file: Path, text: str) -> int:
    """Append lines and return the number of the first."""
    before = file.read_text("utf-8")
    file.write_text(before + text + "\n", "utf-8")
    return before.count("\n") + 1


def limit(good: Good, seconds: float) -> None:
    good.edit(good.evaluations / "task.yaml", "evaluation_seconds: 60", f"evaluation_seconds: {seconds}")


def test_a_good_task(good: Good) -> None:
    assert found(good) == {}
    subject = good.subject()
    assert [check(rule, subject).skipped for rule in evaluator.RULES] == [None] * 11


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("raise ValueError('boom')", "evaluator raised ValueError in importing evaluation.py (boom)"),
        ("import sys; sys.exit(3)", "evaluator raised SystemExit in importing evaluation.py (3)"),
        ("import os; os._exit(0)", "evaluator ended with status 0 before it returned results"),
        ("import os; os.kill(os.getpid(), 9)", "evaluator was killed by signal 9 before it returned results"),
        ("def broken(:", "evaluator raised SyntaxError in importing evaluation.py (invalid syntax)"),
        ("import nothing_like_it", "evaluator needs a package that its environment lacks: nothing_like_it"),
    ],
)
def test_an_evaluator_that_cannot_be_imported(good: Good, code: str, said: str) -> None:
    line = append(evaluation(good), code)
    finding = only(good, "IB301")
    assert finding.message == said
    assert finding.file == "evaluations/toy/task/evaluation.py"
    assert finding.line == (None if "before it returned" in said else line)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("None", "evaluator returned null instead of a dict in run_1 (metric_0)"),
        ("{}", "evaluator returned no score in run_1 (metric_0)"),
        ("{'score': 'much'}", "evaluator's score in run_1 (metric_0) is a string, not a finite number"),
        ("{'score': math.nan}", "evaluator's score in run_1 (metric_0) is nan, not a finite number"),
        ("{'score': 1 / 0}", "evaluator raised ZeroDivisionError in run_1 (metric_0) (division by zero)"),
    ],
)
def test_an_evaluator_that_returns_no_score(good: Good, value: str, said: str) -> None:
    good.edit(evaluation(good), RETURN, f"return {value}; {RETURN}")
    assert only(good, "IB301").message == said


def test_a_config_that_cannot_be_imported(good: Good) -> None:
    line = append(config(good), "1 / 0")
    finding = only(good, "IB301")
    assert finding.message == "evaluator raised ZeroDivisionError in importing config.py (division by zero)"
    assert (finding.file, finding.line) == ("evaluations/toy/task/config.py", line)


def test_an_evaluator_without_end_at_import(good: Good) -> None:
    limit(good, 0.5)
    append(evaluation(good), "while True: pass")
    assert only(good, "IB301").message == "evaluator did not finish within 0.5 s"


def test_an_evaluator_that_fails_in_a_module_of_its_own(good: Good) -> None:
    (good.evaluations / "task" / "measure.py").write_text("\ndef measure():\n    return {}['rmse']\n")
    good.edit(evaluation(good), "import math\n", "import math\nfrom .measure import measure\n")
    good.edit(evaluation(good), RETURN, f"measure(); {RETURN}")
    finding = only(good, "IB301")
    assert finding.message == "evaluator raised KeyError in run_1 (metric_0) ('rmse')"
    assert (finding.file, finding.line) == ("evaluations/toy/task/measure.py", 3)


def test_places_that_an_evaluator_makes_up_are_not_shown(good: Good) -> None:
    append(evaluation(good), "raise ValueError('File \"/x/evaluations/toy/../../etc/passwd\", line 7')")
    assert only(good, "IB301").file == "evaluations/toy/task/evaluation.py"


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("class Settings(Config): pass", "there is no class TaskConfig"),
        ("class TaskConfig: task_name = 'toy'", "TaskConfig does not derive from Config"),
        (
            "@dataclass(kw_only=True)\nclass TaskConfig(Config):\n    task_name: str = 'toy'\n    rate: float",
            "TaskConfig needs a value for rate, which has no default",
        ),
        (
            "@dataclass\nclass TaskConfig(Config):\n    rate: float = field(repr=False)",
            "TaskConfig needs a value for rate, which has no default",
        ),
        (
            "class TaskConfig(Config):\n    def __init__(self, rate, **named): super().__init__(**named)",
            "TaskConfig needs rate, which it is not given",
        ),
        (
            "class TaskConfig(Config):\n    def __init__(self, workspace='/workspace'): super().__init__()",
            "TaskConfig.__init__ does not take eval_workspace",
        ),
        (
            "class TaskConfig(Config):\n    def __init__(self, **named): raise ValueError('no')",
            "evaluator raised ValueError in making TaskConfig (no)",
        ),
        ("from .settings import TaskConfig", "evaluator raised TypeError in making TaskConfig"),
    ],
)
def test_a_config_that_is_not_made_of_the_two_keywords(good: Good, code: str, said: str) -> None:
    head = "from dataclasses import dataclass, field\nfrom evaluations.base.data_classes import Config\n\n"
    config(good).write_text(f"{head}{code}\n")
    (good.evaluations / "task" / "settings.py").write_text("def TaskConfig(): return None\n")
    finding = only(good, "IB302")
    assert finding.message.startswith(said)
    assert finding.file == "evaluations/toy/task/config.py"
    assert finding.line or "import TaskConfig" in code


@pytest.mark.parametrize(
    "code",
    [
        "class TaskConfig(data_classes.Config): pass",
        "class Own(Config): pass\n\nclass TaskConfig(Own): rate: float = 0.5",
        "class TaskConfig(Config):\n    def __init__(self, eval_workspace, workspace, *, rate=1): Config.__init__(self, eval_workspace, workspace)",
        "@dataclass\nclass TaskConfig(Config):\n    task_name: str = 'toy'\n    names: ClassVar[list]\n    rates: list = field(default_factory=list)",
    ],
)
def test_configs_that_are_fine(good: Good, code: str) -> None:
    head = (
        "from dataclasses import dataclass, field\nfrom typing import ClassVar\n"
        "from evaluations.base import data_classes\nfrom evaluations.base.data_classes import Config\n\n"
    )
    config(good).write_text(f"{head}{code}\n")
    subject = good.subject()
    assert [check(rule, subject).findings for rule in evaluator.RULES[:2]] == [(), ()]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("class TaskBenchmark(", "class Benchmark(", "there is no class TaskBenchmark"),
        ("(BaseBenchmark)", "", "TaskBenchmark does not derive from BaseBenchmark"),
        ("def run_1(", "def run(", "TaskBenchmark has no run_1"),
        ("def run_1(", "def run_2(", "TaskBenchmark has no run_1"),
        (
            RUN,
            '        return {"score": 0}\n\n    def run_3(self):\n' + RUN,
            "TaskBenchmark has run_3 but no run_2",
        ),
    ],
)
def test_a_benchmark_that_is_not_what_it_should_be(good: Good, old: str, new: str, said: str) -> None:
    good.edit(evaluation(good), old, new)
    finding = only(good, "IB303")
    assert finding.message == said
    assert finding.line


def test_a_benchmark_from_elsewhere_without_runs(good: Good) -> None:
    (good.evaluations / "task" / "measure.py").write_text(
        "from evaluations.base.base_eval import BaseBenchmark\n\nclass Measure(BaseBenchmark): pass\n"
    )
    evaluation(good).write_text(
        "from .measure import Measure\n\nclass TaskBenchmark(Measure):\n    def run1(self): return {'score': 1}\n"
    )
    assert only(good, "IB303").message == "evaluator has no results: TaskBenchmark needs a run_1"


def test_a_submission_that_scores_by_chance(good: Good) -> None:
    good.edit(evaluation(good), "import math\n", "import math\nimport random\n")
    good.edit(evaluation(good), RETURN, 'return {"score": RMSE(rmse) and RMSE(rmse) + random.random() / 100')
    assert only(good, "IB305").message.startswith("the same submission scores 79.")


LISTED = """\
        extra = os.listdir(outputs)[0] == "predictions.csv"
"""


@pytest.mark.parametrize("size", [10, 2_000_000])
def test_a_score_that_depends_on_the_order_of_files(good: Good, size: int) -> None:
    (good.evaluations / "data" / "outputs" / "notes.txt").write_bytes(b"x" * size)
    good.edit(evaluation(good), "import math\n", "import math\nimport os\n")
    good.edit(evaluation(good), "        rmse = ", f"{LISTED}        rmse = ")
    good.edit(evaluation(good), RETURN, 'return {"score": RMSE(rmse) and RMSE(rmse) + extra / 100')
    assert "in the opposite order" in only(good, "IB306").message


def test_the_order_of_files_in_nested_folders(good: Good) -> None:
    for name in ("a/1", "a/2", "b/1", "b/2"):
        file = good.evaluations / "data" / "outputs" / "parts" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("")
    good.edit(evaluation(good), "import math\n", "import math\nimport os\n")
    listed = LISTED.replace("outputs)[0]", 'outputs / "parts/b")[0]').replace("predictions.csv", "1")
    good.edit(
        evaluation(good),
        "        rmse = ",
        f"        extra = 0\n        if (outputs / 'parts').exists():\n    {listed}        rmse = ",
    )
    good.edit(evaluation(good), RETURN, 'return {"score": RMSE(rmse) and RMSE(rmse) + extra / 100')
    assert "in the opposite order" in only(good, "IB306").message


def test_an_evaluator_that_is_too_slow(good: Good) -> None:
    limit(good, 0.5)
    good.edit(evaluation(good), RUN, f"        import time; time.sleep(60)\n{RUN}")
    assert only(good, "IB307").message == "evaluator did not finish within 0.5 s"


def test_an_evaluator_that_leaves_little_time(good: Good) -> None:
    limit(good, 3)
    slow = "if '/bench/' in str(references) and not any(outputs.iterdir()): import time; time.sleep(1.6)"
    good.edit(evaluation(good), "        truth = ", f"        {slow}\n        truth = ")
    finding = only(good, "IB307")
    assert finding.severity == "warning"
    assert finding.message.endswith("of the limit of 3 s")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('{"score": 0.0, "error"', '{"score": 5, "error"', "empty outputs score 5, not 0"),
        ('{"score": 0.0, "error"', '{"score": -3, "error"', "empty outputs score -3, not 0"),
        (
            '"error": str(error)',
            '"error": ""',
            "of empty outputs the evaluator says nothing, not what is missing",
        ),
        (
            '"error": str(error)',
            '"error": "The accuracy is 0/80."',
            "of empty outputs the evaluator says only 'The accuracy is 0/80.', not what is missing",
        ),
        (
            REJECTED,
            "except KeyError as error:",
            "evaluator raised RejectedError in run_1 (metric_0) (data/outputs/predictions.csv is missing or can't be read)",
        ),
    ],
)
def test_what_empty_outputs_come_to(good: Good, old: str, new: str, said: str) -> None:
    good.edit(evaluation(good), old, new)
    assert only(good, "IB308").message == said


def test_an_evaluator_without_samples_that_trips_over_empty_outputs(good: Good) -> None:
    for folder in ("outputs", "baselines"):
        (good.evaluations / "data" / folder / "predictions.csv").unlink()
    good.edit(evaluation(good), REJECTED, "except KeyError as error:")
    assert "predictions.csv is missing" in only(good, "IB308").message


@pytest.mark.parametrize(
    "code",
    [
        '(references / "cache.txt").write_text("x")',
        '(outputs / "predictions.csv").unlink()',
        "(Path(__file__).parent / 'cache.txt').touch()",
        """\
try:
            (references / "truth.csv").write_text("id,y")
        except OSError as error:
            return {"score": 0, "error": f"missing: {error}"}""",
    ],
)
def test_an_evaluator_that_writes(good: Good, code: str) -> None:
    good.edit(evaluation(good), "        truth = ", f"        {code}\n        truth = ")
    finding = only(good, "IB311")
    assert "Read-only file system: '/" in finding.message
    assert finding.file == "evaluations/toy/task/evaluation.py"


def test_an_evaluator_that_writes_where_it_may(good: Good) -> None:
    code = "import tempfile; tempfile.NamedTemporaryFile().write(b'x')"
    good.edit(evaluation(good), "        truth = ", f"        {code}\n        truth = ")
    assert found(good) == {}


def test_a_task_that_cannot_be_loaded(good: Good) -> None:
    config(good).unlink()
    assert found(good) == {}
    assert good.skipped("IB301") == "the task cannot be loaded"


def test_an_evaluator_with_windows_line_ends_and_a_mark_at_its_start(good: Good) -> None:
    text = evaluation(good).read_bytes()
    evaluation(good).write_bytes(b"\xef\xbb\xbf" + text.replace(b"\n", b"\r\n"))
    assert found(good) == {}


def test_odd_files_beside_an_evaluator(good: Good) -> None:
    folder = good.evaluations / "task"
    (folder / "latin.py").write_bytes(b"x = '\xff'\n")
    (folder / "deep.py").write_text("x = " + "(" * 5000 + ")" * 5000)
    (folder / "long.py").write_text("x = a" + ".b" * 20_000 + ".cuda()\nx = a" + ".b()" * 300 + ".fit()\n")
    (folder / "away.py").symlink_to("/etc/passwd")
    (folder / "folder.py").mkdir()
    os.mkfifo(folder / "pipe.py")
    subject = good.subject()
    findings = [finding for code in ("IB304", "IB309", "IB310") for finding in good.findings(code)]
    assert {Path(finding.file).name for finding in findings} <= {"long.py"}
    assert subject.evaluations.is_dir()
