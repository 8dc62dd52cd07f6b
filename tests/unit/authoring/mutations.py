"""One mutation of the good task for each rule there is."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable

from pytest_innovatorbench.authoring.findings import Options
from tests.unit.authoring.checks import calibration_mutations, test_attacks, test_attacks_rewritten
from tests.unit.authoring.checks.test_environment import make_wheel
from tests.unit.authoring.checks.test_evaluator import LISTED, RETURN, RUN
from tests.unit.authoring.checks.test_leaks_secrets import AWS
from tests.unit.authoring.good import Good
from tests.unit.authoring.mutation import Mutation

DESCRIPTION = "gym/toy/task/task_description.md"
EVALUATION = "evaluations/toy/task/evaluation.py"
MANIFEST = "evaluations/toy/task.yaml"
NOTES = "gym/toy/task/repositories/smoother/NOTES.md"
TEST = "tests/test_toy.py"
TRUTH = "evaluations/toy/data/references/truth.csv"
FEW_TESTS = """\
import unittest

from evaluations.toy.task.config import TaskConfig


class ConfigTest(unittest.TestCase):
    def test_config(self):
        self.assertEqual(TaskConfig(eval_workspace="e", workspace="w").workspace, "w")
"""


def replaced(name: str, *pairs: tuple[str, str]) -> Callable[[Good], None]:
    """Replace texts that have to be in a file."""

    def change(good: Good) -> None:
        for old, new in pairs:
            good.edit(good.root / name, old, new)

    return change


def appended(name: str, text: str) -> Callable[[Good], None]:
    """Append lines to a file, which need not exist."""

    def change(good: Good) -> None:
        file = good.root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a", encoding="utf-8") as content:
            content.write(f"{text}\n")

    return change


def removed(name: str) -> Callable[[Good], None]:
    """Remove a file."""
    return lambda good: (good.root / name).unlink()


def copied(name: str, target: str, lines: slice = slice(None)) -> Callable[[Good], None]:
    """Copy lines of a file."""

    def change(good: Good) -> None:
        text = (good.root / name).read_text("utf-8").splitlines(keepends=True)
        appended(target, "".join(text[lines]).rstrip())(good)

    return change


def odd_link(good: Good) -> None:
    (good.gym / "task" / "odd").symlink_to("/etc/passwd")


def large_file(good: Good) -> None:
    file = good.evaluations / "data" / "references" / "big.txt"
    file.touch()
    os.truncate(file, 60_000_000)


def pipe(good: Good) -> None:
    os.mkfifo(good.gym / "task" / "pipe")


def long_run(good: Good) -> None:
    replaced(DESCRIPTION, ("0.5 hours", "17 hours"))(good)
    replaced(MANIFEST, ("training_hours: 0.5", "training_hours: 17"))(good)


def order_matters(good: Good) -> None:
    (good.evaluations / "data" / "outputs" / "notes.txt").write_text("x")
    replaced(
        EVALUATION,
        ("import math\n", "import math\nimport os\n"),
        ("        rmse = ", f"{LISTED}        rmse = "),
        (RETURN, 'return {"score": RMSE(rmse) and RMSE(rmse) + extra / 100'),
    )(good)


def too_slow(good: Good) -> None:
    replaced(MANIFEST, ("evaluation_seconds: 60", "evaluation_seconds: 1"))(good)
    replaced(DESCRIPTION, ("60 seconds", "1 second"))(good)
    replaced(EVALUATION, (RUN, f"        import time; time.sleep(60)\n{RUN}"))(good)


def bundle(good: Good) -> None:
    folder = good.root.parent / "clone"
    folder.mkdir()
    (folder / "method.txt").write_text("the key idea\n")
    who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    target = good.gym / "task" / "repositories" / "smoother" / "all.bundle"
    for command in (
        ["init", "-q"],
        ["add", "."],
        ["commit", "-qm", "x"],
        ["bundle", "create", str(target), "HEAD"],
    ):
        subprocess.run(["git", *who, *command], cwd=folder, check=True, capture_output=True)


def unread(good: Good) -> None:
    (good.gym / "data" / "datasets" / "image.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(99))


def unpinned(good: Good) -> None:
    folder = make_wheel(good.root.parent).parent
    appended("evaluations/toy/requirements.txt", f"--no-index\n-f {folder}\ntinything")(good)


def weakened(change: Callable[[Good], object]) -> Callable[[Good], None]:
    """Weaken the evaluator where the task's own tests do not look."""

    def weaken(good: Good) -> None:
        change(good)
        (good.root / TEST).write_text(FEW_TESTS, "utf-8")

    return weaken


