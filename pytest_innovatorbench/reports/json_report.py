"""The JSON report: a documented, versioned format for other programs."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from pytest_innovatorbench.reports.document import JsonValue, ReportDocument
    from pytest_innovatorbench.reports.summary import AgentSummary, Mean, Scores
    from pytest_innovatorbench.runs.model import AttemptResult

FORMAT = "innovatorbench-report"
VERSION = 1


def render_json(document: ReportDocument) -> str:
    """Return the report as JSON text that the packaged schema describes."""
    return json.dumps(report_value(document), indent=2, allow_nan=False) + "\n"


def report_value(document: ReportDocument) -> dict[str, JsonValue]:
    """Return the report as plain JSON values."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "created": document.created,
        "harness": dict(document.harness),
        "settings": dict(document.settings),
        "run_dir": document.run_dir,
        "attempts": [_attempt(result) for result in document.results],
        "agents": [_agent(agent) for agent in document.agents],
    }


def read_schema() -> dict[str, JsonValue]:
    """Return the JSON Schema of the report."""
    text = files(__package__).joinpath("report.schema.json").read_text(encoding="utf-8")
    return cast("dict[str, JsonValue]", json.loads(text))


def _attempt(result: AttemptResult) -> JsonValue:
    run_dir = str(result.run_dir)
    return {
        "attempt": result.attempt,
        "task": result.task,
        "domain": result.domain,
        "agent": result.agent,
        "seed": result.seed,
        "status": str(result.status),
        "fault": result.fault,
        "ending": result.ending,
        "first": result.first,
        "best": result.best,
        "final": result.final,
        "baseline": result.baseline,
        "reference": result.reference,
        "curve": [[seconds, score] for seconds, score in result.curve],
        "evals": result.evals,
        "max_evals": result.max_evals,
        "hints": result.hints,
        "penalty": result.penalty,
        "tokens": result.tokens,
        "cost": result.cost,
        "seconds": result.seconds,
        "started": result.started or None,
        "run_dir": None if run_dir == "." else run_dir,
        "error": result.error,
    }


def _agent(agent: AgentSummary) -> JsonValue:
    return {
        "agent": agent.agent,
        "attempts": agent.attempts,
        "counted": agent.counted,
        "tokens": agent.tokens,
        "cost": agent.cost,
        "uncounted": [
            {"status": str(kind.status), "fault": kind.fault, "attempts": kind.attempts}
            for kind in agent.uncounted
        ],
        "weighted_average": _scores(agent.average),
        "domains": [{"domain": part.domain, **_scores(part.scores)} for part in agent.domains],
    }


def _scores(scores: Scores) -> dict[str, JsonValue]:
    return {"first": _mean(scores.first), "best": _mean(scores.best), "final": _mean(scores.final)}


def _mean(mean: Mean) -> JsonValue:
    return {"value": mean.value, "counted": mean.counted, "of": mean.of}
