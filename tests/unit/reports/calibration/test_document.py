from __future__ import annotations

import json

from pytest_innovatorbench.reports.calibration.document import render_document
from tests.unit.reports.calibration.samples import PROPOSAL, ROWS, example


def test_document_has_rows_bands_and_proposals() -> None:
    read = json.loads(render_document(example(*ROWS, proposals=(PROPOSAL,))))
    assert (read["version"], read["task"], read["in_band"], read["metrics"]) == (1, "toy", False, ["rmse"])
    assert read["bands"] == {"baseline": {"low": 0, "high": 5}, "reference": {"low": 70, "high": 80}}
    assert [row["score"] for row in read["rows"]] == [0, 40, 100, None]
    assert read["rows"][2]["unclamped"] == 104.25
    (proposal,) = read["proposals"]
    assert proposal["code"] == PROPOSAL.code
    assert proposal["curve"] == {
        "baseline": 0.78,
        "reference": 0.1,
        "ceiling": 0.05,
        "reference_points": 80,
        "bonus": 20,
    }
