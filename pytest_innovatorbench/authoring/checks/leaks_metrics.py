"""Rule on metrics: they are computed from what the agent made, not taken from what it says."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from pytest_innovatorbench.authoring.checks.leaks_evidence import evidence_of
from pytest_innovatorbench.authoring.findings import Finding
from pytest_innovatorbench.authoring.model import Rule
from pytest_innovatorbench.tasks.description import outline

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_innovatorbench.authoring.contents import Content
    from pytest_innovatorbench.authoring.subject import Subject

# Names of metrics that predictions do not have, unlike "score" or "loss".
_KNOWN = frozenset(
    {
        "accuracy",
        "f1",
        "f1_score",
        "bleu",
        "rouge",
        "auc",
        "auroc",
        "perplexity",
        "rmse",
        "mae",
        "mse",
        "ndcg",
    }
    | {"wer", "brier", "iou", "miou", "fid", "psnr", "ssim", "pass_at_1", "r2"}
)
_VERB = "(?:report|write|save|store|log|record|submit|output|print|dump|include|state)"
_BETWEEN = (
    "(?:down|out|the|your|its|own|an?|all|and|of|final|best|test|validation|held-out|resulting|achieved"
    "|obtained|measured|computed|overall|mean|average|value)"
)
_GENERAL = r"metrics|evaluation\s+results?|test\s+(?:scores?|results?)"
_ASIDE = re.compile(
    r"\b(?:not|never|no|without|we|they|it|authors?|papers?|evaluat\w+|leaderboard|that)\b|n't\b"
)
_FEW = 20  # metrics that one file holds; more are records
_STATED = re.compile(r"^\W*(?P<name>[A-Za-z][\w -]*?)\W*[:=|]\W*\d")


def _check(subject: Subject) -> Iterator[Finding]:
    metrics = _metrics(subject)
    evidence = evidence_of(subject)
    for content in (*evidence.outputs, *evidence.baselines):
        name = next((name for name in _stated(content) if _spelt(name) in metrics), None)
        if name:
            message = f"submissions state {name}, a metric, in {content.name}"
            yield Finding(message=message, file=content.file)
    yield from _asked(subject, evidence.description, metrics)


def _metrics(subject: Subject) -> frozenset[str]:
    """Return the names of metrics, as code spells them: those of the task, and what many are called."""
    given = subject.manifest.values.get("metrics")
    names = [item.get("name") for item in given if isinstance(item, dict)] if isinstance(given, list) else []
    return _KNOWN | {_spelt(name) for name in names if isinstance(name, str)}


def _spelt(name: str) -> str:
    return re.sub(r"[\s-]+", "_", name.strip().casefold())


def _stated(content: Content) -> Iterator[str]:
    """Yield names beside records, or of values for all of them; each record's own values are predictions."""
    if content.path.suffix.lower() == ".json":
        yield from _names_in(_load(content.text or ""))
        return
    for part in content.parts:
        table = part.table
        if len(table.rows) == 1:
            yield from table.columns
        if len(table.columns) == 2 and len(table.rows) <= _FEW:  # noqa: PLR2004 - a name and a value
            yield from (str(name) for name, _ in (table.columns, *table.rows))
    if content.text and content.text.count("\n") <= _FEW:
        stated = map(_STATED.match, content.text.split("\n"))
        yield from (match["name"] for match in stated if match)


def _names_in(value: object, depth: int = 4) -> Iterator[str]:
    if not isinstance(value, dict) or len(value) > _FEW or not depth:
        return
    for name, inner in value.items():
        if isinstance(inner, int | float | str):
            yield name
        yield from _names_in(inner, depth - 1)


def _load(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _asked(subject: Subject, description: str, metrics: frozenset[str]) -> Iterator[Finding]:
    """Report requests such as "write the final accuracy to results.txt"."""
    names = "|".join(
        re.escape(name).replace("_", r"[\s_-]+") for name in sorted(metrics, key=len, reverse=True)
    )
    gap = r"[\s*`]+"
    asked = re.compile(
        rf"\b{_VERB}{gap}(?:{_BETWEEN}{gap}){{0,6}}(?P<metric>{names}|{_GENERAL})\b", re.IGNORECASE
    )
    for section in outline(description).values():
        lines = [line for line in section.lines if section.name != "motivation"]
        text = "\n".join(line.text if line.kind == "text" else "" for line in lines)
        for match in asked.finditer(text):
            before = re.split(r"[.!?;:]\s|\n\s*(?:\n|[-*+|])", text[: match.start()])[-1]
            if not _ASIDE.search(before.casefold()):
                yield Finding(
                    message=f"the agent is asked to {' '.join(match[0].split())}",
                    file=subject.shown(subject.gym / "task" / "task_description.md"),
                    line=lines[text.count("\n", 0, match.start())].number,
                )


RULES = (
    Rule(
        code="IB508",
        name="own-metric",
        summary="The agent is not asked to report its own metric.",
        why=(
            "What an agent says of its own work is not what the work is worth, and whoever is asked for an "
            "accuracy may write 1.0. The evaluator computes metrics from predictions, which the description "
            "asks for."
        ),
        remedy="ask for what the metric is computed from, and compute it in evaluation.py",
        check=_check,
    ),
)
