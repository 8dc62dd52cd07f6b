"""Rules on agents: oracle, baseline and nop score what they should, every time, with room to spare."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_innovatorbench.authoring.calibration.attempts import worst_trouble
from pytest_innovatorbench.authoring.calibration.bands import REFERENCE_BAND
from pytest_innovatorbench.authoring.calibration.samples import samples_of
from pytest_innovatorbench.authoring.findings import Finding, NotCheckedError
from pytest_innovatorbench.authoring.model import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_innovatorbench.authoring.calibration.attempts import AgentTrial
    from pytest_innovatorbench.authoring.calibration.samples import Samples
    from pytest_innovatorbench.authoring.subject import Subject

MOST_SPREAD = 1e-6  # points, of what has no chance in it
MOST_USED = 0.5  # of the working time
_NOTHING_TO_DO = "for your information: there is nothing to mend"


def _steady(subject: Subject) -> Iterator[Finding]:
    samples = samples_of(subject)
    for agent, trials in samples.repeated.items():
        scores = [trial.score for trial in trials if trial.score is not None]
        if not scores or trials[0].score is None:
            continue  # other rules say so
        if len(scores) < len(trials):
            yield Finding(message=f"{agent}: {len(trials) - len(scores)} of {len(trials)} attempts failed")
        elif agent == "oracle":
            yield from _off_band(subject, scores)
        elif max(scores) - min(scores) > MOST_SPREAD:
            yield Finding(
                message=f"{agent} scores {_range(scores)}, though it submits the same every time",
                file=subject.shown(subject.evaluations / "task" / "evaluation.py"),
                remedy="take chance and time out of the evaluator",
            )
        yield Finding(message=_summary(agent, trials, scores), severity="note", remedy=_NOTHING_TO_DO)


def _off_band(subject: Subject, scores: Sequence[float]) -> Iterator[Finding]:
    off = sum(not REFERENCE_BAND.holds(score) for score in scores)
    # One that misses it with the first seed is a finding of the rule on the oracle.
    if off and REFERENCE_BAND.holds(scores[0]):
        yield Finding(
            message=f"oracle scores {_range(scores)}: {off} of {len(scores)} seeds are not within "
            f"{REFERENCE_BAND}",
            file=subject.shown(samples_of(subject).task.solution),
        )


def _summary(agent: str, trials: Sequence[AgentTrial], scores: Sequence[float]) -> str:
    longest = max(trial.result.seconds for trial in trials)
    return (
        f"{agent}: {_range(scores)} over {len(trials)} seeds, at most {longest:.1f} s "
        f"of {trials[0].allowed:.0f} s"
    )


def _range(scores: Sequence[float]) -> str:
    low, high = f"{min(scores):.1f}", f"{max(scores):.1f}"
    return low if low == high else f"{low} to {high}"


def _room(subject: Subject) -> Iterator[Finding]:
    samples = samples_of(subject)
    for trial in samples.repeated["oracle"]:
        used = trial.result.seconds / trial.allowed
        if used > MOST_USED:
            yield Finding(
                message=f"the oracle worked {trial.result.seconds:.0f} s with seed {trial.result.seed}, "
                f"{used:.0%} of the working time of {trial.allowed:.0f} s",
                file=subject.shown(subject.evaluations / "task.yaml"),
            )
            return


def _idle(subject: Subject) -> Iterator[Finding]:
    samples = samples_of(subject)
    trials = samples.repeated["nop"]
    empty = subject.scratch / "empty"
    empty.mkdir(exist_ok=True)
    evaluation = subject.trials.of(empty).evaluation
    if evaluation.score is None or evaluation.score > 0:
        raise NotCheckedError("the evaluator does not give 0 to missing outputs")
    troubled = worst_trouble(trials)
    if troubled is not None and troubled.is_machine_fault:
        raise NotCheckedError(f"nop could not be run here: {troubled.trouble}")
    if troubled is not None:
        yield Finding(message=f"nop fails: {troubled.trouble}")
        return
    best = max(trial.score or 0.0 for trial in trials)
    if best > 0:
        yield Finding(
            message=f"nop scores {best:.1f} for a workspace that nobody touched",
            file=subject.shown(subject.gym),
        )


def _oracle(subject: Subject) -> Iterator[Finding]:
    samples = samples_of(subject)
    trial = samples.repeated["oracle"][0]
    if not samples.has_solution:
        raise NotCheckedError("there is no solution/run.sh")
    if samples.made is not None:
        raise NotCheckedError("what the solution makes is the reference, on which there are other rules")
    if trial.trouble and trial.is_machine_fault:
        raise NotCheckedError(f"the solution could not be run here: {trial.trouble}")
    file = subject.shown(samples.task.solution / "run.sh")
    if trial.trouble:
        yield Finding(message=f"the solution fails: {trial.trouble}", file=file)
        return
    _check_reference(samples)
    if trial.score is not None and not REFERENCE_BAND.holds(trial.score):
        yield Finding(message=f"the solution scores {trial.score:.1f}, not {REFERENCE_BAND}", file=file)


def _check_reference(samples: Samples) -> None:
    """Leave it to the rule on the reference to say that no good submission reaches the band."""
    if not REFERENCE_BAND.holds(samples.score("reference")):
        raise NotCheckedError("the reference submission misses the band as well")


RULES = (
    Rule(
        code="IB409",
        name="steady-scores",
        summary="The oracle is in its band with every seed; baseline and nop score the same every time.",
        why="A score that changes by chance says little of the agent. The note shows the spread.",
        remedy="make the solution and the evaluator depend on the seed alone, or choose a steadier metric",
        check=_steady,
        cost="evaluations",
    ),
    Rule(
        code="IB410",
        name="room",
        summary="The oracle needs at most half of the working time.",
        why="An agent has to find out first what the solution knows, and other machines are slower.",
        remedy="raise limits.working_hours, or make the solution faster",
        check=_room,
        severity="warning",
        cost="evaluations",
    ),
    Rule(
        code="IB411",
        name="nop-score",
        summary="Who does nothing scores 0.",
        why="Outputs that lie in the workspace from the start are points for nobody's work.",
        remedy="take what the evaluator reads out of gym/<task>/data/outputs",
        check=_idle,
        cost="evaluations",
    ),
    Rule(
        code="IB412",
        name="oracle-score",
        summary="The solution runs, and what it submits scores 70 to 80.",
        why="A solution that can be run shows that the task can be solved with what an agent is given.",
        remedy="mend the solution; pytest --ibench-agent=oracle --ibench-task=<task> keeps its record",
        check=_oracle,
        cost="evaluations",
    ),
)
