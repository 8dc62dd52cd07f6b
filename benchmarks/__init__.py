"""Measurements of speed and size, run by ``python -m benchmarks``."""
