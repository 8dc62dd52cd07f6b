"""A good description gets no finding; broken in one place, it gets that code and no other."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from pytest_innovatorbench.authoring.checks import description, description_files
from pytest_innovatorbench.authoring.findings import Finding, Options
from pytest_innovatorbench.authoring.rules import BUILTIN_RULES, find
from pytest_innovatorbench.authoring.validation import check, examined
from tests.unit.authoring.checks.test_layout import found, only
from tests.unit.authoring.good import TASK, Good

FILE = "gym/toy/task/task_description.md"
SECTIONS = ("Motivation", "Task", "Data", "Constraint", "Evaluation", "Environment")
WRITE = "Write `/workspace/data/outputs/predictions.csv`: the header `id,y`"
READ = 'outputs / "predictions.csv"'
HINT = "Viewing the hint costs 10 points."
GPUS = "- Number of GPUs: 0. Memory of each GPU: 0 GB."


def evaluation(good: Good) -> Path:
    return good.evaluations / "task" / "evaluation.py"


def line_of(good: Good, text: str) -> int:
    """Return the first line of the description with a text."""
    lines = good.description.read_text("utf-8").split("\n")
    return next(number for number, line in enumerate(lines, start=1) if text in line)


def one(good: Good, code: str, text: str | None) -> str:
    """Return the message of the one finding there is, which stands at the line with a text."""
    finding = only(good, code)
    assert finding.file == FILE
    assert finding.line == (None if text is None else line_of(good, text))
    return finding.message


def add(good: Good, section: str, text: str) -> None:
    """Add a paragraph at the beginning of a section."""
    good.edit(good.description, f"## {section}\n", f"## {section}\n\n{text}\n")


def manifest(good: Good, old: str, new: str) -> None:
    good.edit(good.evaluations / "task.yaml", old, new)


def test_a_good_description_has_no_finding_and_every_rule_looks_at_it(good: Good) -> None:
    assert found(good) == {}
    assert {rule.code: good.skipped(rule) for rule in description.RULES if good.skipped(rule)} == {}


def test_codes_are_in_order_and_known() -> None:
    assert [rule.code for rule in description.RULES] == [f"IB{201 + number}" for number in range(13)]
    assert [find(rule.code, BUILTIN_RULES) for rule in description.RULES] == list(description.RULES)


@pytest.mark.parametrize("name", SECTIONS)
def test_a_missing_section(good: Good, name: str) -> None:
    text = good.description.read_text("utf-8")
    parts = re.split(r"(?m)^(?=## )", text)
    good.description.write_text("".join(part for part in parts if not part.startswith(f"## {name}")))
    findings = found(good)
    (finding,) = findings.pop("IB201")
    assert finding.message == f"has no section {name}"
    assert finding.remedy.startswith("write it: ")
    # Sections that hold what is asked for elsewhere take it with them.
    assert set(findings) <= {"Evaluation": {"IB211"}, "Task": {"IB209"}}.get(name, set()), findings


@pytest.mark.parametrize("name", SECTIONS)
@pytest.mark.parametrize("content", ["\n", "\n\n<!-- to do -->\n\n", "\n### More\n"])
def test_an_empty_section(good: Good, name: str, content: str) -> None:
    text = good.description.read_text("utf-8")
    parts = re.split(r"(?m)^(?=## )", text)
    emptied = (f"## {name}{content}" if part.startswith(f"## {name}") else part for part in parts)
    good.description.write_text("".join(emptied))
    findings = found(good)
    (finding,) = findings.pop("IB202")
    assert finding.message == f"the section {name} is empty"
    assert finding.line == line_of(good, f"## {name}")
    assert set(findings) <= {"Evaluation": {"IB211"}, "Task": {"IB209"}}.get(name, set()), findings


@pytest.mark.parametrize("name", SECTIONS)
@pytest.mark.parametrize("heading", ["# {0}s", "### 3. {0}s:", "**{0}**", "{0}\n---"])
def test_other_spellings_of_sections(good: Good, name: str, heading: str) -> None:
    text = good.description.read_text("utf-8")
    for other in SECTIONS:  # at one level all
        text = text.replace(f"## {other}\n", f"{heading.format(other if other != name else name)}\n")
    good.description.write_text(text)
    assert found(good) == {}


def test_a_misspelt_section(good: Good) -> None:
    good.edit(good.description, "## Environment", "## Enviroment")
    assert one(good, "IB201", "## Enviroment") == "has no section Environment"
    assert only(good, "IB201").remedy == "call 'Enviroment' Environment"


def test_a_fence_that_swallows_a_section(good: Good) -> None:
    good.edit(good.description, "## Environment", "```sh\nls\n\n## Environment")
    assert one(good, "IB201", "```sh") == "has no section Environment"
    assert only(good, "IB201").remedy == "close the fence that is opened here"


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_line_ends_of_other_systems_and_a_mark_at_the_start(good: Good, end: str) -> None:
    text = good.description.read_text("utf-8")
    fenced = "## Data\n\n````md\n```\n# Task\n```\n# Evaluation\n````\n"
    text = text.replace("## Data\n", fenced).replace("\n", end)
    good.description.write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert found(good) == {}
    good.description.write_bytes(good.description.read_bytes().replace(b"0.5 hours", b"2 hours"))
    finding = only(good, "IB204")
    assert finding.line == line_of(good, "2 hours")


@pytest.mark.parametrize(
    ("old", "name", "example"),
    [
        ("- Training-time limit: 0.5 hours.\n", "training-time limit", "Training-time limit: 8 hours"),
        (
            "- Evaluation-time limit: 60 seconds.\n",
            "evaluation-time limit",
            "Evaluation-time limit: 10 minutes",
        ),
        (GPUS, "memory of each GPU", "Memory of each GPU: 80 GB"),
        (GPUS, "number of GPUs", "Number of GPUs: 8"),
    ],
)
def test_a_figure_that_is_not_given(good: Good, old: str, name: str, example: str) -> None:
    # A GPU of 0 GB is none, so that the figures that are left agree with task.yaml.
    left = {"memory of each GPU": "- Number of GPUs: 1.", "number of GPUs": "- Memory of each GPU: 0 GB."}
    good.edit(good.description, old, left.get(name, ""))
    manifest(good, "gpus: 0", f"gpus: {int(name == 'memory of each GPU')}")
    assert one(good, "IB203", "## Constraint") == f"Constraint gives no {name}"
    assert only(good, "IB203").remedy == f"write it with its unit, such as '{example}'"


def test_a_figure_without_a_unit_is_not_given(good: Good) -> None:
    good.edit(good.description, "0.5 hours", "0.5")
    assert one(good, "IB203", "## Constraint") == "Constraint gives no training-time limit"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "0.5 hours",
            "48 hours",
            "the training-time limit is 48 hours here and 30 minutes in task.yaml (limits.training_hours)",
        ),
        (
            "0.5 hours",
            "none, nothing is trained",
            "the training-time limit is 0 seconds here and 30 minutes in task.yaml (limits.training_hours)",
        ),
        (
            "60 seconds",
            "10 minutes",
            "the evaluation-time limit is 10 minutes here and 1 minute in task.yaml (limits.evaluation_seconds)",
        ),
        (
            "60 seconds",
            "1.5 s",
            "the evaluation-time limit is 1.5 seconds here and 1 minute in task.yaml (limits.evaluation_seconds)",
        ),
        (
            "Working-time limit: 48 hours",
            "Working-time limit: 1 day",
            "the working-time limit is 24 hours here and 48 hours in task.yaml (limits.working_hours)",
        ),
        (
            "Number of GPUs: 0. Memory of each GPU: 0 GB.",
            "8 GPUs of 0 GB each.",
            "the number of GPUs is 8 GPUs here and no GPU in task.yaml (resources.gpus)",
        ),
        (
            "Memory of each GPU: 0 GB",
            "Memory of each GPU: 80 GB",
            "the memory of each GPU is 80 GB here and 0 GB in task.yaml (resources.gpu_memory_gb)",
        ),
    ],
)
def test_figures_that_differ(good: Good, old: str, new: str, message: str) -> None:
    good.edit(good.description, old, new)
    assert one(good, "IB204", new) == message


@pytest.mark.parametrize(
    ("written", "stated"),
    [
        (("Training: 1.5 h.", "Evaluation: 10 minutes.", "8 x 80GB."), (1.5, 600, 8, 80)),
        (
            ("Training: 90 min.", "Testing takes up to 1,000 s.", "8 GPUs with 80 GB each."),
            (1.5, 1000, 8, 80),
        ),
        (("Train for half a day at most.", "Inference time: 2 h.", "one 24 GB GPU"), (12, 7200, 1, 24)),
        (("Training time: 20 minutes.", "Evaluation time: 1 h.", "CPU only."), (0.3333, 3600, 0, 80)),
        (("| Training | 8 h |", "| Evaluation | 90 s |", "| GPUs | no GPU |"), (8, 90, 0, 0)),
    ],
)
def test_figures_in_the_ways_people_write_them(
    good: Good, written: tuple[str, str, str], stated: tuple[float, float, int, float]
) -> None:
    before = ("- Training-time limit: 0.5 hours.\n", "- Evaluation-time limit: 60 seconds.\n", f"{GPUS}\n")
    for old, new in zip(before, written, strict=True):
        good.edit(good.description, old, f"\n{new}\n\n")
    keys = ("training_hours: 0.5", "evaluation_seconds: 60", "gpus: 0", "gpu_memory_gb: 0")
    for old, value in zip(keys, stated, strict=True):
        manifest(good, old, f"{old.partition(':')[0]}: {value}")
    assert found(good) == {}


def test_a_number_of_gpus_that_task_yaml_leaves_out(good: Good) -> None:
    good.edit(good.description, GPUS, "- 8 GPUs of 0 GB each.")
    manifest(good, "  gpus: 0\n", "")
    assert "8 GPUs here and no GPU in task.yaml" in one(good, "IB204", "8 GPUs")


def test_times_that_task_yaml_leaves_out_are_those_of_the_description(good: Good) -> None:
    good.edit(good.description, "0.5 hours", "3 hours")
    manifest(good, "  training_hours: 0.5\n", "")
    assert found(good) == {}


@pytest.mark.parametrize(
    ("hours", "seconds", "total"),
    [(16, 60, "16.017"), (15.5, 1801, "16"), (15, 3601, "16"), (48, 600, "48.167")],
)
def test_a_run_that_takes_too_long(good: Good, hours: float, seconds: float, total: str) -> None:
    good.edit(good.description, "0.5 hours", f"{hours} hours")
    good.edit(good.description, "60 seconds", f"{seconds} seconds")
    manifest(good, "training_hours: 0.5", f"training_hours: {hours}")
    manifest(good, "evaluation_seconds: 60", f"evaluation_seconds: {seconds}")
    message = one(good, "IB205", f"{hours} hours")
    assert message == f"training and evaluation take {total} hours together, more than 16"


def test_a_run_that_just_fits(good: Good) -> None:
    good.edit(good.description, "0.5 hours", "15 hours")
    good.edit(good.description, "60 seconds", "1 hour")
    manifest(good, "training_hours: 0.5", "training_hours: 15")
    manifest(good, "evaluation_seconds: 60", "evaluation_seconds: 3600")
    assert found(good) == {}


def test_a_run_without_a_limit(good: Good) -> None:
    good.edit(good.description, "Training-time limit: 0.5 hours", "There is no limit on training time")
    manifest(good, "  training_hours: 0.5\n", "")
    assert one(good, "IB205", "no limit") == "training and evaluation take unlimited together, more than 16"


@pytest.mark.parametrize(
    "text",
    [
        "Work inside `/workspace`.",
        "You must work in **/workspace** only.",
        "All your files have to be within `/workspace/`.",
        "Your working directory is /workspace.",
        "Stay in\n`/workspace`.",
        "- Everything happens in /workspace",
    ],
)
def test_ways_to_say_where_the_agent_works(good: Good, text: str) -> None:
    good.edit(good.description, "Work inside `/workspace`.", text)
    assert found(good) == {}


@pytest.mark.parametrize(
    "text", ["", "The code is in `/workspace/task/repositories`.", "Look at `/workspace`."]
)
def test_a_description_that_does_not_say_where_the_agent_works(good: Good, text: str) -> None:
    good.edit(good.description, "Work inside `/workspace`.", text)
    assert one(good, "IB206", "## Task") == "Task does not say that the agent works inside /workspace"


def test_where_the_agent_works_is_said_elsewhere(good: Good) -> None:
    good.edit(good.description, "Work inside `/workspace`.", "")
    add(good, "Environment", "Work inside `/workspace`.")
    message = one(good, "IB206", "## Task")
    assert message == "Task does not say that the agent works inside /workspace, but under Environment"


@pytest.mark.parametrize(
    "place", ["`predictions.csv`", "`/workspace/predictions.csv`", "`/root/data/outputs/predictions.csv`"]
)
def test_a_description_that_does_not_say_where_outputs_go(good: Good, place: str) -> None:
    good.edit(good.description, "`/workspace/data/outputs/predictions.csv`", place)
    assert one(good, "IB207", "## Task") == "does not say that outputs go to /workspace/data/outputs"


@pytest.mark.parametrize(
    "text",
    [
        "Write `/workspace/data/outputs/more.json` as well.",
        "Write `/workspace/data/outputs/more.json`, and your ideas to `/workspace/data/outputs/ideas.md`.",
        "Write `more.json` to `/workspace/data/outputs`, too.",
        "Write to `/workspace/data/outputs`:\n\n- more.json",
        "Write to `/workspace/data/outputs`:\n\n| file | content |\n| --- | --- |\n| `more.json` | all of it |",
        "Write to `/workspace/data/outputs`:\n\n1. the rest, as `more.json`\n2. nothing else",
        "Write\n\n```\n/workspace/data/outputs\n\u251c\u2500\u2500 predictions.csv\n\u2514\u2500\u2500 more.json\n```",
        "Write to `/workspace/toy/data/outputs/more.json`.",
        "### Outputs in `/workspace/data/outputs`\n\n- **`more.json`**: the rest",
        "```python\nopen('/workspace/data/outputs/more.json')\n```",
    ],
)
def test_an_output_that_nobody_reads(good: Good, text: str) -> None:
    add(good, "Task", text)
    message = one(good, "IB208", "more.json")
    assert message == "more.json is an output that the evaluator does not read"


def test_a_line_of_many_outputs_is_not_read_again_for_each(
    good: Good, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at: list[int] = []

    class Counting:
        def search(self, text: str) -> None:
            looked_at.append(len(text))

    monkeypatch.setattr(description_files, "_UNSCORED", Counting())
    add(good, "Task", "`/workspace/data/outputs/more.json` " * 2_000)
    assert one(good, "IB208", "more.json") == "more.json is an output that the evaluator does not read"
    assert len(looked_at) > 2_000
    assert max(looked_at) < 2_100


@pytest.mark.parametrize("name", ["part_<i>.json", "part_{i}.json", "part_*.json", "part_$N.json"])
def test_outputs_by_a_pattern_that_nobody_reads(good: Good, name: str) -> None:
    add(good, "Task", f"Write `/workspace/data/outputs/{name}`.")
    assert one(good, "IB208", name).endswith("is an output that the evaluator does not read")


@pytest.mark.parametrize(
    "text",
    [
        "Write `data/outputs/predictions.csv` for the places in `test.csv` of `/workspace/data/datasets/test.csv`.",
        "You may write your ideas to `/workspace/data/outputs/ideas.md`.",
        "`/workspace/data/outputs/log.txt` is optional.",
        "Whatever else is in `/workspace/data/outputs`, such as `log.txt`, is not read.",
        "The network is described in `model.json` of its authors.",
        "Write to `/workspace/data/outputs`:\n\n- `predictions.csv`, as `smooth.py` and `x.json` have it\n\nRun `x.sh`.",
        "Use `np.save`, e.g. as in scikit.learn, v1.2 or arxiv.org, with `data/outputs` as folder.",
        "Write to `/workspace/data/outputs`:\n\n```\npredictions.csv\n```",
    ],
)
def test_what_is_no_output_that_has_to_be_read(good: Good, text: str) -> None:
    add(good, "Task", text)
    assert found(good) == {}


@pytest.mark.parametrize(
    "code",
    [
        '(outputs / "more.json").exists()',
        'open(f"{outputs}/more.json")',
        'open(os.path.join(outputs, "more.json"))',
        'open(str(outputs) + "/more.json")',
        'Path("data/outputs/more.json").exists()',
        '[(outputs / f"{name}.json") for name in ["more"]]',
        '[(outputs / "{}.json".format(name)) for name in ["more"]]',
        '[outputs / ("%s.json" % name) for name in ["more"]]',
        '[(outputs / name).with_suffix(".json") for name in ["more"]]',
        'outputs.glob("*.json")',
        '[outputs / name for name in ("more.json",)]',
    ],
)
def test_ways_to_read_an_output(good: Good, code: str) -> None:
    add(good, "Task", "Write `more.json` to `/workspace/data/outputs`, too.")
    good.edit(evaluation(good), "        truth = ", f"        {code}\n        truth = ")
    assert found(good) == {}


def test_a_message_about_a_file_does_not_read_it(good: Good) -> None:
    add(good, "Task", "Write `more.json` to `/workspace/data/outputs`, too.")
    good.edit(evaluation(good), "        truth = ", '        _ = "more.json is missing"\n        truth = ')
    assert one(good, "IB208", "more.json")
    good.edit(evaluation(good), '_ = "more.json is missing"', '_ = references / "more.json"')
    assert one(good, "IB208", "more.json")


def test_an_evaluator_that_lists_outputs_may_read_any(good: Good) -> None:
    add(good, "Task", "Write `more.json` to `/workspace/data/outputs`, too.")
    good.edit(evaluation(good), "        truth = ", "        list(outputs.iterdir())\n        truth = ")
    assert found(good) == {}
    assert good.skipped("IB208") == "the evaluator looks through its folders, so any file may be read"
    good.edit(evaluation(good), "outputs.iterdir()", "references.iterdir()")
    assert one(good, "IB208", "more.json")


@pytest.mark.parametrize(
    "code",
    [
        '(outputs / "more.json").exists()',
        'Path("data/outputs/more.json").exists()',
        'Path("evaluations/toy/data/outputs/more.json").exists()',
        'open(f"{outputs}/more.json")',
        'open(str(outputs) + "/more.json")',
        'self.folder = outputs; open(self.folder / "more.json")',
    ],
)
def test_an_output_that_the_description_does_not_name(good: Good, code: str) -> None:
    good.edit(evaluation(good), "        truth = ", f"        {code}\n        truth = ")
    finding = only(good, "IB209")
    lines = evaluation(good).read_text("utf-8").split("\n")
    assert finding.message == "reads more.json, an output that is not in the description"
    assert finding.file == "evaluations/toy/task/evaluation.py"
    assert finding.line
    assert "more.json" in lines[finding.line - 1]
    add(good, "Task", "A `more.json` is read as well.")
    assert found(good) == {}


def test_outputs_by_a_pattern_that_the_description_does_not_name(good: Good) -> None:
    code = '[outputs / f"part_{i}.json" for i in range(3)]'
    good.edit(evaluation(good), "        truth = ", f"        {code}\n        truth = ")
    assert only(good, "IB209").message == "reads part_*.json, an output that is not in the description"
    add(good, "Task", "Write `/workspace/data/outputs/part_<i>.json`.")
    assert found(good) == {}


def test_samples_tell_what_is_an_output(good: Good) -> None:
    code = 'NAMES = ("more.json", "truth.csv")'
    good.edit(evaluation(good), "class TaskBenchmark", f"{code}\n\n\nclass TaskBenchmark")
    assert found(good) == {}
    (good.evaluations / "data" / "outputs" / "more.json").write_text("{}")
    assert only(good, "IB209").message == "reads more.json, an output that is not in the description"


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("def (:\n", "evaluation.py is not Python that can be parsed"),
        ("import sys\nsys.exit()\n", "the evaluator has no run_1"),
        ("# nothing\n", "the evaluator has no run_1"),
    ],
)
def test_outputs_of_an_evaluator_that_is_none(good: Good, code: str, reason: str) -> None:
    evaluation(good).write_text(code)
    assert found(good) == {}
    assert (good.skipped("IB208"), good.skipped("IB209")) == (reason, reason)


@pytest.mark.parametrize("name", ["psnr", "rmse2", "mse", "r"])
def test_a_metric_that_is_not_named(good: Good, name: str) -> None:
    manifest(good, "name: rmse", f"name: {name}")
    message = one(good, "IB210", "## Evaluation")
    assert message == f"Evaluation does not name the metric '{name}' of task.yaml"


def test_a_metric_that_is_named_elsewhere(good: Good) -> None:
    manifest(good, "name: rmse", "name: psnr")
    add(good, "Data", "psnr")
    assert one(good, "IB210", "## Evaluation").endswith("'psnr' of task.yaml")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("exact_match", "The Exact Match of all."),
        ("f1", "**F1s** count."),
        ("bleu_4", "BLEU-4"),
        ("pass@1", "`pass@1`"),
        ("%", "in %"),
    ],
)
def test_ways_to_name_a_metric(good: Good, name: str, text: str) -> None:
    manifest(good, "name: rmse", f"name: '{name}'")
    add(good, "Evaluation", text)
    assert found(good) == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "Viewing the hint costs 20 points.",
            "viewing the hint costs 20 points here and 10 points in task.yaml (hint.penalty)",
        ),
        (
            "The hint is free.",
            "viewing the hint costs 0 points here and 10 points in task.yaml (hint.penalty)",
        ),
        (
            "If you view the hint, one point is deducted.",
            "viewing the hint costs 1 point here and 10 points in task.yaml (hint.penalty)",
        ),
        (
            "With the hint, 70 points are easy. It has a penalty: the hint costs 12.5 points.",
            "viewing the hint costs 12.5 points here and 10 points in task.yaml (hint.penalty)",
        ),
    ],
)
def test_a_price_of_the_hint_that_differs(good: Good, text: str, message: str) -> None:
    good.edit(good.description, HINT, text)
    assert one(good, "IB211", text.split(".", maxsplit=1)[0]) == message


@pytest.mark.parametrize(
    "text",
    [
        "Viewing the hint costs 10 points.",
        "Ten points are deducted for viewing the hint.",
        "There is a hint; a 10-point penalty is the price of the hint.",
        "Hint penalty: 10",
        "Viewing `hint.md` lowers the score by 10 points.",
        "| what | points |\n| --- | --- |\n| viewing the hint | -10 points |",
        "Viewing the hint\ncosts\n10 points",
    ],
)
def test_ways_to_give_the_price_of_the_hint(good: Good, text: str) -> None:
    good.edit(good.description, HINT, f"\n\n{text}")
    assert found(good) == {}


@pytest.mark.parametrize(
    "text", ["", "There is a hint.", "Viewing the hint costs points.", "Viewing it costs 10 points."]
)
def test_no_price_of_the_hint(good: Good, text: str) -> None:
    good.edit(good.description, HINT, text)
    assert one(good, "IB211", None) == "does not say how many points viewing the hint costs"
    assert only(good, "IB211").remedy == "write 'Viewing the hint costs 10 points.' under Evaluation"


def test_a_price_that_task_yaml_does_not_give(good: Good) -> None:
    manifest(good, "hint:\n  penalty: 10\n", "")
    message = one(good, "IB211", HINT)
    assert message == "viewing the hint costs 10 points here and 0 points in task.yaml (hint.penalty)"


def test_a_price_for_a_hint_that_is_not_there(good: Good) -> None:
    (good.evaluations / "hint.md").unlink()
    assert only(good, "IB103").message == "hint: there is no hint.md"
    manifest(good, "hint:\n  penalty: 10\n", "")
    assert one(good, "IB211", HINT) == "offers a hint for 10 points, but there is no hint.md"
    good.edit(good.description, HINT, "There is no hint.")
    assert found(good) == {}


def test_words_of_the_hint(good: Good) -> None:
    add(good, "Task", "Weigh them: predict a *weighted mean* of all\ntraining values, or so.")
    message = one(good, "IB212", "Weigh them")
    assert message == "repeats 8 words of hint.md in runs of 6 or more"


def test_words_of_the_hint_in_a_comment_are_read_as_well(good: Good) -> None:
    add(good, "Task", "<!-- predict a weighted mean of all training values -->")
    assert one(good, "IB212", "weighted mean").startswith("repeats 8 words of hint.md")


def test_much_of_the_hint_in_other_words(good: Good) -> None:
    text = "A weighted mean of the values, with weights that drop; the width h that predicts others best."
    text += " Validation: leave one out of each training value. Such weights fall with the distance, as said."
    add(good, "Task", text)
    message = one(good, "IB212", "A weighted mean")
    assert re.fullmatch(r"holds \d\d% of hint\.md, in runs of 3 words", message), message


def test_a_short_hint_counts_as_a_whole(good: Good) -> None:
    (good.evaluations / "hint.md").write_text("Kernel smoothing helps.\n")
    assert found(good) == {}
    add(good, "Data", "They say kernel smoothing helps here.")
    assert one(good, "IB212", "kernel") == "repeats 3 words of hint.md in runs of 3 or more"


def test_titles_may_be_quoted(good: Good) -> None:
    title = "Kernel Smoothing of Curves Nobody Knows the Form of"
    (good.evaluations / "hint.md").write_text(f"See {title}, and choose the width with care.\n")
    add(good, "Motivation", f"The question is that of {title}.")
    assert one(good, "IB212", title).startswith("repeats 9 words of hint.md")
    file = good.evaluations / "task.yaml"
    file.write_text(re.sub("(?m)^title: .*$", f"title: {title}", file.read_text("utf-8")), "utf-8")
    assert found(good) == {}


def test_common_words_are_no_hint(good: Good) -> None:
    (good.evaluations / "hint.md").write_text("Do it as if it was to be one of the ones you like most.\n")
    add(good, "Task", "Do it as if it was to be fun.")
    assert found(good) == {}


@pytest.mark.parametrize(
    "path",
    [
        "evaluations/toy/task/evaluation.py",
        "`evaluations/toy/data/references`",
        "../evaluations/toy/",
        "/bench/evaluations/toy",
        "/workspace/evaluations/x",
        "evaluations/${task_name}/hint",
        "evaluations/<task>/data",
        "<!-- evaluations/x -->",
        "[here](../../../evaluations/x)",
        "this:\n\n```\nls ./evaluations/toy\n```",
    ],
)
def test_paths_into_hidden_folders(good: Good, path: str) -> None:
    add(good, "Evaluation", f"See {path}")
    message = one(good, "IB213", "evaluations/")
    assert message.endswith(" is a path into evaluations/")


def test_the_full_stop_of_a_sentence_is_no_part_of_a_path(good: Good) -> None:
    add(good, "Evaluation", "See evaluations/toy/data.")
    assert one(good, "IB213", "evaluations/") == "evaluations/toy/data is a path into evaluations/"


@pytest.mark.parametrize("part", ["z", "a_", "a.", " ", "%", "`", "a.csv ", "1 h ", "80 GB "])
def test_a_line_that_is_hostile_takes_no_longer_than_others(good: Good, part: str) -> None:
    add(good, "Constraint", part * ((150_000 if len(part) < 3 else 30_000) // len(part)))
    started = time.process_time()
    results = [check(rule, good.subject()) for rule in description.RULES]
    assert time.process_time() - started < 10  # seconds; it was minutes
    assert not any("the rule itself failed" in one.message for done in results for one in done.findings)


@pytest.mark.parametrize(
    "text",
    ["task/repositories/x/evaluations/run.py", "evaluations and more", "my_evaluations/x", "evaluation/x"],
)
def test_paths_that_are_the_agents_own(good: Good, text: str) -> None:
    add(good, "Evaluation", f"See `{text}`")
    assert found(good) == {}


def test_a_folder_of_the_agents_may_be_called_evaluations(good: Good) -> None:
    (good.gym / "evaluations").mkdir()
    add(good, "Evaluation", "See `evaluations/run.py`.")
    assert found(good) == {}


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe# \0T\0", b"# Task \xe9\n", b"# Task\0\n"])
def test_a_description_that_cannot_be_read_breaks_rules_on_layout_alone(good: Good, content: bytes) -> None:
    good.description.write_bytes(content)
    assert list(found(good)) == ["IB102"]
    for rule in description.RULES:
        assert good.skipped(rule) == "there is no description that can be read"


@pytest.mark.parametrize(
    "content", [b"limits: 3\n", b"hint: [\n", b"metrics: {a: b}\nhint: x\nresources: []\n"]
)
def test_a_manifest_that_cannot_be_used_breaks_one_rule_alone(good: Good, content: bytes) -> None:
    (good.evaluations / "task.yaml").write_bytes(content)
    assert set(found(good)) <= {"IB103", "IB211"}


def test_a_long_description_takes_little_time(good: Good) -> None:
    with good.description.open("a") as file:
        file.write("\nThe file `a.csv` and 8 x 80 GB in data/outputs/b take 2 hours of training.\n" * 5_000)
    started = time.perf_counter()
    with examined(good.root, TASK, Options()) as subject:
        findings: list[Finding] = [one for rule in description.RULES for one in check(rule, subject).findings]
    assert time.perf_counter() - started < 10
    assert not any("the rule itself failed" in finding.message for finding in findings)
