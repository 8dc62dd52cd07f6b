"""What an attempt may spend and what it has spent, as its events tell."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pytest_innovatorbench.errors import Fault


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What an attempt may spend.

    Attributes:
        seconds: Working time.
        evals: Evaluations the agent may ask for; the final one comes on top.
        steps: Actions.
        hint_penalty: Points taken off every score after the hint was viewed.
        tokens: Tokens of models, if they are limited.
        cost: US dollars for models, if they are limited.
    """

    seconds: float
    evals: int
    steps: int
    hint_penalty: float = 0.0
    tokens: int | None = None
    cost: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """A scored evaluation.

    Attributes:
        seconds: Working time when its submission was made.
        raw: Score as evaluated, 0-100.
        net: Score after the hint penalty, 0-100.
    """

    seconds: float
    raw: float
    net: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """What was spent so far. It is a fold over the events, so a resumed attempt forgets nothing.

    Attributes:
        steps: Actions taken.
        evals: Evaluations spent; those that failed through the evaluator or the machine are free.
        faulty_evals: Evaluations that failed so.
        hints: Hints viewed.
        penalty: Points taken off from now on.
        scores: Every scored evaluation, the final one included.
        final: Net score of the final submission, where it has one.
        fault: Whose fault it is that the final submission has no score.
        error: One line on that fault.
        violation: What in any evaluated submission shows an attempt to cheat.
        tokens: Tokens that models read and wrote.
        cost: US dollars that they took, as far as their prices are known.
        unheard: What people have said and the agent was not given yet.
    """

    steps: int = 0
    evals: int = 0
    faulty_evals: int = 0
    hints: int = 0
    penalty: float = 0.0
    scores: tuple[Scored, ...] = ()
    final: float | None = None
    fault: Fault | None = None
    error: str | None = None
    violation: str | None = None
    tokens: int = 0
    cost: float = 0.0
    unheard: tuple[str, ...] = ()

    def after(self, event: Mapping[str, Any]) -> Ledger:
        """Return the ledger after one more event."""
        kind = event["kind"]
        if kind == "action":
            return replace(self, steps=self.steps + 1)
        if kind == "hint":
            return replace(self, hints=1, penalty=event["penalty"])
        if kind == "evaluation":
            return self._after_evaluation(event)
        if kind in {"human", "heard"}:
            return self._after_words(event)
        if kind == "began":
            return read_ledger(event["ledger"])
        if kind == "resumed":
            return self._before_final()
        if kind == "model_answered":
            tokens = sum(event[key] for key in ("input", "output", "cache_read", "cache_write"))
            return replace(self, tokens=self.tokens + tokens, cost=self.cost + (event["cost"] or 0.0))
        return self

    def net(self, raw: float) -> float:
        """Return a score after the hint penalty, never below 0."""
        return max(0.0, raw - self.penalty)

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return asdict(self)

    def _after_words(self, event: Mapping[str, Any]) -> Ledger:
        if event["kind"] == "heard":
            return replace(self, unheard=self.unheard[event["count"] :])
        return replace(self, unheard=(*self.unheard, event["text"]))

    def _before_final(self) -> Ledger:
        """Take back the final evaluation of an attempt that was interrupted, since it goes on."""
        scores = self.scores if self.final is None else self.scores[:-1]
        return replace(self, scores=scores, final=None, fault=None, error=None)

    def _after_evaluation(self, event: Mapping[str, Any]) -> Ledger:
        seen = replace(self, violation=self.violation or event.get("violation"))
        if event["score"] is None:
            if not event["final"]:
                return replace(seen, faulty_evals=self.faulty_evals + 1)
            return replace(seen, fault=event["fault"], error=event["error"])
        scored = Scored(seconds=event["t"], raw=event["score"], net=self.net(event["score"]))
        seen = replace(seen, scores=(*self.scores, scored))
        if event["final"]:
            return replace(seen, final=scored.net)
        return replace(seen, evals=self.evals + 1)


def read_ledger(values: Mapping[str, Any]) -> Ledger:
    """Return a ledger from plain JSON values; keys of later versions are passed over."""
    known = {name: values[name] for name in Ledger.__dataclass_fields__ if name in values}
    known["scores"] = tuple(Scored(**scored) for scored in values["scores"])
    known["unheard"] = tuple(values.get("unheard", ()))
    return Ledger(**known)


def replay(events: Iterable[Mapping[str, Any]]) -> Ledger:
    """Rebuild the ledger of an attempt from its events."""
    ledger = Ledger()
    for event in events:
        ledger = ledger.after(event)
    return ledger
