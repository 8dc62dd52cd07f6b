"""One mutation of the good task for each rule on calibration."""

from __future__ import annotations

import shutil
from pathlib import Path

from pytest_innovatorbench.authoring.findings import Options
from tests.unit.authoring.good import Good
from tests.unit.authoring.mutation import Mutation

RETURN = 'return {"score": RMSE(rmse), "error"'
CURVE = "ScoreCurve(baseline=0.78, reference=0.10, ceiling=0.05)"
REPEAT = Options(repeat=2)


def evaluator(good: Good) -> Path:
    return good.evaluations / "task" / "evaluation.py"


def manifest(good: Good) -> Path:
    return good.evaluations / "task.yaml"


def pay(good: Good, score: str) -> None:
    """Let the evaluator return another score."""
    good.edit(evaluator(good), RETURN, f'return {{"score": {score}, "error"')


def solve(good: Good, script: str) -> None:
    """Let a shell script be the solution."""
    (good.evaluations / "solution" / "run.sh").write_text(f"#!/bin/sh\nset -eu\n{script}\n")


def no_reference(good: Good) -> None:
    shutil.rmtree(good.evaluations / "data" / "outputs")
    shutil.rmtree(good.evaluations / "solution")


def no_baseline(good: Good) -> None:
    shutil.rmtree(good.evaluations / "data" / "baselines")


def easy_reference(good: Good) -> None:
    good.edit(evaluator(good), CURVE, CURVE.replace("0.10", "0.30"))


def paid_baseline(good: Good) -> None:
    good.edit(evaluator(good), CURVE, CURVE.replace("0.78", "1.20"))


def close_metrics(good: Good) -> None:
    good.edit(evaluator(good), '"rmse": rmse', '"rmse": 5 + rmse / 100')
    good.edit(manifest(good), "baseline: 0.78", "baseline: 5.01")
    good.edit(manifest(good), "reference: 0.10", "reference: 5.00")
    good.edit(manifest(good), "ceiling: 0.05", "ceiling: 4.99")


def good_intermediate(good: Good) -> None:
    data = good.evaluations / "data"
    shutil.copytree(data / "outputs", data / "intermediates" / "1_half_done")


def heap(good: Good) -> None:
    pay(good, "RMSE(0.102 if len(set(predictions.values())) > 9 else rmse)")


def below_zero(good: Good) -> None:
    pay(good, "RMSE(rmse) or -5.0")


def unsteady_solution(good: Good) -> None:
    solve(
        good,
        'python3 -B "$(dirname "$0")/solve.py"\n'
        '[ "$IBENCH_SEED" = 0 ] || sed -i "s/,.*/,0/; 1s/.*/id,y/" data/outputs/predictions.csv',
    )


def slow_solution(good: Good) -> None:
    good.edit(manifest(good), "working_hours: 48", "working_hours: 0.002")
    good.edit(good.description, "Working-time limit: 48 hours", "Working-time limit: 7.2 seconds")
    solve(good, 'python3 -B "$(dirname "$0")/solve.py"\nsleep 4')


def given_outputs(good: Good) -> None:
    target = good.gym / "data" / "outputs"
    target.mkdir(parents=True, exist_ok=True)
    lines = (good.evaluations / "data" / "outputs" / "predictions.csv").read_text().splitlines()
    pairs = [line.split(",") for line in lines[1:]]
    rough = [f"{name},{float(y) * 0.9 + 0.031:.3f}\n" for name, y in pairs]
    (target / "predictions.csv").write_text("".join(["id,y\n", *rough]))


def poor_solution(good: Good) -> None:
    solve(good, 'sed "s/,.*/,0/; 1s/.*/id,y/" data/datasets/test.csv > data/outputs/predictions.csv')


def other_metric(good: Good) -> None:
    good.edit(manifest(good), "baseline: 0.78", "baseline: 0.4")


MUTATIONS = (
    Mutation(
        code="IB401",
        change=no_reference,
        said="there is neither a file in data/outputs nor a solution/run.sh",
    ),
    Mutation(
        code="IB402",
        change=no_baseline,
        said="there is no file in data/baselines",
        companions={"IB101": "a baseline belongs to the layout as well"},
    ),
    Mutation(
        code="IB403",
        change=easy_reference,
        said="the reference scores 95.8, not 70-80 (The RMSE is 0.1020.)",
    ),
    Mutation(
        code="IB404",
        change=paid_baseline,
        said="the baseline scores 30.5, not 0-5 (The RMSE is 0.7808.)",
    ),
    Mutation(
        code="IB405",
        change=close_metrics,
        said="rmse: baseline 5.00781 and reference 5.00102 (measured) are 0.1% apart, less than 5%",
    ),
    Mutation(
        code="IB406",
        change=good_intermediate,
        said="reference scores 79.8, no more than intermediate 1_half_done with 79.8",
    ),
    Mutation(
        code="IB407",
        change=heap,
        said="the score does not fall when records of predictions.csv have the answers of others (0%: 79.8, "
        "25%: 79.8, 100%: 79.8)",
    ),
    Mutation(
        code="IB408",
        change=below_zero,
        said="baseline: the evaluator gives -5.0, which is cut to 0-100",
    ),
    Mutation(
        code="IB409",
        change=unsteady_solution,
        said="oracle scores 4.0 to 79.8: 1 of 2 seeds are not within 70-80",
        options=REPEAT,
    ),
    Mutation(
        code="IB410",
        change=slow_solution,
        said="the oracle worked ",
        options=REPEAT,
    ),
    Mutation(
        code="IB411",
        change=given_outputs,
        said="nop scores ",
        options=REPEAT,
    ),
    Mutation(
        code="IB412",
        change=poor_solution,
        said="the solution scores 4.0, not 70-80",
        options=REPEAT,
    ),
    Mutation(
        code="IB413",
        change=other_metric,
        said="rmse: task.yaml states 0.4 for the baseline, the evaluator measures 0.7808",
    ),
)
