"""Judging submissions: frozen copies, the evaluator process, score curves."""
