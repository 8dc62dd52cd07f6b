from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

import pytest

from pytest_innovatorbench.authoring.calibration.survey import Survey, rows_so_far, survey
from pytest_innovatorbench.authoring.findings import NotCheckedError

if TYPE_CHECKING:
    from tests.unit.authoring.good import Good

CURVE = "ScoreCurve(baseline=0.78, reference=0.10, ceiling=0.05)"


def surveyed(good: Good, *, seeds: int = 0, attacks: bool = False) -> Survey:
    return survey(good.subject(), seeds=seeds, attacks=attacks)


def verdicts(found: Survey) -> dict[str, str]:
    return {row.name: row.verdict for row in found.rows}


def test_everything_is_tried_from_the_worst_to_the_best(good: Good) -> None:
    said: list[str] = []
    found = survey(good.subject(), seeds=2, attacks=True, say=said.append)
    kinds = [row.kind for row in found.rows]
    assert kinds[:6] == ["baseline", "reference", "permuted", "permuted", "oracle", "oracle"]
    assert set(kinds[6:]) == {"attack"}
    assert found.is_fine, [row for row in found.rows if not row.is_fine]
    assert found.metrics == ["rmse"]
    assert found.proposals == ()
    assert {row.name: row.score for row in found.rows}["baseline"] == 0
    assert 70 <= (found.rows[1].score or 0) <= 80
    assert found.rows[1].metrics["rmse"] == pytest.approx(0.102, abs=0.001)
    assert said[:2] == ["evaluating the task's submissions", "running the oracle"]
    assert "attacking: IB601" in said


def test_an_attack_that_pays_is_the_row_of_its_kind(good: Good) -> None:
    good.edit(good.evaluations / "task/evaluation.py", CURVE, "ScoreCurve(baseline=0.78, reference=0.30)")
    found = surveyed(good, attacks=True)
    row = next(row for row in found.rows if row.name.startswith("IB606"))
    assert not row.is_fine
    assert re.search(r"everywhere in predictions\.csv earned \d+\.\d points", row.verdict)
    assert not found.is_fine


@pytest.mark.parametrize(
    ("broken", "name", "verdict"),
    [
        ("ScoreCurve(baseline=0.78, reference=0.30, ceiling=0.05)", "reference", "above 80"),
        ("ScoreCurve(baseline=0.78, reference=0.001, ceiling=0.0001)", "reference", "below 70"),
        ("ScoreCurve(baseline=1.5, reference=0.10, ceiling=0.05)", "baseline", "above 5"),
    ],
)
def test_a_proposal_brings_both_into_their_bands(good: Good, broken: str, name: str, verdict: str) -> None:
    evaluation = good.evaluations / "task/evaluation.py"
    good.edit(evaluation, CURVE, broken)
    found = surveyed(good)
    assert verdicts(found)[name] == verdict
    (proposal,) = found.proposals
    assert proposal.is_measured
    text = evaluation.read_text("utf-8")
    evaluation.write_text(re.sub(r"ScoreCurve\(baseline=[^)]*\)", proposal.code, text), "utf-8")
    mended = surveyed(good)
    assert verdicts(mended) == {**verdicts(mended), "baseline": "in band", "reference": "in band"}
    assert mended.rows[1].score == pytest.approx(proposal.reference)
    assert mended.proposals == ()


def test_what_is_missing_is_a_row(good: Good) -> None:
    shutil.rmtree(good.evaluations / "data/baselines")
    shutil.rmtree(good.evaluations / "data/outputs")
    (good.evaluations / "solution/run.sh").write_text("exit 3\n")
    found = surveyed(good)
    assert [(row.name, row.verdict, row.score) for row in found.rows] == [
        ("baseline", "missing: data/baselines", None),
        ("reference", found.rows[1].verdict, None),
    ]
    assert found.rows[1].verdict.startswith("missing: ")
    assert not found.is_fine


def test_intermediates_rise_or_are_off(good: Good) -> None:
    outputs = good.evaluations / "data"
    for name, source in (("1-low", "outputs"), ("2-high", "baselines")):
        shutil.copytree(outputs / source, outputs / "intermediates" / name)
    found = verdicts(surveyed(good))
    assert found["intermediate 1-low"] == "rises"
    assert found["intermediate 2-high"] == "not above the one before"


def test_a_crash_has_no_score_and_says_why(good: Good) -> None:
    good.edit(
        good.evaluations / "task/evaluation.py",
        "        outputs = Path(",
        "        raise KeyError('x')\n        outputs = Path(",
    )
    found = surveyed(good, seeds=1)
    assert verdicts(found)["reference"].startswith("no score: evaluator raised KeyError in run_1")
    assert {row.score for row in found.rows} == {None}


def test_a_task_that_cannot_be_loaded_is_not_surveyed(good: Good) -> None:
    (good.evaluations / "task.yaml").write_text("title: [\n")
    with pytest.raises(NotCheckedError, match="the task cannot be loaded"):
        surveyed(good)


def test_rows_so_far_evaluate_nothing(good: Good) -> None:
    subject = good.subject()
    assert rows_so_far(subject) == ()
    found = survey(subject, seeds=0, attacks=False)
    assert rows_so_far(subject) == tuple(found.rows)
