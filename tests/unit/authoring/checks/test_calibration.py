"""A good task keeps the rules on calibration; broken in one place, it gets that code and no other of them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pytest_innovatorbench.authoring.checks.calibration import RULES
from pytest_innovatorbench.authoring.findings import Finding, Options
from pytest_innovatorbench.authoring.validation import check
from tests.unit.authoring.checks.calibration_mutations import (
    MUTATIONS,
    REPEAT,
    evaluator,
    manifest,
    pay,
    solve,
)
from tests.unit.authoring.good import Good
from tests.unit.authoring.mutation import Mutation


def found(good: Good, options: Options = REPEAT) -> dict[str, list[Finding]]:
    """Return what all rules on calibration find in one examination, notes apart."""
    subject = good.subject(options)
    results = {rule.code: check(rule, subject).findings for rule in RULES}
    sound = {code: [one for one in findings if one.severity != "note"] for code, findings in results.items()}
    return {code: findings for code, findings in sound.items() if findings}


def skipped(good: Good, options: Options = REPEAT) -> dict[str, str]:
    """Return why rules are not checked, by their codes."""
    subject = good.subject(options)
    return {rule.code: reason for rule in RULES if (reason := check(rule, subject).skipped)}


def only(good: Good, code: str, options: Options | None = None) -> Finding:
    """Return the one finding there is."""
    findings = found(good, options or Options())
    assert list(findings) == [code], findings
    (finding,) = findings[code]
    return finding


def test_a_good_task(good: Good) -> None:
    assert found(good) == {}
    assert skipped(good) == {}
    steady = good.findings("IB409", REPEAT)
    assert {finding.remedy for finding in steady} == {"for your information: there is nothing to mend"}
    notes = [finding.message.partition(" over ")[0] for finding in steady]
    assert notes == ["oracle: 79.8", "baseline: 0.0", "nop: 0.0"]


def test_agents_are_run_when_that_is_asked_for(good: Good) -> None:
    said = "agents were not run (--repeat)"
    assert skipped(good, Options()) == dict.fromkeys(("IB409", "IB410", "IB411", "IB412"), said)


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.code)
def test_a_task_that_is_broken_in_one_place(good: Good, mutation: Mutation) -> None:
    mutation.change(good)
    findings = found(good, mutation.options)
    assert list(findings) == [mutation.code], findings
    assert findings[mutation.code][0].message.startswith(mutation.said)


def test_every_rule_has_a_mutation() -> None:
    assert [mutation.code for mutation in MUTATIONS] == [rule.code for rule in RULES]


def test_a_reference_that_the_solution_makes(good: Good) -> None:
    shutil.rmtree(good.evaluations / "data" / "outputs")
    assert found(good) == {}
    assert (
        skipped(good)["IB412"] == "what the solution makes is the reference, on which there are other rules"
    )


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("true", "it wrote no file into /workspace/data/outputs"),
        ("echo 'no luck' >&2; exit 3", "the agent's program ended with status 3"),
    ],
)
def test_a_solution_that_makes_no_reference(good: Good, script: str, why: str) -> None:
    shutil.rmtree(good.evaluations / "data" / "outputs")
    solve(good, script)
    finding = only(good, "IB401")
    assert finding.message.startswith(f"there is no data/outputs, and the solution made none: {why}")
    assert finding.file == "evaluations/toy/data/outputs"


def test_a_solution_that_fails_beside_a_reference(good: Good) -> None:
    solve(good, "exit 3")
    finding = only(good, "IB412", REPEAT)
    assert finding.message.startswith("the solution fails: the agent's program ended with status 3")
    assert finding.file == "evaluations/toy/solution/run.sh"


def test_a_folder_with_nothing_but_a_keeper_is_no_submission(good: Good) -> None:
    folder = good.evaluations / "data" / "baselines"
    (folder / "predictions.csv").unlink()
    (folder / ".gitkeep").touch()
    assert only(good, "IB402").file == "evaluations/toy/data/baselines"


def test_a_submission_behind_a_link_is_none(good: Good, tmp_path: Path) -> None:
    folder = good.evaluations / "data" / "baselines"
    folder.rename(tmp_path / "elsewhere")
    folder.symlink_to(tmp_path / "elsewhere")
    assert only(good, "IB402").message == "there is no file in data/baselines"


def test_a_baseline_that_crashes_the_evaluator(good: Good) -> None:
    pay(good, "1 / 0 if rmse > 0.7 else RMSE(rmse)")
    (good.evaluations / "data" / "outputs" / "notes.txt").write_text(
        "some records permuted are worse as well"
    )
    finding = found(good, Options())["IB404"][0]
    assert finding.message.startswith(
        "the baseline has no score: evaluator raised ZeroDivisionError in run_1"
    )


@pytest.mark.parametrize(("rmse", "code"), [("rmse < 0.7", "IB403"), ("rmse > 0.7", "IB404")])
def test_a_sample_that_counts_as_cheating(good: Good, rmse: str, code: str) -> None:
    good.edit(
        evaluator(good), '"rmse": rmse', f'"rmse": rmse, "violation": "it is copied" if {rmse} else None'
    )
    findings = found(good, Options())
    which = "reference" if code == "IB403" else "baseline"
    assert findings[code][0].message == f"the {which} counts as cheating: it is copied"


def test_the_curve_is_named_where_a_band_is_missed(good: Good) -> None:
    good.edit(evaluator(good), "reference=0.10", "reference=0.30")
    finding = only(good, "IB403")
    line = evaluator(good).read_text("utf-8").split("\n")[(finding.line or 0) - 1]
    assert line.startswith("RMSE = ScoreCurve(baseline=0.78, reference=0.30")
    assert finding.remedy == "ibench calibrate toy proposes anchors for score curves"


def test_a_reference_above_the_scale(good: Good) -> None:
    pay(good, "RMSE(rmse) * 2")
    findings = found(good, Options())
    assert list(findings) == ["IB403", "IB408"]
    assert findings["IB403"][0].message.startswith("the reference scores 100.0, not 70-80")
    assert findings["IB408"][0].message == "reference: the evaluator gives 159.5, which is cut to 0-100"


def test_a_metric_that_is_worse_than_the_baselines(good: Good) -> None:
    good.edit(evaluator(good), '"rmse": rmse', '"rmse": 0.88 - rmse')
    findings = found(good, Options())
    assert list(findings) == ["IB405", "IB413"]
    assert findings["IB405"][0].message.startswith("rmse: baseline 0.0992")
    assert findings["IB405"][0].message.endswith("(measured) are -87.2% apart, less than 5%")
    line = manifest(good).read_text("utf-8").split("\n")[(findings["IB405"][0].line or 0) - 1]
    assert line == "  - name: rmse"


def test_a_metric_that_the_evaluator_does_not_return(good: Good) -> None:
    good.edit(manifest(good), "name: rmse", "name: other")
    assert found(good, Options()) == {}
    said = skipped(good, Options())
    assert said["IB413"] == "the evaluator returns no number under the name of a metric"


def test_a_task_without_metrics(good: Good) -> None:
    text = manifest(good).read_text("utf-8")
    manifest(good).write_text(text[: text.index("metrics:")])
    said = skipped(good, Options())
    assert (said["IB405"], said["IB413"]) == ("task.yaml states no metrics",) * 2
    assert found(good, Options()) == {}


def test_intermediates_that_rise(good: Good) -> None:
    rough(good, "1_half", 0.7)
    rough(good, "2_most", 0.85)
    assert found(good, Options()) == {}
    (good.evaluations / "data" / "intermediates" / "1_half").rename(
        good.evaluations / "data" / "intermediates" / "3_half"
    )
    assert only(good, "IB406").message.startswith("intermediate 3_half scores ")


def test_an_intermediate_without_a_score(good: Good) -> None:
    rough(good, "1_half", 0.7)
    pay(good, "1 / 0 if (outputs / 'crash').exists() else RMSE(rmse)")
    (good.evaluations / "data" / "intermediates" / "1_half" / "crash").touch()
    finding = only(good, "IB406")
    assert finding.message.startswith("intermediate 1_half has no score: evaluator raised ZeroDivisionError")
    assert finding.file == "evaluations/toy/data/intermediates/1_half"


def rough(good: Good, name: str, share: float) -> None:
    """Add an intermediate submission, the reference drawn towards 0."""
    data = good.evaluations / "data"
    folder = data / "intermediates" / name
    folder.mkdir(parents=True)
    header, *lines = (data / "outputs" / "predictions.csv").read_text("utf-8").splitlines()
    pairs = [line.split(",") for line in lines]
    drawn = [f"{key},{float(y) * share:.4f}" for key, y in pairs]
    (folder / "predictions.csv").write_text("\n".join([header, *drawn]) + "\n")


def test_a_score_that_rises_again(good: Good) -> None:
    pay(good, "RMSE(rmse) if rmse < 0.9 else 60.0")
    finding = only(good, "IB407")
    assert finding.message.startswith(
        "the score rises again when records of predictions.csv have the answers"
    )


def test_an_evaluator_that_trips_over_permuted_records(good: Good) -> None:
    pay(good, "RMSE(rmse) if rmse < 0.9 else 1 / 0")
    finding = only(good, "IB407")
    assert finding.message.startswith(
        "the evaluator gives no score with 50 records of predictions.csv permuted"
    )


def test_a_submission_without_records_is_not_permuted(good: Good) -> None:
    for folder in ("outputs", "baselines"):
        file = good.evaluations / "data" / folder / "predictions.csv"
        file.rename(file.with_suffix(".dat"))
    good.edit(evaluator(good), '"predictions.csv"', '"predictions.dat"')
    assert skipped(good, Options())["IB407"] == "the reference submission has no table of records"
    assert found(good, Options()) == {}


def test_a_baseline_that_scores_by_chance(good: Good) -> None:
    good.edit(evaluator(good), "import math\n", "import math\nimport time\n")
    pay(good, "RMSE(rmse) or time.time_ns() % 1_000_000 / 250_000")
    finding = found(good, Options(repeat=3))["IB409"][0]
    assert finding.message.startswith("baseline scores ")
    assert finding.message.endswith(", though it submits the same every time")


def test_a_task_that_cannot_be_loaded(good: Good) -> None:
    manifest(good).write_text("domain: [\n")
    assert found(good) == {}
    assert set(skipped(good).values()) == {"the task cannot be loaded"}


@pytest.mark.parametrize("code", ["raise ValueError('no')", "import sys; sys.exit(3)", "def broken(:"])
def test_an_evaluator_that_cannot_be_imported_is_left_to_its_own_rules(good: Good, code: str) -> None:
    with evaluator(good).open("a") as file:
        file.write(f"{code}\n")
    assert found(good, Options()) == {}
    assert skipped(good, Options())["IB403"].startswith("the evaluator gives no score: evaluator ")
