from __future__ import annotations

import io
import sys

import pytest

from pytest_innovatorbench.authoring.calibration.survey import Row
from pytest_innovatorbench.errors import UserError
from pytest_innovatorbench.reports.calibration.picture import render_picture
from tests.unit.reports.calibration.samples import ROWS, example


def pixels(picture: bytes) -> dict[tuple[int, int, int], int]:
    """How often each colour occurs."""
    image = pytest.importorskip("PIL.Image").open(io.BytesIO(picture))
    assert image.format == "PNG"
    colours = image.convert("RGB").getcolors(2**24)
    return {colour: count for count, colour in colours}


def test_picture_shows_what_is_fine_in_green_and_what_is_off_in_red() -> None:
    green, red = (0x1B, 0x7A, 0x4B), (0xB3, 0x26, 0x1E)
    assert {green, red} <= pixels(render_picture(example(*ROWS))).keys()
    assert red not in pixels(render_picture(example(ROWS[0])))


def test_picture_grows_with_its_rows_up_to_a_bound_and_has_none_without() -> None:
    def height(count: int) -> int:
        row = Row(kind="attack", name="\ufffd 漢 $\\frac{", score=1.0, verdict="in band", is_fine=True)
        picture = render_picture(example(*[row] * count))
        return int.from_bytes(picture[20:24], "big")

    assert height(0) == height(1) < height(10) < height(200) == height(300)


def test_without_matplotlib_the_command_to_install_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(UserError) as caught:
        render_picture(example(*ROWS))
    assert str(caught.value) == "a picture needs matplotlib: pip install 'pytest-innovatorbench[plot]'"