def shuffled_pays(good: Good) -> None:
    test_attacks.weaken(good, "IB607")
    replaced(MANIFEST, ("baseline: 0.78", "baseline: 1.37"))(good)


def constant_pays(good: Good) -> None:
    replaced(EVALUATION, ("ScoreCurve(baseline=0.78", "ScoreCurve(baseline=0.95"))(good)
    replaced(MANIFEST, ("baseline: 0.78", "baseline: 0.95"))(good)
    file = good.evaluations / "data" / "baselines" / "predictions.csv"
    header, *lines = file.read_text("utf-8").splitlines()
    rows = [f"{line.partition(',')[0]},{(0.4, -0.9)[at % 2]}" for at, line in enumerate(lines)]
    file.write_text("\n".join([header, *rows]) + "\n", "utf-8")


def all_answers_pay(good: Good) -> None:
    test_attacks.classify(good)
    replaced(
        EVALUATION,
        ("y == given.get(name)", "y in given.get(name, '')"),
        ("path.read_text()", "path.read_text(errors='replace')"),
        ("(hits)}", "(hits), 'error': None if given else 'data/outputs/predictions.csv has no labels'}"),
    )(good)


def outputs_are_imported(good: Good) -> None:
    shadow = "        sys.path.insert(0, str(outputs))\n        import colorsys\n"
    replaced(
        EVALUATION,
        ("import math\n", "import math\nimport sys\n"),
        ("        truth = dict(", f"{shadow}        truth = dict("),
    )(good)


def own_attack(good: Good) -> None:
    sample, attack = "data/outputs/predictions.csv", "data/attacks/copied/predictions.csv"
    copied(f"evaluations/toy/{sample}", f"evaluations/toy/{attack}")(good)


