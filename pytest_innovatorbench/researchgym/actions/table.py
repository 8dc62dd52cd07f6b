"""All actions by their wire names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_innovatorbench.researchgym.actions.browse import BROWSE_ACTIONS
from pytest_innovatorbench.researchgym.actions.command import COMMAND_ACTIONS
from pytest_innovatorbench.researchgym.actions.file import FILE_ACTIONS
from pytest_innovatorbench.researchgym.actions.find import FIND_ACTIONS
from pytest_innovatorbench.researchgym.actions.parse import PARSE_ACTIONS
from pytest_innovatorbench.researchgym.actions.session import SESSION_ACTIONS
from pytest_innovatorbench.researchgym.actions.special import SPECIAL_ACTIONS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_innovatorbench.researchgym.actions.declaration import ActionKind

ACTIONS: Mapping[str, ActionKind] = {
    kind.name: kind
    for kind in (
        *SESSION_ACTIONS,
        *COMMAND_ACTIONS,
        *FILE_ACTIONS,
        *FIND_ACTIONS,
        *PARSE_ACTIONS,
        *BROWSE_ACTIONS,
        *SPECIAL_ACTIONS,
    )
}
