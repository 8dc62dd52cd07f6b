from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from pytest_innovatorbench.runs.model import AttemptResult

HOSTILE = "\x1b[31m<script>alert('x')</script> | `tick` \r\n**bold** @someone \u202eevil \ud800"


class MakeResult(Protocol):
    # Any field of an AttemptResult may be given, so their types differ.
    def __call__(
        self,
        task: str = ...,
        agent: str = ...,
        seed: int = ...,
        **fields: Any,
    ) -> AttemptResult: ...


def read_xml(text: str) -> ET.Element:
    return ET.fromstring(text)  # noqa: S314 - our own output, which has no entities to expand
