"""Try a scaffold on the development questions, with both budgets of the evaluation."""

import argparse
from pathlib import Path

from lab.language import parse
from lab.solver import Solver, read_chain
from lab.trial import run
from lab.values import ScaffoldError
from tables import OUTPUT, read_questions, read_wines

BUDGETS = (5, 15)


def rate(scaffold, seed, calls, questions, answers):
    """Return the outcome of one round, and whether each answer was right."""
    named = {f"{calls}-{name}": text for name, text in questions.items()}
    outcome = run(scaffold, Solver(read_wines(), seed), named, calls * len(named))
    return outcome, [given == right for given, right in zip(outcome.answers, answers.values())]


def show(calls, questions, outcome, hits):
    """Print accuracy, also by the number of steps, calls used and errors."""
    lengths = [len(read_chain(text).steps) for text in questions.values()]
    shares = []
    for length in sorted(set(lengths)):
        own = [hit for hit, other in zip(hits, lengths) if other == length]
        shares.append(f"{sum(own) / len(own):.3f}")
    used = sum(outcome.calls) / len(outcome.calls)
    print(f"{calls:5}  {sum(hits) / len(hits):8.4f}  {used:5.2f}  {'  '.join(shares)}")
    if outcome.errors:
        print(f"       {len(outcome.errors)} errors, the first: {outcome.errors[0]}")


def main():
    """Rate a file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", nargs="?", type=Path, default=OUTPUT, help="the scaffold (%(default)s)")
    parser.add_argument("--seed", default="dev", help="the solver's luck and habits (%(default)s)")
    options = parser.parse_args()
    try:
        scaffold = parse(options.file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, ScaffoldError) as error:
        raise SystemExit(f"{options.file}: {error}") from None
    questions, answers = read_questions()
    print("calls  accuracy   used  right by number of steps, 1 to 4")
    for calls in BUDGETS:
        outcome, hits = rate(scaffold, options.seed, calls, questions, answers)
        show(calls, questions, outcome, hits)


if __name__ == "__main__":
    main()
