"""QR codes, each shown once, take little of the memory for pictures."""

from __future__ import annotations

import os

os.environ.setdefault("SDL_VIDEODRIVER", "dummy")

from ui import art
from ui.layout import Drawing


def test_many_codes_leave_the_other_pictures_where_they_are() -> None:
    icon = Drawing((0, 0, 100, 100), "card", (0, 0, 0), ())
    kept = art.picture(icon)
    before = art._kept.figures.bytes
    for n in range(40):
        art.picture(Drawing((0, 0, 400, 400), "qr", (0, 0, 0), (f"https://hall.example/t/{n}",)))
    assert art.picture(icon) is kept
    assert art._kept.figures.bytes == before
    assert 0 < art._codes.figures.bytes <= art.CODES_BYTES
