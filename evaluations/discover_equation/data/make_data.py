"""Make the data of this task: simulate eight oscillators and add noise.

Needs numpy 2.3.5. Run it from the root of the repository:
``python evaluations/discover_equation/data/make_data.py``. The same seed gives the same files.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

SEED = 20251013
TASK = "discover_equation"
# Each system's acceleration, and how far from rest in position and velocity it may start. No constant is
# round, or rounding what was fitted would pay.
SYSTEMS = {
    "system1": ("-2.637*x/(1 + 0.8164*x**2) - 0.1473*v**3 + 0.7138*sin(2.287*t)", 2.0, 1.5),
    "system2": ("-0.3242*v - 1.187*x - 0.8639*x**3 + 1.083*cos(1.413*t + 0.5271)", 1.5, 1.5),
    "system3": ("0.9137*v - 1.368*x**2*v - 2.143*x - 0.5614*x*v", 1.0, 1.0),
    "system4": ("-3.074*sin(x) - 0.2836*v*abs(v) + 0.6127", 2.3, 1.5),
    "system5": ("2.427*x*exp(-1.036*x**2) - 0.7871*x - 0.1238*v", 2.0, 1.5),
    "system6": ("-1.924*x - 0.6863*x*cos(2.634*t) - 0.2571*x**3 - 0.1627*v", 1.5, 1.0),
    "system7": ("-1.282*x - 0.4592*tanh(3.114*v) + 0.7836*cos(0.8927*t)", 2.0, 1.5),
    "system8": ("-1.574*exp(0.7123*x) + 1.631 - 0.2069*v + 0.5182*sin(1.876*t)", 1.8, 1.5),
}
TRAIN, DEV = 4, 2
STEP, STEPS, FINE = 0.05, 400, 10
NOISE = 0.05
POINTS = 200
REACH = 2.0
LATEST = 40.0
NAMES = {"__builtins__": {}, "sin": np.sin, "cos": np.cos, "exp": np.exp, "tanh": np.tanh, "abs": np.abs}


def accelerate(equation: str, x: np.ndarray, v: np.ndarray, t: float) -> np.ndarray:
    """Return the acceleration by one of our own equations."""
    values: np.ndarray = eval(equation, NAMES, {"x": x, "v": v, "t": t})  # noqa: S307 - a text of this file
    return values


def simulate(equation: str, x: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Return states (STEPS + 1, 2, n) from n starting points by the classical Runge-Kutta method."""
    state, h = np.array([x, v]), STEP / FINE
    states = [state]

    def slope(time: float, at: np.ndarray) -> np.ndarray:
        return np.array([at[1], accelerate(equation, at[0], at[1], time)])

    for step in range(STEPS * FINE):
        t = step * h
        k1 = slope(t, state)
        k2 = slope(t + h / 2, state + h / 2 * k1)
        k3 = slope(t + h / 2, state + h / 2 * k2)
        k4 = slope(t + h, state + h * k3)
        state = state + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        if step % FINE == FINE - 1:
            states.append(state)
    return np.array(states)


def draw_points(largest: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return points (POINTS, 3) of x, v, t beyond the largest position and velocity of the data."""
    points: list[np.ndarray] = []
    while len(points) < POINTS:
        inside = rng.uniform(-REACH, REACH, 2)
        if np.abs(inside).max() > 1:
            points.append(np.array([*(inside * largest), rng.uniform(STEP * STEPS, LATEST)]))
    return np.array(points)


def write(path: Path, header: str, rows: list[str]) -> None:
    """Write a table as CSV."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([header, *rows]) + "\n")


def record(equation: str, starts: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return noisy recordings (STEPS + 1, 2, n), and the largest position and velocity without noise."""
    widest = starts[:, None]
    states = simulate(equation, *rng.uniform(-widest, widest, (2, TRAIN + DEV)))
    spread = states.std(axis=(0, 2), keepdims=True)
    return states + NOISE * spread * rng.normal(size=states.shape), np.abs(states).max(axis=(0, 2))


def list_runs(name: str, noisy: np.ndarray, runs: range) -> list[str]:
    """Return the lines of a table for some of the runs of a system."""
    return [
        f"{name},{run + 1},{index * STEP:.2f},{x:.4f},{v:.4f}"
        for run in runs
        for index, (x, v) in enumerate(noisy[:, :, run])
    ]


def main() -> None:
    """Write the agent's and the evaluator's files."""
    rng = np.random.default_rng(SEED)
    train, dev, points = [], [], []
    for name, (equation, *starts) in SYSTEMS.items():
        noisy, largest = record(equation, np.array(starts), rng)
        train += list_runs(name, noisy, range(TRAIN))
        dev += list_runs(name, noisy, range(TRAIN, TRAIN + DEV))
        points += [f"{name},{x:.4f},{v:.4f},{t:.4f}" for x, v, t in draw_points(largest, rng)]
    datasets = Path("gym", TASK, "data", "datasets")
    write(datasets / "train.csv", "system,run,t,x,v", train)
    write(datasets / "dev.csv", "system,run,t,x,v", dev)
    references = Path("evaluations", TASK, "data", "references")
    write(references / "points.csv", "system,x,v,t", points)
    truth = [f"{name},{equation}" for name, (equation, *_) in SYSTEMS.items()]
    write(references / "equations.csv", "system,equation", truth)


if __name__ == "__main__":
    main()
