"""Everything a task can be tried with, and where it falls on the scale."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from pytest_innovatorbench.authoring.calibration.bands import BASELINE_BAND, REFERENCE_BAND
from pytest_innovatorbench.authoring.calibration.metrics import discover, find_value, measure
from pytest_innovatorbench.authoring.calibration.permutation import explain_unmoved
from pytest_innovatorbench.authoring.calibration.proposals import Proposal, propose
from pytest_innovatorbench.authoring.calibration.samples import evaluated_samples, samples_of
from pytest_innovatorbench.authoring.findings import NotCheckedError
from pytest_innovatorbench.hostile import one_line

if TYPE_CHECKING:
    from pytest_innovatorbench.authoring.attacks import Attack
    from pytest_innovatorbench.authoring.attacks.trying import Attempted
    from pytest_innovatorbench.authoring.calibration.attempts import AgentTrial
    from pytest_innovatorbench.authoring.calibration.bands import Band
    from pytest_innovatorbench.authoring.calibration.samples import Samples
    from pytest_innovatorbench.authoring.subject import Subject
    from pytest_innovatorbench.authoring.trials import Trial

Kind: TypeAlias = Literal["baseline", "intermediate", "permuted", "reference", "oracle", "attack"]
Say: TypeAlias = Callable[[str], None]

IN_BAND = "in band"
_LONGEST = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A submission and where it falls.

    Attributes:
        kind: What it stands for.
        name: What it is called, on one line.
        score: Its score, if it has one.
        unclamped: What the evaluator gave before it was cut to 0-100.
        metrics: What the evaluator measured, by the names in ``task.yaml``.
        seconds: How long the evaluation took; for the oracle, how long it worked.
        verdict: Where it falls, in a few words.
        is_fine: Whether it falls where it should.
    """

    kind: Kind
    name: str
    score: float | None = None
    unclamped: float | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    seconds: float | None = None
    verdict: str
    is_fine: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What a task's submissions score.

    Attributes:
        task_id: The task.
        metrics: Names of the metrics, as ``task.yaml`` states them or the evaluator returns them.
        rows: The submissions, from the worst to the best, then agents and attacks.
        proposals: A score curve for each metric, if baseline or reference miss their bands.
    """

    task_id: str
    metrics: Sequence[str]
    rows: Sequence[Row]
    proposals: Sequence[Proposal]

    @property
    def is_fine(self) -> bool:
        """Whether every submission falls where it should."""
        return all(row.is_fine for row in self.rows)


def survey(subject: Subject, *, seeds: int, attacks: bool, say: Say = lambda _: None) -> Survey:
    """Try everything on a task.

    Args:
        subject: The task.
        seeds: How often the oracle is run.
        attacks: Whether submissions are tried that nobody should be paid for.
        say: Told what is done.

    Raises:
        NotCheckedError: The task cannot be loaded, or nothing can be evaluated here.
    """
    samples = samples_of(subject)
    say("evaluating the task's submissions")
    measured = measure(samples) or discover(samples)
    names = [one.metric.name for one in measured]
    rows = list(_samples(samples, names))
    if seeds:
        say("running the oracle")
        rows += [_agent(trial, names) for trial in samples.run_agents(["oracle"], seeds, say)]
    has_missed = any(not row.is_fine for row in rows if row.kind in {"baseline", "reference"})
    if attacks:
        rows += _attacks(subject, names, say)
    return Survey(
        task_id=subject.task_id,
        metrics=names,
        rows=rows,
        proposals=[propose(one) for one in measured] if has_missed else (),
    )


def rows_so_far(subject: Subject) -> tuple[Row, ...]:
    """Return where submissions fall that rules had evaluated; nothing is evaluated for it."""
    samples = evaluated_samples(subject)
    if samples is None:
        return ()
    names = [one.metric.name for one in measure(samples) or discover(samples)]
    agents = samples.repeated["oracle"] if "repeated" in vars(samples) else ()
    return (*_samples(samples, names), *(_agent(trial, names) for trial in agents))


def _samples(samples: Samples, names: Sequence[str]) -> Iterator[Row]:
    if samples.baseline is None:
        yield Row(kind="baseline", name="baseline", verdict="missing: data/baselines", is_fine=False)
    last = -1.0
    for sample in samples.all:
        trial = samples.trial(sample)
        band = {"baseline": BASELINE_BAND, "reference": REFERENCE_BAND}.get(sample.kind)
        verdict, is_fine = _judge(trial, band, last)
        last = max(last, trial.evaluation.score or 0.0)
        yield _row(sample.kind, sample.name, trial, names, verdict, is_fine=is_fine)
    if samples.reference is None:
        made = samples.made
        why = made.trouble if made and made.trouble else "data/outputs"
        yield Row(
            kind="reference", name="reference", verdict=f"missing: {one_line(why, _LONGEST)}", is_fine=False
        )
    else:
        yield from _permuted(samples, names)


def _judge(trial: Trial, band: Band | None, least: float) -> tuple[str, bool]:
    evaluation = trial.evaluation
    if evaluation.score is None:
        return one_line(f"no score: {evaluation.error}", _LONGEST), False
    if violation := evaluation.violation or trial.submission.violation:
        return one_line(f"cheating: {violation}", _LONGEST), False
    if band is not None:
        return _place(evaluation.score, band)
    return ("rises", True) if evaluation.score > least else ("not above the one before", False)


def _place(score: float, band: Band) -> tuple[str, bool]:
    if band.holds(score):
        return IN_BAND, True
    return (f"above {band.high:g}" if score > band.high else f"below {band.low:g}"), False


def _permuted(samples: Samples, names: Sequence[str]) -> Iterator[Row]:
    reference = samples.trial(samples.needed("reference")).evaluation.score
    scores = [reference]
    for part in samples.permuted:
        trial = samples.trial(part)
        scores.append(trial.evaluation.score)
        known = [score for score in scores if score is not None]
        wrong = "no score" if len(known) < len(scores) else ""
        if part is samples.permuted[-1] and not wrong:
            wrong = explain_unmoved(known)
        is_fine = not wrong or samples.permutation.has_code
        name = f"reference, {part.share:.0%} permuted"
        yield _row("permuted", name, trial, names, wrong or "falls", is_fine=is_fine)


def _row(kind: Kind, name: str, trial: Trial, names: Sequence[str], verdict: str, *, is_fine: bool) -> Row:
    evaluation = trial.evaluation
    return Row(
        kind=kind,
        name=one_line(name, _LONGEST),
        score=evaluation.score,
        unclamped=evaluation.unclamped,
        metrics=_values(evaluation.metrics, names),
        seconds=evaluation.seconds,
        verdict=verdict,
        is_fine=is_fine,
    )


def _values(results: Mapping[str, Any], names: Sequence[str]) -> Mapping[str, float]:
    found = {name: find_value(name, results) for name in names}
    return {name: value for name, value in found.items() if value is not None}


def _agent(trial: AgentTrial, names: Sequence[str]) -> Row:
    if trial.trouble or trial.score is None:
        verdict, is_fine = one_line(trial.trouble or "no score", _LONGEST), False
    else:
        verdict, is_fine = _place(trial.score, REFERENCE_BAND)
    return Row(
        kind="oracle",
        name=f"oracle, seed {trial.result.seed}",
        score=trial.score,
        unclamped=trial.evaluation.get("unclamped"),
        metrics=_values(trial.evaluation.get("metrics") or {}, names),
        seconds=trial.result.seconds,
        verdict=verdict,
        is_fine=is_fine,
    )


def _attacks(subject: Subject, names: Sequence[str], say: Say) -> Iterator[Row]:
    """Yield a row for each kind of attack, that of the one that earned most."""
    from pytest_innovatorbench.authoring.attacks import attempt, build  # noqa: PLC0415 - cheap tasks first
    from pytest_innovatorbench.authoring.attacks.building import DRAFTS, OWN  # noqa: PLC0415

    seen: set[str] = set()
    for code in (*DRAFTS, OWN):
        say(f"attacking: {code}")
        try:
            attacks = build(subject, [code], seen=seen)
            attempted = attempt(subject, [attack for attack in attacks if attack.folder is not None])
        except NotCheckedError as reason:
            yield _unbuilt(code, str(reason))
            continue
        if attempted:
            worst = max(attempted, key=lambda one: (bool(one.weakness), one.trial.evaluation.score or 0.0))
            yield _attack(code, worst, len(attempted), names)
        else:
            yield _unbuilt(code, _reason(attacks))
        shutil.rmtree(subject.scratch / "attacks" / code, ignore_errors=True)


def _attack(code: str, worst: Attempted, count: int, names: Sequence[str]) -> Row:
    points = worst.trial.evaluation.score or 0.0
    due = IN_BAND if BASELINE_BAND.holds(points) else f"no more than the {worst.due:.0f} it is worth"
    verdict = one_line(worst.weakness, _LONGEST) or due
    name = f"{_attack_name(code)} ({count})"
    return _row("attack", name, worst.trial, names, verdict, is_fine=not worst.weakness)


def _attack_name(code: str) -> str:
    from pytest_innovatorbench.authoring.attacks.building import DRAFTS  # noqa: PLC0415 - see above

    return f"{code} {DRAFTS[code][0] if code in DRAFTS else 'of the task'}"


def _unbuilt(code: str, reason: str) -> Row:
    return Row(
        kind="attack",
        name=_attack_name(code),
        verdict=one_line(f"not tried: {reason}", _LONGEST),
        is_fine=True,
    )


def _reason(attacks: Sequence[Attack]) -> str:
    return next((attack.reason for attack in attacks if attack.reason), "nothing to make it from")
