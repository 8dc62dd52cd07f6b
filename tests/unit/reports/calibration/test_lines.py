from __future__ import annotations

import pytest

from pytest_innovatorbench.authoring.calibration.proposals import Proposal
from pytest_innovatorbench.reports.calibration.lines import survey_lines
from tests.unit.reports.calibration.samples import PROPOSAL, ROWS, example


def test_table_scale_reasons_proposal_and_verdict() -> None:
    found = example(ROWS[0], ROWS[2], ROWS[3], proposals=(PROPOSAL,))
    assert survey_lines(found, width=84) == [
        "submission         score  uncut    rmse   time  verdict",
        "baseline             0.0         0.7808   0.1s  in band",
        "reference          100.0  104.2   0.102  1m01s  above 80",
        "IB616 of the task      -              -      -  not tried: nothing to make it from",
        "",
        "           0             20            40            60            80            100",
        "baseline  |o====............................................========..............|",
        "reference |=====............................................========.............X|",
        "",
        "reference: above 80",
        "",
        "proposed for rmse: ScoreCurve(baseline=0.78, reference=0.1, ceiling=0.05) - baseline",
        "  0.0, reference 79.8 (measured)",
        "",
        "toy: 1 of 3 are off",
    ]


@pytest.mark.parametrize("width", [20, 80, 120])
def test_names_of_strangers_are_cut_and_the_scale_fits(width: int) -> None:
    lines = survey_lines(example(*ROWS), width=width)
    assert all(line.isprintable() for line in lines)
    scale = [line for line in lines if line.endswith("|")]
    assert len(scale) == 3
    assert len({line.index("|") for line in scale}) == 1
    assert max(map(len, scale)) <= max(width, 70)


def test_a_calibrated_task_needs_no_reasons() -> None:
    lines = survey_lines(example(ROWS[0]))
    assert lines[-2:] == ["", "toy: in band"]
    assert "uncut" not in lines[0]


def test_a_proposal_that_rests_on_what_is_stated_says_so_and_none_says_why() -> None:
    stated = Proposal(name="acc", is_measured=False, curve=PROPOSAL.curve)
    none = Proposal(
        name="f1", is_measured=True, reason="the reference (1) is no better than the baseline (1)"
    )
    text = "\n".join(survey_lines(example(ROWS[2], proposals=(stated, none)), width=200))
    assert "(stated in task.yaml, as the evaluator returns none)" in text
    assert "no curve for f1: the reference (1) is no better than the baseline (1)" in text
    assert "The points are those of one metric; the score is what the evaluator makes of all." in text
