"""The good task of the tests on authoring, and the command as a program of its own."""

from __future__ import annotations

from tests.unit.authoring.conftest import baked, good

__all__ = ["baked", "good"]
