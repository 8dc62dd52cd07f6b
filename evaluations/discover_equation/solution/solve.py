"""The reference: an ensemble of sparse regressions in weak form, refined on trajectories.

1. Weak form (Messenger and Bortz 2021, "Weak SINDy"): integrated against smooth bumps, x'' = f needs no
   derivative of noisy data. Its terms are linear in their coefficients.
2. A driving frequency, which is not, is scanned; a forced or a modulated spring joins the library if it
   explains much.
3. Ensemble SINDy (Brunton et al. 2016; Fasel et al. 2022): thresholded least squares on resampled data; terms
   that few of the samples keep are dropped.
4. Constants are refined on whole stretches of trajectories, and terms go as long as the Bayesian information
   criterion says so. Of two libraries, the one with the lower criterion wins.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, "task/repositories/oscillators")
sys.path.insert(0, str(Path(__file__).parent))

from recordings import Recordings
from tables import read_runs, write_equations
from trajectories import Model, refine

COMMON = {
    "": lambda x, v, a: 1.0,
    "v": lambda x, v, a: v,
    "v*abs(v)": lambda x, v, a: v * np.abs(v),
    "x*v": lambda x, v, a: x * v,
    "v**2": lambda x, v, a: v**2,
    "x**2*v": lambda x, v, a: x**2 * v,
    "x*v**2": lambda x, v, a: x * v**2,
    "v**3": lambda x, v, a: v**3,
}
# A sine and a cubic are so much alike within the data that together they fit anything.
LIBRARIES = (
    COMMON | {"x": lambda x, v, a: x, "x**2": lambda x, v, a: x**2, "x**3": lambda x, v, a: x**3},
    COMMON | {"sin(x)": lambda x, v, a: np.sin(x), "cos(x)": lambda x, v, a: np.cos(x)},
)
DRIVES = (
    {"cos": lambda x, v, a: np.cos(a), "sin": lambda x, v, a: np.sin(a)},
    {"x*cos": lambda x, v, a: x * np.cos(a), "x*sin": lambda x, v, a: x * np.sin(a)},
)
FREQUENCIES = np.arange(0.3, 4.0, 0.02)
EXPLAINS = 0.7  # a drive joins if it leaves no more than this share of the squares
SAMPLES, SMALLEST, KEPT = 100, 0.1, 0.3


def scan(data: Recordings, library: dict) -> tuple[dict, float]:
    """Return the drive that explains most beside the library, and its frequency; nothing if none does."""
    basis = np.linalg.qr(np.stack([data.column(term) for term in library.values()], axis=1))[0]
    rest = data.target - basis @ (basis.T @ data.target)
    best, drive, frequency = EXPLAINS * (rest @ rest), {}, 0.0
    for candidate in DRIVES:
        for value in FREQUENCIES:
            columns = np.stack([data.column(term, value) for term in candidate.values()], axis=1)
            columns = columns - basis @ (basis.T @ columns)
            left = rest - columns @ np.linalg.lstsq(columns, rest, rcond=None)[0]
            if left @ left < best:
                best, drive, frequency = left @ left, candidate, value
    return drive, frequency


def choose(data: Recordings, library: dict, frequency: float, rng: np.random.Generator) -> dict:
    """Return the terms that an ensemble of thresholded regressions on resampled data keeps."""
    columns = np.stack([data.column(term, frequency) for term in library.values()], axis=1)
    sizes = np.sqrt((columns**2).mean(axis=0) / (data.target**2).mean())
    votes = np.zeros(len(library))
    for _ in range(SAMPLES):
        rows = rng.integers(len(columns), size=len(columns))
        votes[threshold(columns[rows], data.target[rows], sizes)] += 1 / SAMPLES
    return {name: term for vote, (name, term) in zip(votes, library.items()) if vote >= KEPT}


def threshold(columns: np.ndarray, target: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Return the indices of terms left when the smallest is dropped until none is small."""
    active = np.arange(columns.shape[1])
    while len(active) > 1:
        coefficients = np.linalg.lstsq(columns[:, active], target, rcond=None)[0]
        shares = np.abs(coefficients) * sizes[active]
        if shares.min() >= SMALLEST:
            break
        active = np.delete(active, shares.argmin())
    return active


def rate(data: Recordings, model: Model) -> float:
    """Return the Bayesian information criterion."""
    return model.misfit + len(model.terms) * np.log(data.stretches.size)


def prune(data: Recordings, model: Model) -> Model:
    """Return the model without the terms that do not pay for themselves."""
    while len(model.terms) > 1:
        count = len(model.terms)
        doubts = np.argsort(np.abs(model.constants[:count]) / model.errors[:count])[:2]
        fewer = [drop(data, model, list(model.terms)[index], index) for index in doubts]
        best = min(fewer, key=lambda other: rate(data, other))
        if rate(data, best) >= rate(data, model):
            break
        model = best
    return model


def drop(data: Recordings, model: Model, name: str, index: int) -> Model:
    """Return the model without a term, fitted again."""
    terms = {other: term for other, term in model.terms.items() if other != name}
    return refine(data, terms, np.delete(model.constants, index), model.starts)


def find_model(data: Recordings, library: dict, rng: np.random.Generator) -> Model:
    """Return what becomes of a library."""
    drive, frequency = scan(data, library)
    terms = choose(data, library | drive, frequency, rng)
    columns = np.stack([data.column(term, frequency) for term in terms.values()], axis=1)
    coefficients = np.linalg.lstsq(columns, data.target, rcond=None)[0]
    return prune(data, refine(data, terms, np.append(coefficients, frequency), data.starts[:, 1:]))


def spell(model: Model) -> str:
    """Return a model as an expression, with sine and cosine of one frequency as one shifted cosine."""
    values = dict(zip(model.terms, model.constants))
    frequency = model.constants[-1]
    parts = []
    for before in ("", "x*"):
        cosine, sine = values.pop(f"{before}cos", 0.0), values.pop(f"{before}sin", 0.0)
        if cosine or sine:
            phase = np.arctan2(-sine, cosine)
            parts.append(f"{np.hypot(sine, cosine):.5g}*{before}cos({frequency:.5g}*t + {phase:.4g})")
    parts += [f"{value:.5g}*{name}".rstrip("*") for name, value in values.items()]
    return " + ".join(parts).replace("+ -", "- ")


def main() -> None:
    rng = np.random.default_rng(int(os.environ.get("IBENCH_SEED", "0")))
    equations = {}
    for system, runs in read_runs("train").items():
        data = Recordings(runs + read_runs("dev")[system])
        models = [find_model(data, library, rng) for library in LIBRARIES]
        equations[system] = spell(min(models, key=lambda model: rate(data, model)))
        print(f"{system}: {equations[system]}")
    write_equations(equations)


if __name__ == "__main__":
    main()
