# TEMPLATE: measure what your task is about, and refuse what your task forbids
"""Score predicted values of a curve against the hidden true ones."""

from __future__ import annotations

import math
import stat
from pathlib import Path

from evaluations.base.base_eval import BaseBenchmark
from evaluations.base.scoring import ScoreCurve

# TEMPLATE: measure the anchors of your own metrics
# The baseline has 0.7808, the reference 0.1020. Rounded so that the first scores 0 and the second 79.8.
RMSE = ScoreCurve(baseline=0.78, reference=0.10, ceiling=0.05)

HEADER = "id,y"
MOST_BYTES = 100_000
LARGEST = 1e6


class RejectedError(ValueError):
    """The submission can't be scored; the message is for the agent."""


class TaskBenchmark(BaseBenchmark):
    """Root mean squared error of the predictions."""

    paper_name = {{ "%r" | format(cookiecutter.__paper_title) }}
    task_name = {{ "%r" | format(cookiecutter.task_name) }}

    def run_1(self) -> dict[str, object]:
        """Return score, message and metric, or score 0 and what is wrong with the submission."""
        references = Path(self.config.eval_workspace) / self.task_name / "data" / "references"
        outputs = Path(self.config.workspace) / "data" / "outputs"
        truth = dict(parse(line) for line in read_lines(references / "truth.csv"))
        try:
            predictions = read_predictions(outputs / "predictions.csv", truth)
        except RejectedError as error:
            return {"score": 0.0, "error": str(error), "message": None}
        rmse = math.sqrt(math.fsum((predictions[name] - y) ** 2 for name, y in truth.items()) / len(truth))
        return {"score": RMSE(rmse), "error": None, "message": f"The RMSE is {rmse:.4f}.", "rmse": rmse}


def read_lines(path: Path) -> list[str]:
    """Return the lines below the header. An agent may have written anything, or no regular file at all."""
    try:
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode) or status.st_size > MOST_BYTES:
            raise RejectedError(f"{path.name} is not a file of at most {MOST_BYTES} bytes")
        header, *lines = path.read_text("utf-8").splitlines() or [""]
    except OSError:
        raise RejectedError(f"data/outputs/{path.name} is missing or can't be read") from None
    except UnicodeDecodeError:
        raise RejectedError(f"{path.name} is not UTF-8 text") from None
    if header != HEADER:
        raise RejectedError(f"the first line of {path.name} must be {HEADER!r}")
    return lines


def parse(line: str) -> tuple[str, float]:
    """Return the two cells of a line."""
    name, _, text = line.partition(",")
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not abs(value) <= LARGEST:
        raise RejectedError(f"{line[:40]!r} is not an id and a number of at most {LARGEST:g}")
    return name, value


def read_predictions(path: Path, truth: dict[str, float]) -> dict[str, float]:
    """Return the predicted value of every test id."""
    pairs = [parse(line) for line in read_lines(path)]
    predictions = dict(pairs)
    if len(predictions) < len(pairs):
        raise RejectedError("an id appears twice")
    if predictions.keys() != truth.keys():
        raise RejectedError(f"{len(predictions.keys() & truth.keys())} of {len(truth)} test ids have a value")
    return predictions
