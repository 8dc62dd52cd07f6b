"""Submissions that nobody should be paid for, made from what a task itself has."""

from pytest_innovatorbench.authoring.attacks.attack import Attack
from pytest_innovatorbench.authoring.attacks.building import build
from pytest_innovatorbench.authoring.attacks.trying import Attempted, attempt

__all__ = ["Attack", "Attempted", "attempt", "build"]
