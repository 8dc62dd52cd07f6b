"""A survey as JSON, for programs."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pytest_innovatorbench.authoring.calibration.bands import BASELINE_BAND, REFERENCE_BAND

if TYPE_CHECKING:
    from pytest_innovatorbench.authoring.calibration.proposals import Proposal
    from pytest_innovatorbench.authoring.calibration.survey import Survey

VERSION = 1


def render_document(survey: Survey) -> str:
    """Return a survey as a JSON document: ``task``, ``in_band``, ``bands``, ``rows`` and ``proposals``."""
    document = {
        "version": VERSION,
        "task": survey.task_id,
        "in_band": survey.is_fine,
        "bands": {"baseline": asdict(BASELINE_BAND), "reference": asdict(REFERENCE_BAND)},
        "metrics": list(survey.metrics),
        "rows": [asdict(row) for row in survey.rows],
        "proposals": [_proposal(proposal) for proposal in survey.proposals],
    }
    return json.dumps(document, indent=1, allow_nan=False) + "\n"


def _proposal(proposal: Proposal) -> dict[str, Any]:
    curve = proposal.curve
    return {
        "name": proposal.name,
        "is_measured": proposal.is_measured,
        "curve": {name: getattr(curve, name) for name in curve.__slots__} if curve else None,
        "code": proposal.code,
        "baseline": proposal.baseline,
        "reference": proposal.reference,
        "reason": proposal.reason,
    }
