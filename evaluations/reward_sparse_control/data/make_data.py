"""Draw the starts of this task in gymnasium's Acrobot-v1.

Needs numpy 2.3.5 and gymnasium 1.4.0. Run it from the root of the repository:
``python evaluations/reward_sparse_control/data/make_data.py``. The same seeds give the same files.
"""

from __future__ import annotations

from pathlib import Path

import gymnasium

GIVEN, HIDDEN = 80, 120
# Long ones, as nobody should find the hidden starts by trying seeds on the given ones.
GIVEN_SEED = 973014451619181828797919460308499646
HIDDEN_SEED = 1130325083710227114878283540984989019
WIDTH = 0.3
TASK = "reward_sparse_control"
HEADER = "id,theta1,theta2,speed1,speed2"


def draw(name: str, count: int, seed: int) -> list[str]:
    """Return the lines of a table of starts: everything within `WIDTH` of hanging at rest."""
    environment = gymnasium.make("Acrobot-v1").unwrapped
    environment.reset(seed=seed)
    lines = [HEADER]
    for number in range(count):
        environment.reset(options={"low": -WIDTH, "high": WIDTH})
        cells = [f"{float(value):.6f}" for value in environment.state]
        lines.append(",".join([f"{name}{number:03d}", *cells]))
    return lines


def main() -> None:
    """Write the agent's and the evaluator's files."""
    datasets = Path("gym", TASK, "data", "datasets")
    references = Path("evaluations", TASK, "data", "references")
    datasets.mkdir(parents=True, exist_ok=True)
    references.mkdir(parents=True, exist_ok=True)
    given = "\n".join(draw("start", GIVEN, GIVEN_SEED)) + "\n"
    hidden = "\n".join(draw("hidden", HIDDEN, HIDDEN_SEED)) + "\n"
    (datasets / "starts.csv").write_text(given)
    (references / "given_starts.csv").write_text(given)
    (references / "hidden_starts.csv").write_text(hidden)


if __name__ == "__main__":
    main()
