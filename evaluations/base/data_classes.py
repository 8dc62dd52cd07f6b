"""The configuration that an evaluator is given."""

from pytest_innovatorbench.evaluation.contract.data_classes import Config

__all__ = ["Config"]