ATTACK = Options(attack=True)
WAIVERS = (
    Mutation(
        code="IB001",
        change=appended(MANIFEST, 'waive: {IB001: "I would rather not be seen"}'),
        said="IB001 cannot be waived",
    ),
    Mutation(
        code="IB002",
        change=appended(MANIFEST, 'waive: {IB999: "I know better"}'),
        said="there is no rule IB999",
    ),
    Mutation(
        code="IB003",
        change=appended(MANIFEST, 'waive: {IB403: "I know better"}'),
        said="IB403 is waived, but finds nothing",
    ),
)
LAYOUT = (
    Mutation(
        code="IB101", change=appended("gym/toy/data/outputs", "a file, not a folder"), said="is no folder"
    ),
    Mutation(code="IB102", change=removed(DESCRIPTION), said="is missing"),
    Mutation(
        code="IB103",
        change=replaced(MANIFEST, ("id: toy", "id: tow")),
        said="id: 'tow' is not the folder's name",
    ),
    Mutation(
        code="IB104",
        change=lambda good: (good.root / "gym" / "TOY").mkdir(),
        said="differs from gym/TOY in the case of letters only",
    ),
    Mutation(
        code="IB105",
        change=appended("gym/toy/data/datasets/a\nb", "x"),
        said="'a b' is a name with line ends",
    ),
    Mutation(
        code="IB106",
        change=appended("gym/toy/task/.gitmodules", "[submodule]"),
        said="names the repositories of submodules",
    ),
    Mutation(code="IB107", change=appended("gym/toy/task/old.pyc", "x"), said="is made by a program"),
    Mutation(code="IB108", change=odd_link, said="is a link to /etc/passwd, a path of one machine"),
    Mutation(code="IB109", change=large_file, said="has 60 MB"),
    Mutation(code="IB110", change=pipe, said="is a FIFO"),
    Mutation(
        code="IB111",
        change=appended(DESCRIPTION, "<!-- TEMPLATE: say why the question matters -->"),
        said="still the template's: say why the question matters",
    ),
)
DESCRIPTIONS = (
    Mutation(
        code="IB201",
        change=replaced(DESCRIPTION, ("## Environment", "## Surroundings")),
        said="has no section Environment",
    ),
    Mutation(
        code="IB202",
        change=replaced(DESCRIPTION, ("Python 3 without further packages, no network.", "")),
        said="the section Environment is empty",
    ),
    Mutation(
        code="IB203",
        change=replaced(DESCRIPTION, ("- Training-time limit: 0.5 hours.\n", "")),
        said="Constraint gives no training-time limit",
    ),
    Mutation(
        code="IB204",
        change=replaced(DESCRIPTION, ("0.5 hours", "12 hours")),
        said="the training-time limit is 12 hours here and 30 minutes in task.yaml",
    ),
    Mutation(
        code="IB205",
        change=long_run,
        said="training and evaluation take 17.017 hours together, more than 16",
    ),
    Mutation(
        code="IB206",
        change=replaced(DESCRIPTION, ("Work inside `/workspace`.", "")),
        said="Task does not say that the agent works inside /workspace",
    ),
    Mutation(
        code="IB207",
        change=replaced(DESCRIPTION, ("`/workspace/data/outputs/predictions.csv`", "`predictions.csv`")),
        said="does not say that outputs go to /workspace/data/outputs",
    ),
    Mutation(
        code="IB208",
        change=replaced(
            DESCRIPTION, ("## Task\n", "## Task\n\nWrite `/workspace/data/outputs/more.json`, too.\n")
        ),
        said="more.json is an output that the evaluator does not read",
    ),
    Mutation(
        code="IB209",
        change=replaced(
            EVALUATION, ("        truth = ", '        (outputs / "more.json").exists()\n        truth = ')
        ),
        said="reads more.json, an output that is not in the description",
    ),
    Mutation(
        code="IB210",
        change=replaced(MANIFEST, ("name: rmse", "name: psnr")),
        said="Evaluation does not name the metric 'psnr' of task.yaml",
    ),
    Mutation(
        code="IB211",
        change=replaced(
            DESCRIPTION, ("Viewing the hint costs 10 points.", "Viewing the hint costs 20 points.")
        ),
        said="viewing the hint costs 20 points here and 10 points in task.yaml",
    ),
    Mutation(
        code="IB212",
        change=replaced(
            DESCRIPTION, ("## Task\n", "## Task\n\nPredict a weighted mean of all training values, or so.\n")
        ),
        said="repeats 8 words of hint.md in runs of 6 or more",
    ),
    Mutation(
        code="IB213",
        change=replaced(
            DESCRIPTION, ("## Data\n", "## Data\n\nLike those in evaluations/toy/data and elsewhere.\n")
        ),
        said="evaluations/toy/data is a path into evaluations/",
    ),
)
EVALUATORS = (
    Mutation(
        code="IB301",
        change=appended(EVALUATION, "raise ValueError('boom')"),
        said="evaluator raised ValueError in importing evaluation.py (boom)",
    ),
    Mutation(
        code="IB302",
        change=replaced("evaluations/toy/task/config.py", ("TaskConfig", "Settings")),
        said="there is no class TaskConfig",
    ),
    Mutation(
        code="IB303",
        change=replaced(EVALUATION, ("class TaskBenchmark(", "class Benchmark(")),
        said="there is no class TaskBenchmark",
    ),
    Mutation(
        code="IB304",
        change=appended(EVALUATION, 'PLACE = "/home/me/data"'),
        said="'/home/me/data' is a path of one machine",
    ),
    Mutation(
        code="IB305",
        change=replaced(
            EVALUATION,
            ("import math\n", "import math\nimport random\n"),
            (RETURN, 'return {"score": RMSE(rmse) and RMSE(rmse) + random.random() / 100'),
        ),
        said="the same submission scores 79.",
    ),
    Mutation(code="IB306", change=order_matters, said="the same files, listed in one order, score 79.77"),
    Mutation(code="IB307", change=too_slow, said="evaluator did not finish within 1 s"),
    Mutation(
        code="IB308",
        change=replaced(EVALUATION, ('{"score": 0.0, "error"', '{"score": 3.0, "error"')),
        said="empty outputs score 3, not 0",
    ),
    Mutation(
        code="IB309",
        change=appended(EVALUATION, "def unused(model):\n    return model.cuda()"),
        said="model.cuda needs a GPU",
    ),
    Mutation(code="IB310", change=appended(EVALUATION, "import urllib.request"), said="urllib"),
    Mutation(
        code="IB311",
        change=replaced(
            EVALUATION,
            ("        truth = ", '        (references / "cache.txt").write_text("x")\n        truth = '),
        ),
        said="the evaluator writes where it may only read: [Errno 30] Read-only file system: '/bench/",
    ),
)
LEAKS = (
    Mutation(
        code="IB501",
        change=copied(TRUTH, "gym/toy/data/datasets/extra.csv"),
        said=f"equals {TRUTH} byte for byte",
    ),
    Mutation(
        code="IB502",
        change=copied(TRUTH, NOTES, slice(10, 18)),
        said=f"NOTES.md holds 8 of the 50 answers in {TRUTH}",
    ),
    Mutation(
        code="IB503",
        change=appended("gym/toy/data/datasets/heldout/part.csv", "id,x,label\nv1,0.1,3\nv2,0.4,8"),
        said="part.csv is test data, and the column label holds labels by its name",
    ),
    Mutation(
        code="IB504",
        change=copied("evaluations/toy/hint.md", NOTES),
        said="NOTES.md repeats ",
    ),
    Mutation(
        code="IB505",
        change=copied("evaluations/toy/solution/solve.py", "gym/toy/task/repositories/smoother/tools.py"),
        said="tools.py repeats ",
    ),
    Mutation(
        code="IB506", change=bundle, said="gym/toy/task/repositories/smoother/all.bundle is a git bundle"
    ),
    Mutation(
        code="IB507",
        change=appended("gym/toy/task/scripts/run.sh", f"# {AWS}"),
        said="this line holds what looks like a secret (AWS Access Key)",
    ),
    Mutation(
        code="IB508",
        change=replaced(DESCRIPTION, ("## Task\n", "## Task\n\nReport your own RMSE as well.\n")),
        said="the agent is asked to Report your own RMSE",
    ),
    Mutation(code="IB509", change=unread, said="gym/toy/data/datasets/image.png: compared as a whole only"),
)


