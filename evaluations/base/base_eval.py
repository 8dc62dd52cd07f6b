"""The interface of an evaluator."""

from pytest_innovatorbench.evaluation.contract.base_eval import BaseBenchmark, BenchmarkResult

__all__ = ["BaseBenchmark", "BenchmarkResult"]
