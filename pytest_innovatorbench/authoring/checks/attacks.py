"""Rules on attacks: submissions that nobody should be paid for."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from pytest_innovatorbench.authoring.attacks.building import OWN, build
from pytest_innovatorbench.authoring.attacks.trying import Attempted, attempt, measure_of
from pytest_innovatorbench.authoring.findings import Finding, NotCheckedError
from pytest_innovatorbench.authoring.model import Rule
from pytest_innovatorbench.hostile import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_innovatorbench.authoring.subject import Subject

MOST_SHOWN = 5
_LONGEST = 300


@dataclass(frozen=True, slots=True)
class _Known:
    """What the rules before have tried on a task, and which crashes they reported."""

    digests: set[str] = field(default_factory=set)
    crashes: set[str] = field(default_factory=set)


_KNOWN: WeakKeyDictionary[Subject, _Known] = WeakKeyDictionary()


def _try(code: str) -> Callable[[Subject], Iterator[Finding]]:
    def check(subject: Subject) -> Iterator[Finding]:
        known = _KNOWN.setdefault(subject, _Known())
        most = measure_of(subject).most if code != OWN else None
        attacks = build(subject, [code], seen=known.digests, most=most)
        for attack in attacks:
            if attack.folder is None:
                raise NotCheckedError(attack.reason or "the attack cannot be made")
        attempted = attempt(subject, attacks)
        shutil.rmtree(subject.scratch / "attacks" / code, ignore_errors=True)
        yield from _findings(subject, attempted, known)

    return check


def _findings(subject: Subject, attempted: list[Attempted], known: _Known) -> Iterator[Finding]:
    weak = []
    for one in attempted:
        if one.weakness and one.place not in known.crashes:
            weak.append(one)
            known.crashes.update({one.place} - {""})
    file = subject.shown(subject.evaluations / "task" / "evaluation.py")
    findings = [
        Finding(message=one_line(one.weakness, _LONGEST), file=file, line=one.line)
        for one in weak[:MOST_SHOWN]
    ]
    if len(weak) > MOST_SHOWN:
        more = f"{findings[-1].message} (and {len(weak) - MOST_SHOWN} more like it)"
        findings[-1] = replace(findings[-1], message=more)
    yield from findings


def _rule(code: str, name: str, summary: str, why: str, remedy: str) -> Rule:
    return Rule(
        code=code, name=name, summary=summary, why=why, remedy=remedy, check=_try(code), cost="attacks"
    )


_READ_CAREFULLY = (
    "check in evaluation.py what the agent wrote, and return score 0 with an error that says what to mend"
)

RULES: tuple[Rule, ...] = (
    _rule(
        "IB601",
        "attack-empty",
        "Submissions without files, content or records earn nothing.",
        "A mean over no records is easily perfect, or a division by zero.",
        "return score 0 where a file is missing or has no records",
    ),
    _rule(
        "IB602",
        "attack-truncated",
        "Half of the reference submission earns no more than half of the work is worth.",
        "An evaluator that looks at given records alone lets agents leave out the difficult ones.",
        "compare the ids, or the number of records, with those of the references",
    ),
    _rule(
        "IB603",
        "attack-wrong-types",
        "Values, records and files of other types earn nothing and crash nothing.",
        "A crash has no score, so an agent that meets one has worked in vain, or has found a way out.",
        _READ_CAREFULLY,
    ),
    _rule(
        "IB604",
        "attack-not-finite",
        "NaN, infinities and huge numbers earn nothing and crash nothing.",
        "NaN is neither above nor below any limit, so it slips through comparisons.",
        "accept numbers only if math.isfinite says so, and bound their size and digits",
    ),
    _rule(
        "IB605",
        "attack-ids",
        "Missing, repeated, unknown and misspelt ids earn no points.",
        "Ids that are not held against the references let agents choose what they are graded on.",
        "ask for every id of the references once, and no other",
    ),
    _rule(
        "IB606",
        "attack-constant",
        "One answer everywhere earns no more than the baseline.",
        "If a constant scores, the metric pays for how often classes occur, not for the method.",
        "put the curve's baseline at the best constant, or take a metric that weighs classes",
    ),
    _rule(
        "IB607",
        "attack-shuffled",
        "Right answers to the wrong records earn no more than the baseline.",
        "If they score, answers are compared as a heap, without their ids.",
        "compare the answer of each id with that id's reference",
    ),
    _rule(
        "IB608",
        "attack-echo",
        "Inputs given back as answers earn no more than the baseline.",
        "What agents are given is no work of theirs.",
        "put the curve's baseline at what the inputs themselves score",
    ),
    _rule(
        "IB609",
        "attack-all-answers",
        "Every possible answer at once earns no more than the baseline.",
        "An evaluator that looks for the right answer among what is given finds it there.",
        "ask for exactly one answer, and for probabilities that sum to 1",
    ),
    _rule(
        "IB610",
        "attack-many-rows",
        "A million records earn no more than the right number, in time and memory.",
        "More records must not outweigh errors, and must not exhaust the evaluator.",
        "refuse files above a size, and records beyond those of the references",
    ),
    _rule(
        "IB611",
        "attack-deep-json",
        "JSON of 100,000 levels earns nothing and crashes nothing.",
        "Python's parser gives up with RecursionError, which is no ValueError.",
        "catch RecursionError beside ValueError where JSON is parsed",
    ),
    _rule(
        "IB612",
        "attack-links",
        "Links and paths to the references earn nothing.",
        "The harness leaves links out of submissions; a path in a file is up to the evaluator.",
        "open no path that a submission names",
    ),
    _rule(
        "IB613",
        "attack-pickle",
        "Loading a submission runs no code of it.",
        "Code in the evaluator's process can read the references and set the score.",
        "load without pickle: allow_pickle=False, weights_only=True, yaml.safe_load, ast.literal_eval",
    ),
    _rule(
        "IB614",
        "attack-odd-names",
        "Odd names of files and ids crash nothing.",
        "Names with line ends, no UTF-8, or paths break programs that trust them.",
        "open the expected files by their names alone, and use ids for look-up only",
    ),
    _rule(
        "IB615",
        "attack-planted",
        "Result files, start-up files and modules in the outputs have no effect.",
        "What an agent leaves must not be imported or taken for a result of the evaluator.",
        "keep the outputs out of sys.path and of working folders, and read expected files only",
    ),
    _rule(
        OWN,
        "attack-own",
        "The author's own attacks, folders in data/attacks, earn no more than the baseline.",
        "Authors know best where their metric can be deceived.",
        "mend evaluation.py until they earn nothing",
    ),
)
