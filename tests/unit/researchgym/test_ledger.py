from __future__ import annotations

from typing import Any

from pytest_innovatorbench.researchgym.ledger import Ledger, Scored, read_ledger, replay


def evaluation(t: float, score: float | None, *, final: bool = False, **rest: Any) -> dict[str, Any]:
    return {"kind": "evaluation", "t": t, "score": score, "final": final, "violation": None, **rest}


def test_an_attempt_is_the_sum_of_its_events() -> None:
    ledger = replay(
        [
            {"kind": "prepared", "t": 0.0},
            {"kind": "action", "t": 1.0},
            evaluation(1.0, 40.0),
            {"kind": "action", "t": 2.0},
            {"kind": "hint", "t": 2.0, "penalty": 10.0},
            {"kind": "action", "t": 3.0},
            evaluation(3.0, 55.0),
            evaluation(4.0, 5.0, final=True),
        ]
    )
    assert (ledger.steps, ledger.evals, ledger.hints, ledger.penalty) == (3, 2, 1, 10.0)
    assert ledger.scores == (
        Scored(seconds=1.0, raw=40.0, net=40.0),
        Scored(seconds=3.0, raw=55.0, net=45.0),
        Scored(seconds=4.0, raw=5.0, net=0.0),
    )
    assert ledger.final == 0.0


def test_an_evaluation_that_failed_is_free_but_counted_as_failed() -> None:
    ledger = Ledger().after(evaluation(1.0, None, fault="evaluator", error="it hung"))
    assert (ledger.evals, ledger.faulty_evals, ledger.fault, ledger.scores) == (0, 1, None, ())


def test_only_the_final_evaluation_makes_an_attempt_unscoreable() -> None:
    ledger = replay(
        [evaluation(1.0, 50.0), evaluation(2.0, None, final=True, fault="machine", error="disk full")]
    )
    assert (ledger.final, ledger.fault, ledger.error) == (None, "machine", "disk full")
    assert ledger.scores[0].net == 50.0


def test_the_first_violation_is_kept() -> None:
    events = [
        evaluation(1.0, 1.0, violation="a"),
        evaluation(2.0, 2.0, violation="b"),
        evaluation(3.0, 3.0, final=True),
    ]
    assert replay(events).violation == "a"


def test_what_people_said_waits_until_it_was_heard() -> None:
    said = [{"kind": "human", "text": text} for text in "abc"]
    ledger = replay([*said[:2], {"kind": "heard", "count": 1}, said[2]])
    assert ledger.unheard == ("b", "c")
    assert read_ledger(ledger.to_dict()) == ledger
    earlier = {name: value for name, value in ledger.to_dict().items() if name != "unheard"}
    assert read_ledger(earlier).unheard == ()
