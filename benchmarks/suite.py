"""Calibrate the built-in tasks over seeds: ``python -m benchmarks.suite``.

It writes suite.json and prints the tables of docs/results.md.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

from benchmarks.children import script
from pytest_innovatorbench.tasks.benchmark import builtin_root, open_benchmark

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

KEPT = Path(__file__).with_name("suite.json")
SEEDS = 5

# Final and best scores by domain: arXiv 2510.27598, Table 2.
MODELS = ("Claude Sonnet 4", "GPT-5", "GLM-4.5", "Kimi-K2")
PUBLISHED = {
    "DC": ((25.47, 26.88), (8.41, 8.41), (15.29, 22.65), (14.01, 14.08)),
    "DF": ((30.89, 31.47), (8.97, 9.48), (5.16, 5.36), (7.39, 7.97)),
    "DA": ((22.73, 22.73), (0.0, 0.0), (25.49, 25.49), (2.47, 2.47)),
    "LD": ((12.98, 12.98), (0.04, 2.74), (7.63, 7.63), (0.0, 0.0)),
    "RD": ((11.56, 11.56), (0.0, 0.0), (0.0, 0.0), (3.23, 3.23)),
    "SC": ((36.63, 37.74), (60.07, 60.07), (3.33, 3.33), (3.33, 3.33)),
}
PUBLISHED_MEANS = ((24.01, 24.54), (12.04, 12.52), (11.85, 13.35), (5.35, 5.45))
KINDS = ("baseline", "intermediate", "oracle")

_COLUMNS = (
    "domain",
    "task",
    "baseline",
    "average attempt",
    "reference",
    "oracle, seeds 0-4",
    "its seconds",
    "kinds of attack that pay",
)

Survey = dict[str, Any]


def main() -> None:
    """Calibrate the tasks, keep what was measured and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "tasks", nargs="*", metavar="TASK", help="some of the tasks; the others stay as they are"
    )
    parser.add_argument("--show", action="store_true", help="only print the tables of what was measured last")
    options = parser.parse_args()
    surveys = json.loads(KEPT.read_text("utf-8")) if KEPT.exists() else []
    if not options.show:
        surveys = measure(options.tasks, surveys)
        KEPT.write_text(json.dumps(surveys, indent=1) + "\n", "utf-8")
    print("\n".join([*calibration_table(surveys), "", *domain_table(surveys)]))


def measure(names: Sequence[str], kept: Sequence[Survey]) -> list[Survey]:
    """Return a survey of each built-in task, by domain: made anew if named or never made."""
    benchmark = open_benchmark(builtin_root())
    known = {survey["task"]: survey for survey in kept}
    surveys = []
    for name in benchmark.task_ids:
        is_wanted = name in (names or benchmark.task_ids) or name not in known
        survey = calibrate(name) if is_wanted else known[name]
        surveys.append(survey | {"domain": benchmark.load(name).domain})
    return sorted(surveys, key=lambda survey: ([*PUBLISHED, "other"].index(survey["domain"]), survey["task"]))


def calibrate(name: str) -> Survey:
    """Return what ``ibench calibrate`` finds of submissions, oracle and attacks."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "survey.json")
        argv = [script("ibench"), "calibrate", name, "--seeds", str(SEEDS), "--json", str(path)]
        subprocess.run([*argv, "--root", str(builtin_root())], check=True)
        survey: Survey = json.loads(path.read_text("utf-8"))
    return survey


def calibration_table(surveys: Sequence[Survey]) -> Iterator[str]:
    """Yield the lines of the table of tasks."""
    yield _line(_COLUMNS)
    yield "| --- | --- | --: | --: | --: | --- | --: | --: |"
    for survey in surveys:
        oracle = _scores(survey, "oracle")
        seconds = max(row["seconds"] for row in survey["rows"] if row["kind"] == "oracle")
        attacks = [row for row in survey["rows"] if row["kind"] == "attack" and row["score"] is not None]
        cells = (
            survey["domain"],
            f"`{survey['task']}`",
            *(_number(_mean(survey, kind)) for kind in ("baseline", "intermediate", "reference")),
            f"{min(oracle):.1f} - {max(oracle):.1f}, mean {fmean(oracle):.1f}",
            f"{seconds:.0f}",
            f"{sum(not row['is_fine'] for row in attacks)} of {len(attacks)}",
        )
        yield _line(cells)


def domain_table(surveys: Sequence[Survey]) -> Iterator[str]:
    """Yield the lines of the table of domains: the published models, then this suite."""
    yield _line(["domain", *MODELS, "our baseline", "our average attempt", "our oracle"])
    yield "| --- |" + " --: |" * (len(MODELS) + 3)
    for domain in (*PUBLISHED, "other"):
        published = PUBLISHED.get(domain, (None,) * len(MODELS))
        own = [survey for survey in surveys if survey["domain"] == domain]
        yield _line([domain, *map(_pair, published), *(_number(_means(own, kind)) for kind in KINDS)])
    means = (_number(_means(surveys, kind)) for kind in KINDS)
    yield _line(["weighted average", *map(_pair, PUBLISHED_MEANS), *means])


def _scores(survey: Survey, kind: str) -> list[float]:
    return [row["score"] for row in survey["rows"] if row["kind"] == kind]


def _mean(survey: Survey, kind: str) -> float | None:
    scores = _scores(survey, kind)
    return fmean(scores) if scores else None


def _means(surveys: Sequence[Survey], kind: str) -> float | None:
    means = [mean for survey in surveys if (mean := _mean(survey, kind)) is not None]
    return fmean(means) if means else None


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def _pair(scores: tuple[float, float] | None) -> str:
    return "-" if scores is None else f"{scores[0]:.2f} / {scores[1]:.2f}"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
