"""Attacks find the evaluators that pay for them, and no others."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_innovatorbench.authoring.attacks import records
from pytest_innovatorbench.authoring.checks.attacks import MOST_SHOWN, RULES
from pytest_innovatorbench.authoring.findings import Options
from pytest_innovatorbench.authoring.validation import check

if TYPE_CHECKING:
    from tests.unit.authoring.good import Good

ATTACK = Options(attack=True)

# Edits of the good evaluator, each of which makes it weak in one way.
COMPLETE = "if predictions.keys() != truth.keys():"
EVERY = "for name, y in truth.items()) / len(truth)"
GIVEN = (
    "for name, y in truth.items() if name in predictions) / max(1, len(predictions.keys() & truth.keys()))"
)
WEAK: dict[str, tuple[tuple[tuple[str, str], ...], str]] = {
    "IB601": (
        ((COMPLETE, f"if predictions and {COMPLETE[3:]}"), (EVERY, GIVEN)),
        "no record in any table earned 100.0 points, of which it deserves at most 5.0",
    ),
    "IB602": (
        (
            (COMPLETE, "if not predictions or list(predictions) != list(truth)[: len(predictions)]:"),
            (EVERY, GIVEN),
        ),
        "the first half of the records in predictions.csv earned 78.8 points, of which it deserves at most 56.2",
    ),
    "IB603": (
        (("except ValueError:\n        value", "except OverflowError:\n        value"),),
        "words for numbers in predictions.csv crashed the evaluator: evaluator raised ValueError in run_1",
    ),
    "IB604": (
        (
            ("        value = math.nan\n", "        raise RejectedError('no number') from None\n"),
            ("if not abs(value) <= LARGEST", "if abs(value) > LARGEST"),
        ),
        "NaN for every number in predictions.csv crashed the evaluator: evaluator raised ValueError in run_1",
    ),
    "IB605": (
        ((COMPLETE, "if len(predictions.keys() & truth.keys()) < 0.7 * len(truth):"), (EVERY, GIVEN)),
        "every fourth id missing in predictions.csv earned 82.2 points, of which it deserves at most 70.8",
    ),
    "IB607": (
        (
            (
                "math.sqrt(math.fsum((predictions[name] - y) ** 2 for name, y in truth.items()) / len(truth))",
                "max(abs(p - y) for p, y in zip(sorted(predictions.values()), sorted(truth.values()), strict=True))",
            ),
        ),
        "the values of predictions.csv shuffled earned",
    ),
    "IB610": (
        (
            ("100_000", "100_000_000"),
            (COMPLETE, "if not truth.keys() <= predictions.keys():"),
            (EVERY, "for name, y in truth.items()) / len(predictions)"),
        ),
        "unknown ids besides, 20,000 records in all in predictions.csv earned 100.0 points, of which it",
    ),
    "IB611": (
        (
            ("import math\n", "import json\nimport math\n"),
            ("100_000", "100_000_000"),
            ("value = float(text)\n    except ValueError:", "value = float(json.loads(text))\n    except (ValueError, TypeError, OverflowError):"),
        ),
        "100,000 levels of lists as a value in predictions.csv crashed the evaluator: evaluator raised RecursionError",
    ),
    "IB612": (
        (("    if header != HEADER:", "    if header.startswith('/'):\n        return read_lines(Path(header))\n    if header != HEADER:"),),
        "the path /bench/evaluations/toy/data/references/truth.csv as predictions.csv earned 100.0 points",
    ),
    "IB613": (
        (("value = float(text)\n    except ValueError:", "value = float(eval(text))\n    except Exception:"),),
        "a Python expression for each value in predictions.csv ran code in the evaluator and read the references",
    ),
    "IB614": (
        (
            ("import math\n", "import math\nimport os\n"),
            ("        truth = dict(", "        _ = [name.encode() for name in os.listdir(outputs)]\n        truth = dict("),
        ),
        "a name that is no UTF-8 beside predictions.csv crashed the evaluator: evaluator raised UnicodeEncodeError",
    ),
    "IB615": (
        (
            ("import math\n", "import json\nimport math\n"),
            ("        truth = dict(", '        if (outputs / "result.json").is_file():\n            return json.loads((outputs / "result.json").read_text())\n        truth = dict('),
        ),
        "files with a full score without outputs earned 100.0 points, of which it deserves at most 5.0",
    ),
}  # fmt: skip


def weaken(good: Good, code: str) -> str:
    """Make the good evaluator weak in one way, and return what the finding says."""
    edits, message = WEAK[code]
    for old, new in edits:
        good.edit(good.evaluations / "task" / "evaluation.py", old, new)
    return message


@pytest.fixture(autouse=True)
def fewer_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "MOST_ROWS", 20_000)


def test_a_good_task_withstands_every_attack(good: Good) -> None:
    subject = good.subject(ATTACK)
    results = [check(rule, subject) for rule in RULES]
    assert [(r.rule.code, r.findings) for r in results if r.findings] == []
    skipped = {r.rule.code: r.skipped for r in results if r.skipped}
    assert skipped == {"IB609": "the reference submission has no labels or probabilities"}
    assert {rule.code for rule in RULES} == {f"IB6{number:02}" for number in range(1, 17)}


@pytest.mark.parametrize("code", WEAK)
def test_each_attack_finds_the_evaluator_that_pays_for_it(code: str, good: Good) -> None:
    message = weaken(good, code)
    findings = good.findings(code)
    assert findings
    assert findings[0].message.startswith(message)
    assert findings[0].file == "evaluations/toy/task/evaluation.py"
    assert (findings[0].line is not None) == ("crashed" in message)


def test_a_weakness_is_reported_once(good: Good) -> None:
    weaken(good, "IB603")
    subject = good.subject(ATTACK)
    assert [rule.code for rule in RULES[:4] if check(rule, subject).findings] == ["IB603"]


def test_a_crash_names_the_line(good: Good) -> None:
    weaken(good, "IB603")
    line = (
        (good.evaluations / "task" / "evaluation.py")
        .read_text()
        .splitlines()
        .index("        value = float(text)")
    )
    (finding,) = good.findings("IB603")
    assert finding.line == line + 1


def test_an_evaluator_that_hangs_is_found(good: Good) -> None:
    good.edit(good.evaluations / "task.yaml", "evaluation_seconds: 60", "evaluation_seconds: 1")
    hang = "        if (outputs / 'predictions.csv').stat().st_size == 0:\n            while True: pass\n        truth = dict("
    good.edit(good.evaluations / "task" / "evaluation.py", "        truth = dict(", hang)
    messages = [finding.message for finding in good.findings("IB601")]
    assert "empty files crashed the evaluator: evaluator did not finish within 1 s" in messages


def test_a_constant_that_beats_the_baseline_is_found(good: Good) -> None:
    good.edit(
        good.evaluations / "task" / "evaluation.py", "ScoreCurve(baseline=0.78", "ScoreCurve(baseline=1.0"
    )
    good.edit(good.evaluations / "data" / "baselines" / "predictions.csv", "-0.1980", "9")
    messages = [finding.message for finding in good.findings("IB606")]
    assert any(
        message.startswith("the mean answer everywhere in predictions.csv earned 22.") for message in messages
    )
    assert good.findings("IB607") == ()


def test_an_input_that_is_as_good_as_the_answer_is_found(good: Good) -> None:
    copy_answers(good, lambda y: f"{float(y):.1f}")
    (finding,) = good.findings("IB608")
    assert finding.message.startswith(
        "column hidden of datasets/test.csv as the answer in predictions.csv earned"
    )


def test_answers_that_lie_in_gym_are_left_to_the_rules_on_leaks(good: Good) -> None:
    copy_answers(good, str)
    assert good.findings("IB608") == ()


def copy_answers(good: Good, spell: Callable[[str], str]) -> None:
    truth = (good.evaluations / "data" / "references" / "truth.csv").read_text().splitlines()
    test = good.gym / "data" / "datasets" / "test.csv"
    ys = ["hidden", *(spell(line.split(",")[1]) for line in truth[1:])]
    test.write_text(
        "".join(f"{line},{y}\n" for line, y in zip(test.read_text().splitlines(), ys, strict=True))
    )


LABELS = """
from pathlib import Path
from evaluations.base.base_eval import BaseBenchmark
from evaluations.base.scoring import ScoreCurve

