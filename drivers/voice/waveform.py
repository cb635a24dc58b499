"""Waveforms before and after cleaning, as a PNG. Pillow is imported when one is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from drivers.voice.cleaning import Cleaned
from drivers.voice.wav import RATE, Clip

ROWS: Final = 12
"""So many clips are drawn at most."""
_WIDTH: Final = 300
_HEIGHT: Final = 44
_LABEL: Final = 190
_SECONDS: Final = 1.2
_GREY: Final = (150, 150, 150)
_BLUE: Final = (20, 90, 170)


def draw(clips: Sequence[tuple[str, Cleaned]], path: Path) -> None:
    """Left as recorded, right as in the pack; one row for each of the first `ROWS`. Raises OSError."""
    from PIL import Image, ImageDraw, ImageFont

    rows = clips[:ROWS]
    image = Image.new("RGB", (_LABEL + 2 * (_WIDTH + 10), len(rows) * _HEIGHT + 4), "white")
    pen = ImageDraw.Draw(image)
    font = _font(ImageFont)
    for number, (words, cleaned) in enumerate(rows):
        top = number * _HEIGHT + 2
        pen.text((6, top + 2), words, fill="black", font=font)
        told = f"{cleaned.before.loudness_lufs:.1f} → {cleaned.after.loudness_lufs:.1f} LUFS"
        pen.text((6, top + 22), told, fill=_GREY, font=font)
        _wave(pen, cleaned.raw, _LABEL, top, _GREY)
        _wave(pen, cleaned.clip, _LABEL + _WIDTH + 10, top, _BLUE)
    image.save(path)


def _wave(pen: Any, clip: Clip, left: int, top: int, colour: tuple[int, int, int]) -> None:
    samples = clip.samples
    middle, half = top + _HEIGHT // 2, _HEIGHT // 2 - 3
    pen.line((left, middle, left + _WIDTH, middle), fill=(225, 225, 225))
    step = round(_SECONDS * RATE / _WIDTH)
    for x in range(_WIDTH):
        part = samples[x * step : (x + 1) * step]
        if part:
            high, low = max(part) * half // 32768, min(part) * half // 32768
            pen.line((left + x, middle - high, left + x, middle - low), fill=colour)


def _font(fonts: Any) -> Any:
    try:
        from noto_cjk_sans_otc import FONT_PATH

        return fonts.truetype(str(FONT_PATH), 14)
    except (ImportError, OSError):
        return fonts.load_default()
