"""Rules on the baseline and the reference: there are both, and their scores are where they should be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_innovatorbench.authoring.calibration.bands import BASELINE_BAND, REFERENCE_BAND, WHOLE_SCALE
from pytest_innovatorbench.authoring.calibration.samples import samples_of
from pytest_innovatorbench.authoring.findings import Finding, NotCheckedError
from pytest_innovatorbench.authoring.model import Rule
from pytest_innovatorbench.hostile import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_innovatorbench.authoring.calibration.bands import Band
    from pytest_innovatorbench.authoring.calibration.samples import Sample
    from pytest_innovatorbench.authoring.subject import Subject
    from pytest_innovatorbench.authoring.trials import Trial

_LONGEST = 200


def curve_line(subject: Subject) -> int | None:
    """Return the line of the evaluator with its first score curve, if it has one."""
    lines = subject.evaluator.split("\n")
    return next((number for number, line in enumerate(lines, 1) if "ScoreCurve(" in line), None)


def cheating(trial: Trial) -> str | None:
    """Return why a submission counts as cheating, if it does."""
    found = trial.evaluation.violation or trial.submission.violation
    return one_line(found, _LONGEST) if found else None


def _reference_exists(subject: Subject) -> Iterator[Finding]:
    samples = samples_of(subject)
    if samples.reference is not None:
        return
    file = subject.shown(samples.task.expected_outputs)
    if samples.made is None:
        yield Finding(message="there is neither a file in data/outputs nor a solution/run.sh", file=file)
        return
    if samples.made.is_machine_fault:
        raise NotCheckedError(f"the solution could not be run here: {samples.made.trouble}")
    why = samples.made.trouble or "it wrote no file into /workspace/data/outputs"
    yield Finding(message=f"there is no data/outputs, and the solution made none: {why}", file=file)


def _baseline_exists(subject: Subject) -> Iterator[Finding]:
    samples = samples_of(subject)
    if samples.baseline is None:
        yield Finding(
            message="there is no file in data/baselines", file=subject.shown(samples.task.baselines)
        )


def _reference_score(subject: Subject) -> Iterator[Finding]:
    samples = samples_of(subject)
    reference = samples.needed("reference")
    if samples.trial(reference).evaluation.score is None:
        raise NotCheckedError(f"the evaluator gives no score: {samples.trial(reference).evaluation.error}")
    yield from _off_band(subject, reference, REFERENCE_BAND)


def _baseline_score(subject: Subject) -> Iterator[Finding]:
    samples = samples_of(subject)
    baseline = samples.needed("baseline")
    evaluation = samples.trial(baseline).evaluation
    if evaluation.score is None:
        samples.score("reference")  # else all submissions fail alike, which rules on evaluators report
        if evaluation.fault == "machine":
            raise NotCheckedError(f"the baseline could not be evaluated: {evaluation.error}")
        yield Finding(message=f"the baseline has no score: {evaluation.error}", file=_evaluator_file(subject))
        return
    yield from _off_band(subject, baseline, BASELINE_BAND)


def _off_band(subject: Subject, sample: Sample, band: Band) -> Iterator[Finding]:
    trial = samples_of(subject).trial(sample)
    score = trial.evaluation.score
    if cheated := cheating(trial):
        yield Finding(
            message=f"the {sample.kind} counts as cheating: {cheated}", file=_evaluator_file(subject)
        )
    elif score is not None and not band.holds(score):
        said = one_line(trial.evaluation.message, _LONGEST)
        yield Finding(
            message=f"the {sample.kind} scores {score:.1f}, not {band}" + (f" ({said})" if said else ""),
            file=_evaluator_file(subject),
            line=curve_line(subject),
            remedy=f"ibench calibrate {subject.task_id} proposes anchors for score curves",
        )


def _within_scale(subject: Subject) -> Iterator[Finding]:
    samples = samples_of(subject)
    submissions = [(sample.name, sample.folder) for sample in samples.all]
    submissions += [(f"reference with {part.share:.0%} permuted", part.folder) for part in samples.permuted]
    if not submissions:
        raise NotCheckedError("there is no submission to evaluate")
    for name, folder in submissions:
        unclamped = samples.trials[folder].evaluation.unclamped
        if unclamped is not None and not WHOLE_SCALE.holds(unclamped):
            yield Finding(
                message=f"{name}: the evaluator gives {unclamped:.1f}, which is cut to {WHOLE_SCALE}",
                file=_evaluator_file(subject),
                line=curve_line(subject),
            )


def _evaluator_file(subject: Subject) -> str:
    return subject.shown(subject.evaluations / "task" / "evaluation.py")


RULES = (
    Rule(
        code="IB401",
        name="reference-submission",
        summary="There is a reference submission: files in data/outputs, or a solution that makes them.",
        why="Without a submission of the published method nobody knows what a good one scores.",
        remedy="put what the published method submits into data/outputs, or write solution/run.sh",
        check=_reference_exists,
        cost="evaluations",
    ),
    Rule(
        code="IB402",
        name="baseline-submission",
        summary="There is a baseline submission in data/baselines.",
        why="Without one nobody knows what doing nothing new scores.",
        remedy="put what a lazy agent would submit into data/baselines",
        check=_baseline_exists,
    ),
    Rule(
        code="IB403",
        name="reference-score",
        summary="The reference submission scores 70 to 80.",
        why="Scores of different tasks can be averaged only if the same score means the same achievement; "
        "the rest up to 100 is for work that is better than the published.",
        remedy="move the anchors of the score curve, or mend the reference submission",
        check=_reference_score,
        cost="evaluations",
    ),
    Rule(
        code="IB404",
        name="baseline-score",
        summary="The baseline submission scores 0 to 5.",
        why="Points are for progress. Whoever submits what was there before has made none.",
        remedy="move the baseline's anchor of the score curve to what the baseline reaches",
        check=_baseline_score,
        cost="evaluations",
    ),
    Rule(
        code="IB408",
        name="score-bounds",
        summary="No evaluation gives more than 100 points or less than 0 before the score is cut.",
        why="Beyond the bounds better submissions score the same, so the scale says nothing there.",
        remedy="use a curve that ends at 0 and 100, such as ScoreCurve",
        check=_within_scale,
        cost="evaluations",
    ),
)
