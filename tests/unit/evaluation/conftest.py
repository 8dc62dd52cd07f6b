from __future__ import annotations

from pathlib import Path

import pytest

from pytest_innovatorbench.sandbox import open_sandbox
from tests.unit.evaluation.repository import Repository


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path, open_sandbox("bubblewrap"))


@pytest.fixture(params=["bubblewrap", "none"])
def either(tmp_path: Path, request: pytest.FixtureRequest) -> Repository:
    """A repository with each of the two sandboxes."""
    return Repository(tmp_path, open_sandbox(request.param))