def read(path):
    lines = path.read_text().splitlines() if path.is_file() else []
    return dict(line.split(",", 1) for line in lines[1:] if "," in line)

class TaskBenchmark(BaseBenchmark):
    def run_1(self):
        truth = read(Path(self.config.eval_workspace, "toy/data/references/truth.csv"))
        given = read(Path(self.config.workspace, "data/outputs/predictions.csv"))
        hits = sum(y == given.get(name) for name, y in truth.items()) / len(truth)
        return {"score": ScoreCurve(baseline=0.7, reference=1.0)(hits)}
"""


def classify(good: Good) -> None:
    """Make the task one of classes."""
    (good.evaluations / "task" / "evaluation.py").write_text(LABELS)
    for folder in ("references", "outputs", "baselines"):
        (file,) = (good.evaluations / "data" / folder).iterdir()
        names = [line.split(",")[0] for line in file.read_text().splitlines()[1:]]
        labels = ["up" if folder == "baselines" or number % 3 else "down" for number in range(len(names))]
        file.write_text("id,y\n" + "".join(f"{n},{y}\n" for n, y in zip(names, labels, strict=True)))


def test_all_answers_at_once_are_found(good: Good) -> None:
    classify(good)
    assert good.findings("IB609") == ()
    good.edit(good.evaluations / "task" / "evaluation.py", "y == given.get(name)", "y in given.get(name, '')")
    findings = good.findings("IB609")
    assert findings[0].message.startswith(
        "all answers with commas between in predictions.csv earned 80.0 points"
    )


def test_code_in_pickles_is_found(good: Good) -> None:
    evaluator = good.evaluations / "task" / "evaluation.py"
    good.edit(evaluator, "import math\n", "import contextlib\nimport math\nimport pickle\n")
    loads = "    with contextlib.suppress(Exception):\n        return pickle.loads(path.read_bytes())\n    try:\n        status"
    good.edit(evaluator, "    try:\n        status", loads)
    messages = [finding.message for finding in good.findings("IB613")]
    assert messages == ["a pickle as predictions.csv ran code in the evaluator and read the references"]


def test_modules_of_the_outputs_are_found_when_they_are_imported(good: Good) -> None:
    evaluator = good.evaluations / "task" / "evaluation.py"
    shadow = "        import sys\n        sys.path.insert(0, str(outputs))\n        import colorsys\n        truth = dict("
    good.edit(evaluator, "        truth = dict(", shadow)
    messages = [finding.message for finding in good.findings("IB615")]
    assert messages[0] == (
        "start-up files and modules without outputs ran code in the evaluator and read the references"
    )


def test_programs_that_agents_submit_may_run(good: Good) -> None:
    (good.evaluations / "data" / "outputs" / "model.py").write_text("pass\n")
    weaken(good, "IB613")
    assert good.findings("IB613") == ()


def test_the_authors_own_attacks_are_tried(good: Good) -> None:
    assert good.findings("IB616") == ()
    folder = good.evaluations / "data" / "attacks" / "copied"
    shutil.copytree(good.evaluations / "data" / "outputs", folder)
    (folder.parent / "linked").symlink_to("/etc")
    (finding,) = good.findings("IB616")
    assert finding.message == ("data/attacks/copied earned 79.8 points, of which it deserves at most 5.0")


def test_own_attacks_behind_a_link_are_not_tried(good: Good, tmp_path: Path) -> None:
    shutil.copytree(good.evaluations / "data" / "outputs", tmp_path / "elsewhere" / "copied")
    (good.evaluations / "data" / "attacks").symlink_to(tmp_path / "elsewhere")
    assert good.findings("IB616") == ()


def test_many_weaknesses_are_summed_up(good: Good) -> None:
    evaluator = good.evaluations / "task" / "evaluation.py"
    good.edit(evaluator, '{"score": 0.0, "error": str(error)', '{"score": 60.0, "error": str(error)')
    findings = good.findings("IB604")
    assert len(findings) == MOST_SHOWN
    assert findings[-1].message.endswith("(and 2 more like it)")


def test_without_a_score_for_the_reference_nothing_is_attacked(good: Good) -> None:
    good.edit(good.evaluations / "task" / "evaluation.py", "def run_1", "def run_one")
    assert good.skipped("IB601") == "the reference submission has no score to compare with"


def test_attacks_are_made_from_the_baseline_where_there_is_no_reference(good: Good) -> None:
    shutil.rmtree(good.evaluations / "data" / "outputs")
    weaken(good, "IB604")
    assert good.findings("IB604")[0].message.startswith("NaN for every number in predictions.csv crashed")
    shutil.rmtree(good.evaluations / "data" / "baselines")
    assert good.skipped("IB604") == "there are neither data/outputs nor data/baselines to make attacks from"


@pytest.mark.parametrize(("points", "found"), [(4, []), (8, ["no record in notes.txt earned 79.8 points"])])
def test_each_file_is_measured_by_what_the_others_earn(points: int, found: list[str], good: Good) -> None:
    (good.evaluations / "data" / "outputs" / "notes.txt").write_text("one\ntwo\n")
    evaluator = good.evaluations / "task" / "evaluation.py"
    paid = f"RMSE(rmse) * 0.9 + {points} * (outputs / 'notes.txt').is_file()"
    good.edit(evaluator, "RMSE(rmse), ", f"{paid}, ")
    messages = [finding.message.partition(", of which")[0] for finding in good.findings("IB601")]
    assert messages == found
    assert good.findings("IB602") == ()


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ('(outputs / "final.best")', "100 in files that evaluation.py names"),
        ('next(outputs.glob("*.verdict"), Path("nowhere"))', "100 in files that evaluation.py names"),
        ('(outputs / f"{HEADER[:0]}predictions.csv.ok")', "100 in files that evaluation.py names"),
        ('(outputs / "predictions.csv").with_suffix(".grade")', "100 in files that evaluation.py names"),
        ('(outputs / "DONE")', "100 in files that evaluation.py names"),
    ],
)
def test_a_file_that_is_trusted_whatever_its_ending(good: Good, code: str, said: str) -> None:
    trusting = f"        if {code}.is_file():\n            return {{'score': float({code}.read_text())}}\n"
    good.edit(
        good.evaluations / "task" / "evaluation.py",
        "        truth = dict(",
        f"{trusting}        truth = dict(",
    )
    findings = good.findings("IB615", ATTACK)
    assert any(finding.message.startswith(said) for finding in findings), findings
    assert "earned 100.0 points, of which it deserves at most 5.0" in findings[0].message