def attack(code: str, change: Callable[[Good], object], said: str, **companions: str) -> Mutation:
    """Return a mutation for a rule on attacks."""
    return Mutation(code=code, change=weakened(change), said=said, options=ATTACK, companions=companions)


def known_weakness(code: str) -> Mutation:
    """Return a mutation that the tests of the rules on attacks know."""
    said = test_attacks.WEAK[code][1]
    return attack(code, lambda good: test_attacks.weaken(good, code), said)


ATTACKS = (
    *(known_weakness(code) for code in test_attacks.WEAK if code not in {"IB607", "IB615"}),
    attack("IB606", constant_pays, "0 everywhere in predictions.csv earned 19.2 points"),
    attack(
        "IB607",
        shuffled_pays,
        test_attacks.WEAK["IB607"][1],
        IB407="answers under wrong ids are what that rule looks at, too",
    ),
    attack(
        "IB608",
        lambda good: test_attacks.copy_answers(good, lambda y: f"{float(y):.1f}"),
        "column hidden of datasets/test.csv as the answer in predictions.csv earned",
    ),
    attack("IB609", all_answers_pay, "all answers with commas between in predictions.csv earned"),
    attack(
        "IB615", outputs_are_imported, "start-up files and modules without outputs ran code in the evaluator"
    ),
    attack("IB616", own_attack, "data/attacks/copied earned 79.8 points, of which it deserves at most 5.0"),
    attack(
        "IB617",
        lambda good: test_attacks_rewritten.recognise(good, "outputs", 74.0),
        "the reference scores 74.0, but 79.8 with another line end",
    ),
)
ENVIRONMENT = (
    Mutation(
        code="IB701",
        change=appended("evaluations/toy/requirements.txt", "--no-index\nnothing-like-this==1.0"),
        said="the packages cannot be installed: ERROR: Could not find a version",
    ),
    Mutation(
        code="IB702",
        change=replaced(DESCRIPTION, ("Python 3 without", "Python in /workspace/conda, without")),
        said="the description names a conda environment, but there is no conda/toy/conda.tar",
    ),
    Mutation(code="IB703", change=removed(TEST), said="there is no tests/test_toy.py"),
    Mutation(
        code="IB704",
        change=replaced(TEST, ('assertEqual(result["score"], 0)', 'assertEqual(result["score"], 1)')),
        said="test_baseline_scores_0 fails: AssertionError: 0.0 != 1",
    ),
    Mutation(code="IB705", change=unpinned, said="'tinything' names no version"),
)
MUTATIONS = (
    *WAIVERS,
    *LAYOUT,
    *DESCRIPTIONS,
    *EVALUATORS,
    *calibration_mutations.MUTATIONS,
    *LEAKS,
    *ATTACKS,
    *ENVIRONMENT,
)
